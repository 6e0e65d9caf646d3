using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Scoring;

/// <summary>How good an attempt is: a number in [0, 1], or unscored.</summary>
/// <param name="Value">In [0, 1]; null is unscored, which is not 0. Never NaN.</param>
/// <param name="Reason">Why, in a few words, or null.</param>
public readonly record struct Score(double? Value, string? Reason = null)
{
    /// <summary>Whether nobody looked: it is what experience says that a scorer would say. An answer with such a score is never learnt.</summary>
    public bool IsExpected { get; init; }

    /// <summary>No score could be had.</summary>
    public static Score Unscored(string reason) => new(null, reason);

    /// <summary>A score from a number that may be NaN, infinite or out of range: then unscored (case 37: never the maximum).</summary>
    public static Score Of(double value, string? reason = null) =>
        value is >= 0 and <= 1 ? new(value, reason) : Unscored($"invalid score{(reason is null ? "" : ": " + reason)}");

    /// <summary>Whether the score is at least <paramref name="threshold"/> (τ). Unscored is never accepted.</summary>
    public bool Reaches(double threshold) => Value >= threshold;
}

/// <summary>Scores attempts. Holds options only; thread-safe.</summary>
public interface IScorer
{
    /// <summary>The name in the catalogue.</summary>
    string Name { get; }

    /// <summary>Whether it looks at reference answers: then every output says so, and nothing of it is published.</summary>
    bool Flagged => false;

    /// <summary>Scores one attempt; model calls go through <paramref name="context"/> with purpose <see cref="Compute.CallPurpose.Score"/>.</summary>
    ValueTask<Score> ScoreAsync(Attempt attempt, ISolveContext context, CancellationToken cancellationToken);
}
