using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Models;

/// <summary>Writes every call of the inner client to a JSONL file that <see cref="RecordedCalls"/> replays: request, draw, answer or failure. Thread-safe.</summary>
/// <remarks>
/// A line is written and flushed when its call ends, so that a crash loses at most the calls under way. Cancelled and abandoned calls are not recorded.
/// An existing recording of the same model is continued; a torn last line is cut off. Training through <see cref="IAdapterTrainer"/> is recorded too.
/// The file holds prompts and answers in full. It never holds a key.
/// </remarks>
public sealed class Recorder : DelegatingChatClient
{
    private readonly Lock _writing = new();
    private readonly FileStream _file;

    /// <summary>Records <paramref name="inner"/>, which is disposed with it.</summary>
    /// <exception cref="IOException">The file cannot be written, or another process records to it.</exception>
    /// <exception cref="InvalidDataException">The file is there and no recording of this model.</exception>
    public Recorder(IChatClient inner, string file)
        : base(inner)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        var traits = inner.GetService<ModelTraits>() ?? new ModelTraits(inner.GetService<ChatClientMetadata>()?.DefaultModelId ?? "unknown", 8192, false, false, false);
        _file = new(file, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.Read, BufferSize = 0 });
        try
        {
            if (CutTornLine(_file) == 0)
                Write(JsonSerializer.Serialize(new RecordingHeader { FormatVersion = RecordingHeader.CurrentFormat, Recording = "calls", Model = traits }, RecordingJson.Lines.RecordingHeader));
            else if (RecordingReader.Header(file, _file) is var header && header.Model.Fingerprint != traits.Fingerprint)
                throw new InvalidDataException($"{file}:1: model: this is a recording of {header.Model.Fingerprint}, not of {traits.Fingerprint}");
            _file.Seek(0, SeekOrigin.End);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var list = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        ChatResponse response;
        try
        {
            response = await base.GetResponseAsync(list, options, cancellationToken);
        }
        catch (Exception e) when (IsFailure(e))
        {
            Write(list, options, null, e);
            throw;
        }
        Write(list, options, response, null);
        return response;
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var list = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        var heard = new List<ChatResponseUpdate>();
        await using var updates = base.GetStreamingResponseAsync(list, options, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await updates.MoveNextAsync())
                    break;
            }
            catch (Exception e) when (IsFailure(e))
            {
                Write(list, options, null, e);
                throw;
            }
            heard.Add(updates.Current);
            yield return updates.Current;
        }
        Write(list, options, heard.ToChatResponse(), null);
    }

    /// <inheritdoc/>
    public override object? GetService(Type serviceType, object? serviceKey = null)
    {
        var service = base.GetService(serviceType, serviceKey);
        return service is IAdapterTrainer trainer && serviceType == typeof(IAdapterTrainer) ? new RecordingTrainer(trainer, this) : service;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            lock (_writing)
                _file.Dispose();
        }
        base.Dispose(disposing);
    }

    // mistakes of the caller and a caller who went away are no property of the model
    private static bool IsFailure(Exception e) => e is not (OperationCanceledException or ArgumentException or NotSupportedException or ObjectDisposedException);

    private void Write(IReadOnlyList<ChatMessage> messages, ChatOptions? options, ChatResponse? response, Exception? error)
    {
        var (key, json) = CanonicalRequest.Of(messages, options);
        var info = CallInfo.Of(options);
        using var request = JsonDocument.Parse(json);
        Write(new RecordedLine
        {
            Key = key,
            Draw = info?.Draw ?? 0,
            Stream = info?.Stream.ToString() ?? "",
            Purpose = info?.Purpose.ToString().ToLowerInvariant(),
            Question = info?.QuestionId,
            Request = request.RootElement,
            Response = response is null ? null : RecordingConversion.ToRecord(response),
            Error = error is null ? null : RecordingConversion.ToRecord(error),
        });
    }

    private void Write(RecordedLine line) => Write(JsonSerializer.Serialize(line, RecordingJson.Lines.RecordedLine));

    private void Write(string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line + "\n");
        lock (_writing)
        {
            _file.Write(bytes);
            _file.Flush();
        }
    }

    /// <summary>Cuts what stands after the last line end; gives the length that is left.</summary>
    private static long CutTornLine(FileStream file)
    {
        var buffer = new byte[4096];
        var end = file.Length;
        while (end > 0)
        {
            var from = Math.Max(0, end - buffer.Length);
            file.Seek(from, SeekOrigin.Begin);
            var piece = buffer.AsSpan(0, (int)(end - from));
            file.ReadExactly(piece);
            var at = piece.LastIndexOf((byte)'\n');
            end = at < 0 ? from : from + at + 1;
            if (at >= 0)
                break;
        }
        if (end < file.Length)
            file.SetLength(end);
        return end;
    }

    private sealed class RecordingTrainer(IAdapterTrainer inner, Recorder recorder) : IAdapterTrainer
    {
        public async ValueTask<TrainedAdapter> TrainAsync(AdapterRef? from, IReadOnlyList<TrainingPair> pairs, StreamKey stream, CancellationToken cancellationToken)
        {
            var trained = await inner.TrainAsync(from, pairs, stream, cancellationToken);
            recorder.Write(new RecordedLine
            {
                Key = CanonicalRequest.OfTraining(from, pairs),
                Draw = 0,
                Stream = stream.ToString(),
                Purpose = "train",
                Training = new(trained.Adapter.Id, trained.Adapter.ModelFingerprint, trained.Tokens, trained.LossBefore, trained.LossAfter),
            });
            return trained;
        }

        public ValueTask<ReadOnlyMemory<byte>> ExportAsync(AdapterRef adapter, CancellationToken cancellationToken) => inner.ExportAsync(adapter, cancellationToken);

        public ValueTask<AdapterRef> ImportAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => inner.ImportAsync(content, cancellationToken);
    }
}
