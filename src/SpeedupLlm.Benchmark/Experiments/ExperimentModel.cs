using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Benchmark.Experiments;

/// <summary>The model of a run.</summary>
/// <param name="Client">The client; must be thread-safe. Not disposed by the experiment.</param>
/// <param name="Traits">What it can do.</param>
public sealed record ExperimentModel(IChatClient Client, ModelTraits Traits)
{
    /// <summary>Why memories cannot be used with it, or null: recorded answers never saw any.</summary>
    public string? NoMemoryBecause { get; init; }

    /// <summary>What <c>auto</c> is told of it beforehand, or null.</summary>
    public AutoPrior? Prior { get; init; }

    /// <summary>Sets the lifelines of this run apart from those of other runs that the same client serves: none finds its prompts in the prefix cache of another.</summary>
    public string Run { get; init; } = "";
}
