using System.Security.Cryptography;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using SpeedupLlm.Transformer.Decoding;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Training;

namespace SpeedupLlm.Transformer.Adapter;

/// <summary>How adapters are trained and how many are kept.</summary>
public sealed record AdapterOptions
{
    /// <summary>Steps, rate and rank; a rank of null trains all weights.</summary>
    public FineTuneRecipe Recipe { get; init; } = new() { Rank = 8, Rate = 5e-3 };

    /// <summary>How much a prompt's tokens count beside the answer's, at least 0.</summary>
    public float PromptWeight { get; init; }

    /// <summary>Bytes of adapters that are kept (a low-rank one takes about 300 KB, all weights 3.3 MB); the least recently used goes and has to be imported again.</summary>
    public long KeptBytes { get; init; } = 256L << 20;

    /// <summary>Bytes of adapters that are kept ready for decoding; others are made ready when they are used.</summary>
    public long ReadyBytes { get; init; } = 192L << 20;

    /// <summary>Trainings that run at once.</summary>
    public int AtOnce { get; init; } = Environment.ProcessorCount;
}

/// <summary>Fine-tunes the embedded reasoner and keeps its adapters. Thread-safe.</summary>
/// <remarks>An adapter is its bytes: what was trained here and what was imported decode alike, and equal bytes are one adapter.</remarks>
public sealed class ApprenticeTrainer : IAdapterTrainer
{
    private readonly Weights _weights;
    private readonly string _fingerprint;
    private readonly ChatTemplate _template;
    private readonly AdapterOptions _options;
    private readonly DecoderWeights _own;
    private readonly SemaphoreSlim _slots;
    private readonly RecentlyUsed<byte[]> _contents;
    private readonly RecentlyUsed<Prepared> _ready;

    internal ApprenticeTrainer(Weights weights, string fingerprint, ChatTemplate template, AdapterOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.AtOnce, 1);
        if (!(options.PromptWeight >= 0) || float.IsInfinity(options.PromptWeight))
            throw new ArgumentOutOfRangeException(nameof(options), options.PromptWeight, "PromptWeight is finite and at least 0.");
        (_weights, _fingerprint, _template, _options) = (weights, fingerprint, template, options);
        _own = new(weights);
        _slots = new(options.AtOnce);
        _contents = new(options.KeptBytes, content => content.Length);
        _ready = new(options.ReadyBytes, ready => ready.Bytes);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">There are no pairs, or a text is longer than the context.</exception>
    /// <exception cref="AdapterNotFoundException"><paramref name="from"/> is not here.</exception>
    public async ValueTask<TrainedAdapter> TrainAsync(
        AdapterRef? from, IReadOnlyList<TrainingPair> pairs, StreamKey stream, CancellationToken cancellationToken)
    {
        var texts = Examples(pairs);
        return await InSlotAsync(() => Train(from, texts, stream, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">There are no pairs, or a text is longer than the context.</exception>
    /// <exception cref="AdapterNotFoundException">The adapter is not here.</exception>
    public async ValueTask<MeasuredLoss?> MeasureAsync(AdapterRef? adapter, IReadOnlyList<TrainingPair> pairs, CancellationToken cancellationToken)
    {
        var texts = Examples(pairs);
        return await InSlotAsync(
            () => new MeasuredLoss(
                texts.Sum(t => (long)t.Tokens.Length),
                FineTuning.Evaluate(
                    adapter is null ? _weights : AdapterContent.Merge(ContentOf(adapter), _weights, _fingerprint), texts, _options.Recipe.Threads).Answer),
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <exception cref="AdapterNotFoundException">It is not here.</exception>
    public ValueTask<ReadOnlyMemory<byte>> ExportAsync(AdapterRef adapter, CancellationToken cancellationToken) =>
        ValueTask.FromResult<ReadOnlyMemory<byte>>(ContentOf(adapter));

    /// <inheritdoc/>
    public ValueTask<AdapterRef> ImportAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var id = IdOf(content.Span);
        if (_contents.Find(id) is null)
        {
            AdapterContent.Read(content.Span, _weights.Shape, _fingerprint);
            _contents.Put(id, content.ToArray());
        }
        return ValueTask.FromResult(new AdapterRef(id, _fingerprint));
    }

    /// <summary>Forgets an adapter here; who holds its bytes can import it again.</summary>
    public void Evict(AdapterRef adapter)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        _contents.Remove(adapter.Id);
        _ready.Remove(adapter.Id);
    }

    /// <summary>The weights to decode with.</summary>
    internal DecoderWeights Resolve(AdapterRef? adapter)
    {
        if (adapter is null)
            return _own;
        var content = ContentOf(adapter);
        return _ready.FindOrPut(adapter.Id, () => new(new(() => Prepare(content)), content.Length)).Weights.Value;
    }

    private DecoderWeights Prepare(byte[] content)
    {
        var (low, full) = AdapterContent.Read(content, _weights.Shape, _fingerprint);
        return low is null ? new(full!) : new(_own, low);
    }

    private async Task<T> InSlotAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await Task.Run(work, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _slots.Release();
        }
    }

    private List<TrainingExample> Examples(IReadOnlyList<TrainingPair> pairs)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        if (pairs.Count == 0)
            throw new ArgumentException("There is nothing to learn from.", nameof(pairs));
        return [.. pairs.Select(p => _template.Example(p.Prompt, [(p.Target, 1)], _options.PromptWeight))];
    }

    private TrainedAdapter Train(AdapterRef? from, List<TrainingExample> texts, StreamKey stream, CancellationToken cancellationToken)
    {
        var (earlier, start) = (default(LowRankAdapter), _weights);
        if (from is not null)
        {
            (earlier, var full) = AdapterContent.Read(ContentOf(from), _weights.Shape, _fingerprint);
            start = full ?? earlier!.Merge(_weights);
        }
        var tuned = FineTuning.Train(start, texts, _options.Recipe, stream, cancellationToken);
        // low-rank changes on top of each other stay low-rank, as long as that is smaller than all weights
        var low = from is null ? tuned.Adapter
            : tuned.Adapter is { } next && earlier is not null && earlier.Rank + next.Rank <= _weights.Shape.Width ? AdapterContent.Stack(earlier, next)
            : null;
        var content = low is null ? AdapterContent.Write(tuned.Weights, _fingerprint) : AdapterContent.Write(low, _fingerprint);
        var id = IdOf(content);
        _contents.Put(id, content);
        return new(new(id, _fingerprint), tuned.TrainedTokens,
            FineTuning.Evaluate(start, texts, _options.Recipe.Threads).Answer, FineTuning.Evaluate(tuned.Weights, texts, _options.Recipe.Threads).Answer);
    }

    private byte[] ContentOf(AdapterRef adapter)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        if (adapter.ModelFingerprint != _fingerprint)
            throw new AdapterNotFoundException(adapter, $"The adapter {adapter.Id} adapts the model {adapter.ModelFingerprint}, not {_fingerprint}.");
        return _contents.Find(adapter.Id) ?? throw new AdapterNotFoundException(adapter, $"The adapter {adapter.Id} is not loaded; import it again.");
    }

    /// <summary>An adapter packed for decoding, about as large as its bytes.</summary>
    private sealed record Prepared(Lazy<DecoderWeights> Weights, long Bytes);

    private static string IdOf(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 16));
}

/// <summary>An adapter is not loaded, or belongs to another model. Remedy: import its bytes, or use its model.</summary>
public sealed class AdapterNotFoundException(AdapterRef adapter, string message) : Exception(message)
{
    /// <summary>Which adapter.</summary>
    public AdapterRef Adapter { get; } = adapter;
}
