using System.Buffers;
using System.Text.Json;
using SpeedupLlm.Gateway.Requests;

namespace SpeedupLlm.Gateway.Forwarding;

/// <summary>The beginning of an answer in a pooled buffer. A whole completion is held back until it is known to be one: half of one must not look like an answer (case 1). Dispose it when the answer has ended.</summary>
internal sealed class HeldAnswer : IDisposable
{
    // a completion of that size is rare, and what it takes is held for every request that runs
    private const int MostHeld = 1024 * 1024;
    private const int FirstBuffer = 16 * 1024;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
    private int _length;

    /// <summary>What is held.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    /// <summary>Room for pieces once nothing is held any more.</summary>
    public Memory<byte> Buffer => _buffer;

    /// <summary>Whether an answer that has ended is a completion: one JSON object with at least one choice.</summary>
    public bool IsCompletion
    {
        get
        {
            try
            {
                return HasChoice(Bytes.Span);
            }
            catch (JsonException)
            {
                return false;
            }
        }
    }

    /// <summary>Reads until the answer ends, or as much is held as may be.</summary>
    /// <returns>Whether it has ended.</returns>
    public async ValueTask<bool> FillAsync(Stream answer, Silence silence)
    {
        while (_length < MostHeld)
        {
            if (_length == _buffer.Length)
                Grow();
            var read = await answer.ReadAsync(_buffer.AsMemory(_length), silence.Token);
            if (read == 0)
                return true;
            silence.Heard();
            _length += read;
        }
        return false;
    }

    public void Dispose()
    {
        var buffer = Interlocked.Exchange(ref _buffer, []);
        _length = 0;
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    private static bool HasChoice(ReadOnlySpan<byte> answer)
    {
        var reader = new Utf8JsonReader(answer, new JsonReaderOptions { MaxDepth = RequestHead.Depth });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return false;
        var found = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isChoices = reader.ValueTextEquals("choices"u8);
            reader.Read();
            if (isChoices && reader.TokenType == JsonTokenType.StartArray)
            {
                var list = reader;
                list.Read();
                found = list.TokenType == JsonTokenType.StartObject;
            }
            reader.Skip();
        }
        // nothing may follow the object
        reader.Read();
        return found;
    }

    private void Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
        Bytes.Span.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
