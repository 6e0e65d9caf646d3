using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Models;

/// <summary>Replays what <see cref="Recorder"/> wrote: the same request at the same draw gets the same answer, usage, log-probabilities or failure. Thread-safe; needs no network.</summary>
/// <remarks>
/// A request that was asked in several streams of chance (at several places of a run) is told apart by the stream. A run with another seed has other streams:
/// it gets the recorded answer of that request and draw, the first by stream. The same call made several times gets its answers in the order of recording, then the last one again.
/// </remarks>
public sealed class RecordedCalls : IChatClient
{
    private readonly string _file;
    private readonly RecordingHeader _header;
    private readonly Dictionary<(string Key, int Draw), SortedDictionary<string, Take>> _calls = [];
    private readonly bool _trains;

    private RecordedCalls(string file, RecordingHeader header, List<RecordedLine> lines)
    {
        (_file, _header) = (file, header);
        foreach (var line in lines)
        {
            var place = (line.Key, line.Draw);
            if (!_calls.TryGetValue(place, out var streams))
                _calls[place] = streams = new(StringComparer.Ordinal);
            if (!streams.TryGetValue(line.Stream, out var take))
                streams[line.Stream] = take = new();
            take.Lines.Add(line);
            _trains |= line.Training is not null;
        }
    }

    /// <summary>How many calls and training runs are recorded.</summary>
    public int Count => _calls.Values.Sum(s => s.Values.Sum(t => t.Lines.Count));

    /// <summary>Reads a recording.</summary>
    /// <exception cref="InvalidDataException">The file is malformed; the message names file, line and field.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static RecordedCalls Open(string file)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        var (header, lines) = RecordingReader.Read(file);
        return new(file, header, lines);
    }

    /// <inheritdoc/>
    /// <exception cref="UnrecordedCallException">The request was not recorded.</exception>
    /// <exception cref="UpstreamException">The recorded call failed.</exception>
    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(Find([.. messages], options));
    }

    /// <inheritdoc/>
    /// <exception cref="UnrecordedCallException">The request was not recorded.</exception>
    /// <exception cref="UpstreamException">The recorded call failed.</exception>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
            yield return update;
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        if (serviceType == typeof(ModelTraits))
            return _header.Model with { Adapters = _trains };
        if (serviceType == typeof(ChatClientMetadata))
            return new ChatClientMetadata("recorded", null, _header.Model.Fingerprint);
        if (serviceType == typeof(IAdapterTrainer))
            return _trains ? new ReplayedTrainer(this) : null;
        return serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private ChatResponse Find(IReadOnlyList<ChatMessage> messages, ChatOptions? options)
    {
        var (key, _) = CanonicalRequest.Of(messages, options);
        var info = CallInfo.Of(options);
        var line = Find(key, info?.Draw ?? 0, info?.Stream.ToString() ?? "") ?? throw Unrecorded(key, info?.Draw ?? 0, messages);
        if (line.Error is { } error)
            throw RecordingConversion.ToException(error);
        return RecordingConversion.ToResponse(line.Response ?? throw Unrecorded(key, 0, messages));
    }

    private RecordedLine? Find(string key, int draw, string stream) => _calls.TryGetValue((key, draw), out var streams)
        ? (streams.TryGetValue(stream, out var take) ? take : streams.First().Value).Next()
        : null;

    private UnrecordedCallException Unrecorded(string key, int draw, IReadOnlyList<ChatMessage> messages)
    {
        var last = ErrorBody.Line(messages.LastOrDefault()?.Text ?? "");
        var others = _calls.Keys.Count(c => c.Key == key);
        var text = last.Length <= 120 ? last : SurrogateJoiner.Whole(last[..119]) + "…";
        return new($"{_file} has no answer for draw {draw.ToString(CultureInfo.InvariantCulture)} of request {key} (“{text}”)"
            + (others > 0 ? $"; it has {others.ToString(CultureInfo.InvariantCulture)} other draws of it." : "."));
    }

    /// <summary>The answers of one call, each given once in order, the last one for ever.</summary>
    private sealed class Take
    {
        private int _next = -1;

        public List<RecordedLine> Lines { get; } = [];

        public RecordedLine Next() => Lines[Math.Min(Lines.Count - 1, Lines.Count == 1 ? 0 : Interlocked.Increment(ref _next))];
    }

    /// <summary>Adapters are names here: what they answer is recorded with the calls.</summary>
    private sealed class ReplayedTrainer(RecordedCalls calls) : IAdapterTrainer
    {
        private const string Prefix = "recorded adapter ";

        public ValueTask<TrainedAdapter> TrainAsync(AdapterRef? from, IReadOnlyList<TrainingPair> pairs, StreamKey stream, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var key = CanonicalRequest.OfTraining(from, pairs);
            if (calls.Find(key, 0, stream.ToString())?.Training is not { } t)
                throw new UnrecordedCallException($"{calls._file} has no training run {key} ({pairs.Count.ToString(CultureInfo.InvariantCulture)} pairs{(from is null ? "" : " from " + from.Id)}).");
            return ValueTask.FromResult(new TrainedAdapter(new(t.Adapter, t.Model), t.Tokens, t.LossBefore, t.LossAfter));
        }

        public ValueTask<ReadOnlyMemory<byte>> ExportAsync(AdapterRef adapter, CancellationToken cancellationToken) =>
            ValueTask.FromResult<ReadOnlyMemory<byte>>(Encoding.UTF8.GetBytes(Prefix + adapter.Id));

        public ValueTask<AdapterRef> ImportAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            var text = Encoding.UTF8.GetString(content.Span[..Math.Min(content.Length, 1024)]);
            return text.StartsWith(Prefix, StringComparison.Ordinal)
                ? ValueTask.FromResult(new AdapterRef(text[Prefix.Length..], calls._header.Model.Fingerprint))
                : throw new InvalidDataException("A recording takes only adapters that it gave: their weights are not in it.");
        }
    }
}

/// <summary>A recording or an answer set was asked for something that it does not hold. Remedy: record it, or ask for less.</summary>
public sealed class UnrecordedCallException(string message) : Exception(message);
