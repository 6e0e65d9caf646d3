using SpeedupLlm.Experience;

namespace SpeedupLlm.Memory;

/// <summary>Remembers nothing: the baseline of every comparison (the "None" arm of arXiv 2505.20643). Spends no model call.</summary>
public sealed class NoMemory : IMemory
{
    /// <summary>The name in the catalogue.</summary>
    public const string CatalogueName = "none";

    /// <inheritdoc/>
    public string Name => CatalogueName;

    /// <inheritdoc/>
    public ValueTask<Recalled> RecallAsync(Question question, IMemoryContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Recalled.Nothing);
    }

    /// <inheritdoc/>
    public ValueTask LearnAsync(Episode episode, IMemoryContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.CompletedTask;
    }
}
