using SpeedupLlm.Compute;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Transformer.Decoding;

/// <summary>How much a <see cref="DecodingEngine"/> may use.</summary>
public sealed record DecodingOptions
{
    /// <summary>Threads that decode, each its own batch; all cores by default. At least 1.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Sequences that a worker decodes together; more wait. At least 1.</summary>
    public int SequencesPerWorker { get; init; } = 64;

    /// <summary>Tokens that one step computes at most, prompts among them. At least <see cref="SequencesPerWorker"/>.</summary>
    public int TokensPerStep { get; init; } = 256;

    /// <summary>Blocks of 32 tokens that the prefix cache keeps (128 KiB each in the default shape); 0 turns it off.</summary>
    public int PrefixCacheBlocks { get; init; } = 1024;

    internal DecodingOptions Validated()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Workers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(SequencesPerWorker, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(TokensPerStep, SequencesPerWorker);
        ArgumentOutOfRangeException.ThrowIfNegative(PrefixCacheBlocks);
        return this;
    }
}

/// <summary>Generates many texts at once (continuous batching, Orca, OSDI 2022): sequences join and leave at any step. Thread-safe.</summary>
/// <remarks>
/// A request's tokens and log-probabilities have the same bits whatever else runs, on any number of workers, with its prefix cached or not:
/// no row of a product depends on the other rows, and chance is a function of the request's stream and the token's number.
/// </remarks>
public sealed class DecodingEngine : IAsyncDisposable
{
    private readonly DecodingOptions _options;
    private readonly BlockPool _pool;
    private readonly PrefixCache _cache;
    private readonly DecodingWorker[] _workers;
    private readonly Lock _lock = new();
    private bool _disposed;

    /// <summary>An engine for models of one shape. Threads start with the first requests.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public DecodingEngine(ModelShape shape, DecodingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(shape);
        Shape = shape.Validated();
        _options = (options ?? new()).Validated();
        _pool = new(shape.Layers * CachedAttention.BlockFloats(shape));
        _cache = new(_pool, _options.PrefixCacheBlocks);
        _workers = [.. Enumerable.Range(0, _options.Workers).Select(i => new DecodingWorker(i, shape, _options, _pool, _cache))];
    }

    /// <summary>The shape of every model that it runs.</summary>
    public ModelShape Shape { get; }

    /// <summary>Key-value blocks that requests or the prefix cache hold.</summary>
    internal int BlocksInUse => _pool.InUse;

    /// <summary>Key-value blocks in the prefix cache.</summary>
    internal int BlocksCached => _cache.Count;

    /// <summary>Requests that wait or run.</summary>
    public int Running => _workers.Sum(w => w.Load);

    /// <summary>Generates one text.</summary>
    /// <exception cref="ContextLengthException">The prompt fills the context.</exception>
    /// <exception cref="ArgumentException">The prompt is empty or has ids outside the vocabulary; the model has another shape; an option is out of range.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing is left behind.</exception>
    public Task<Generation> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken)
    {
        Check(request);
        var sequence = new KvSequence(request, cancellationToken);
        if (cancellationToken.IsCancellationRequested)
            sequence.Cancel();
        else if (sequence.IsFull)
            sequence.Complete(GenerationEnd.Length);
        else
        {
            lock (_lock) // one at a time, so that the least loaded worker stays that
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                _workers.MinBy(w => w.Load)!.Add(sequence);
            }
        }
        return sequence.Done;
    }

    /// <summary>Ends the threads; requests that still run are cancelled.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
        }
        await Task.WhenAll(_workers.Select(w => w.StopAsync())).ConfigureAwait(false);
        _cache.Clear();
        _pool.Dispose();
    }

    private void Check(GenerationRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Model.Shape != Shape)
            throw new ArgumentException("The model has another shape than the engine.", nameof(request));
        if (request.Prompt.Count == 0)
            throw new ArgumentException("The prompt is empty.", nameof(request));
        foreach (var token in request.Prompt)
            if ((uint)token >= (uint)Shape.Vocabulary)
                throw new ArgumentException(FormattableString.Invariant($"The prompt has the token id {token}; ids are 0 to {Shape.Vocabulary - 1}."), nameof(request));
        if (request.Prompt.Count >= Shape.Context)
            throw new ContextLengthException(request.Prompt.Count, Shape.Context);
        request.Sampling.Validate();
        ArgumentOutOfRangeException.ThrowIfNegative(request.MaximumTokens, nameof(request));
        if (request.TopLogProbabilities is { } top)
            ArgumentOutOfRangeException.ThrowIfNegative(top, nameof(request));
    }
}
