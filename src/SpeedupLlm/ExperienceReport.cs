using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm;

/// <summary>How an answer came about and what it cost: in the additional properties of a response, or of one update of a stream.</summary>
public sealed record ExperienceReport
{
    /// <summary>The key in the additional properties.</summary>
    public const string Key = "speedup";

    /// <summary>The mode at the time.</summary>
    public required ExperienceMode Mode { get; init; }

    /// <summary>Why the request was passed by, or null if it was not.</summary>
    public string? Bypass { get; init; }

    /// <summary>Whether it was answered with memory and search; otherwise by one plain call.</summary>
    public bool IsExperienced { get; init; }

    /// <summary>The chance that it would be; 0 or 1 where nothing was drawn.</summary>
    public double Propensity { get; init; }

    /// <summary>The episode, for feedback; null if none is kept. Of an answer from memory the one that it came from.</summary>
    public string? Episode { get; init; }

    /// <summary>Attempts made.</summary>
    public int Attempts { get; init; }

    /// <summary>Model calls that failed and that the search survived (case 3).</summary>
    public int Failures { get; init; }

    /// <summary>Whether the answer reached τ, or came from memory.</summary>
    public bool Accepted { get; init; }

    /// <summary>Why the search ended; null without one.</summary>
    public StopReason? Stop { get; init; }

    /// <summary>What memory gave, and why; null without a search.</summary>
    public MemoryUse? Memory { get; init; }

    /// <summary>What answering cost, by purpose. Learning comes after the answer and is in the ledger only.</summary>
    public IReadOnlyList<PurposeCost> Cost { get; init; } = [];

    /// <summary>The sum, in the units of the price sheet; null where a plain call's cost is not known yet.</summary>
    public decimal? FullCost { get; init; }

    /// <summary>Time to the accepted answer; null without a search.</summary>
    public TimeSpan? ToAccepted { get; init; }

    /// <summary>Why memory could not be used, or null if it could.</summary>
    public string? Degraded { get; init; }

    /// <summary>The report in additional properties, if there is one.</summary>
    public static ExperienceReport? Of(AdditionalPropertiesDictionary? properties) =>
        properties is not null && properties.TryGetValue(Key, out var value) ? value as ExperienceReport : null;

    internal static ExperienceReport Of(ExperienceMode mode, double propensity, Solution solution, string? episode, PriceSheet prices) => new()
    {
        Mode = mode,
        IsExperienced = true,
        Propensity = propensity,
        Episode = episode,
        Attempts = solution.Stop == StopReason.Recalled ? 0 : solution.Attempts.Count,
        Failures = solution.Failures.Count,
        Accepted = solution.Accepted,
        Stop = solution.Stop,
        Memory = MemoryUse.Of(solution),
        Cost = [.. solution.Bill.ByPurpose().Select(p =>
            new PurposeCost(p.Purpose, p.Calls, p.Sum.Input, p.Sum.CachedInput, p.Sum.Output, p.Sum.Trained, prices.Cost(p.Sum)))],
        FullCost = prices.Cost(solution.Bill),
        ToAccepted = solution.ToAccepted,
        Degraded = solution.Degraded,
    };
}

/// <summary>What memory gave for an answer.</summary>
/// <param name="IsUsed">Whether anything was used.</param>
/// <param name="Level">How alike the nearest remembered question is.</param>
/// <param name="Confidence">How sure that is, in [0, 1].</param>
/// <param name="Why">Why it was used or not, in a line.</param>
/// <param name="Sources">The episodes and lessons that were used.</param>
public sealed record MemoryUse(bool IsUsed, SimilarityLevel Level, double Confidence, string Why, IReadOnlyList<string> Sources)
{
    internal static MemoryUse Of(Solution solution)
    {
        var used = solution.Used;
        IReadOnlyList<string> sources = used.Answer is { } answer ? [answer.Source] : [.. used.Hints.Select(h => h.Source).Distinct(StringComparer.Ordinal)];
        var isUsed = used.Answer is not null || used.Hints.Count > 0 || used.Weights is not null;
        var why = used.Choice?.Plan ?? solution.Degraded ?? (isUsed ? "the memory recalled it" : "nothing was recalled");
        return new(isUsed, used.Relevance.Level, used.Relevance.Confidence, why, sources);
    }
}

/// <summary>What the calls of one purpose cost.</summary>
public sealed record PurposeCost(CallPurpose Purpose, int Calls, long Input, long CachedInput, long Output, long Trained, decimal Cost);
