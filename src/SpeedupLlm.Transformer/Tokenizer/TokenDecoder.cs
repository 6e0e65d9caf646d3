using System.Text;

namespace SpeedupLlm.Transformer.Tokenizer;

/// <summary>Turns a stream of ids into text, a token at a time; what it gives is always whole characters. Not thread-safe.</summary>
public sealed class TokenDecoder(PieceTokenizer tokenizer, bool showSpecial = true)
{
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();
    private bool _atStart = true;

    /// <summary>The text that this token completes; empty while a character is still in parts.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such id.</exception>
    public string Push(int id)
    {
        var bytes = tokenizer.Bytes(id);
        if (tokenizer.IsSpecial(id))
        {
            var rest = Flush();
            return showSpecial ? rest + Encoding.UTF8.GetString(bytes) : rest;
        }
        if (_atStart && bytes[0] == (byte)' ')
            bytes = bytes[1..];
        _atStart = false;
        return Convert(bytes, flush: false);
    }

    /// <summary>What is left at the end: U+FFFD for a character that never became whole. The decoder is then as new.</summary>
    public string Flush()
    {
        _atStart = true;
        return Convert([], flush: true);
    }

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        var count = _utf8.GetCharCount(bytes, flush);
        if (count == 0)
        {
            // the call still has to see the bytes, or reset the state
            _utf8.GetChars(bytes, [], flush);
            return "";
        }
        return string.Create(count, new State(_utf8, bytes, flush), static (chars, s) => s.Decoder.GetChars(s.Bytes, chars, s.Flush));
    }

    private readonly ref struct State(Decoder decoder, ReadOnlySpan<byte> bytes, bool flush)
    {
        public Decoder Decoder { get; } = decoder;
        public ReadOnlySpan<byte> Bytes { get; } = bytes;
        public bool Flush { get; } = flush;
    }
}
