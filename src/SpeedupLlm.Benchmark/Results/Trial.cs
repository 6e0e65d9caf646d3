using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Results;

/// <summary>A solved question: one line of <c>trials.jsonl</c>.</summary>
public sealed record Trial
{
    /// <summary>The version of the format that this code writes.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The version of the line's format.</summary>
    public int FormatVersion { get; init; } = CurrentFormat;

    /// <summary><c>S1</c> to <c>S4</c>, or <c>any</c> for data without levels.</summary>
    public required string Similarity { get; init; }

    /// <summary>The scaling method's name.</summary>
    public required string Scaling { get; init; }

    /// <summary>The memory's name; <c>none</c> is the baseline.</summary>
    public required string Memory { get; init; }

    /// <summary>Which trained model of its kind answered, from 1.</summary>
    public required int Checkpoint { get; init; }

    /// <summary>The base question (in a world: the firm), from 0.</summary>
    public required int Group { get; init; }

    /// <summary>How many questions of the same lifeline came before.</summary>
    public required int Level { get; init; }

    /// <summary>The question's id.</summary>
    public required string Question { get; init; }

    /// <summary>The final answer, or null if there was none.</summary>
    public string? Answer { get; init; }

    /// <summary>The reference answer.</summary>
    public required string Expected { get; init; }

    /// <summary>Whether the answer is the reference answer.</summary>
    public required bool Correct { get; init; }

    /// <summary>Whether the run's scorer accepted it.</summary>
    public required bool Accepted { get; init; }

    /// <summary>The scorer's score in [0, 1], or null if unscored.</summary>
    public double? Score { get; init; }

    /// <summary>Why the search ended.</summary>
    public required string Stop { get; init; }

    /// <summary>The scaling method's own cost.</summary>
    public required decimal Operations { get; init; }

    /// <summary>Prompt tokens of all calls, those of learning after the level before among them.</summary>
    public required long InputTokens { get; init; }

    /// <summary>Those of them that an earlier call of the lifeline had in its prefix.</summary>
    public required long CachedInputTokens { get; init; }

    /// <summary>Generated tokens of all calls.</summary>
    public required long OutputTokens { get; init; }

    /// <summary>All tokens by the price sheet.</summary>
    public required decimal FullCost { get; init; }

    /// <summary>Tokens by purpose.</summary>
    public required IReadOnlyList<BillLine> Bill { get; init; }

    /// <summary>Ids of the episodes, lessons and adapters that were recalled.</summary>
    public required IReadOnlyList<string> Recalled { get; init; }

    /// <summary>Why the item failed, or null.</summary>
    public string? Error { get; init; }

    /// <summary>Everything that depends on the clock.</summary>
    public required TrialTime Time { get; init; }

    /// <summary>The cell that the trial belongs to.</summary>
    internal CellKey Cell => new(Similarity, Scaling, Memory);
}

/// <summary>The calls of one purpose.</summary>
public sealed record BillLine(string Purpose, int Calls, long Input, long CachedInput, long Output, long Trained)
{
    /// <summary>The lines of a bill.</summary>
    internal static IReadOnlyList<BillLine> Of(Bill bill) =>
        [.. bill.ByPurpose().Select(p => new BillLine(p.Purpose.ToString().ToLowerInvariant(), p.Calls, p.Sum.Input, p.Sum.CachedInput, p.Sum.Output, p.Sum.Trained))];

    /// <summary>What the line costs by a price sheet.</summary>
    internal decimal Cost(PriceSheet prices) =>
        (Input - CachedInput) * prices.Input + CachedInput * prices.CachedInput + Output * prices.Output + Trained * prices.Trained;
}

/// <summary>When, and how long.</summary>
/// <param name="StartedAt">UTC.</param>
/// <param name="ElapsedMs">Until the search ended, in milliseconds.</param>
/// <param name="ToAcceptedMs">Until the accepted answer was there; null if none was accepted.</param>
public sealed record TrialTime(DateTimeOffset StartedAt, double ElapsedMs, double? ToAcceptedMs);

/// <summary>A cell of the grid.</summary>
internal readonly record struct CellKey(string Similarity, string Scaling, string Memory)
{
    public const string NoMemory = "none";

    /// <summary>The cell that this one is measured against.</summary>
    public CellKey Baseline => this with { Memory = NoMemory };

    public bool IsBaseline => Memory == NoMemory;
}
