using SpeedupLlm.Benchmark.Results;

namespace SpeedupLlm.Benchmark.Streaming;

/// <summary>A question of a stream, answered by one arm: one line of <c>stream.jsonl</c>.</summary>
public sealed record StreamTrial
{
    /// <summary>The version of the format that this code writes.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The version of the line's format.</summary>
    public int FormatVersion { get; init; } = CurrentFormat;

    /// <summary>The arm: a memory or a rival.</summary>
    public required string Memory { get; init; }

    /// <summary>The question's place in time, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>What it is about, numbered by first question.</summary>
    public required int Topic { get; init; }

    /// <summary><c>new</c>, <c>S1</c> to <c>S4</c>, or <c>changed</c>: the first since the topic's rule changed.</summary>
    public required string Kind { get; init; }

    /// <summary>How many questions about the topic came before under the same rule.</summary>
    public required int Visit { get; init; }

    /// <summary>The question's id.</summary>
    public required string Question { get; init; }

    /// <summary>The final answer, or null if there was none.</summary>
    public string? Answer { get; init; }

    /// <summary>The reference answer.</summary>
    public required string Expected { get; init; }

    /// <summary>Whether the answer is the reference answer.</summary>
    public required bool Correct { get; init; }

    /// <summary>Whether the run's scorer accepted it, or memory gave it.</summary>
    public required bool Accepted { get; init; }

    /// <summary>Why the search ended; <c>recalled</c> if memory gave the answer.</summary>
    public required string Stop { get; init; }

    /// <summary>The scaling method's own cost.</summary>
    public required decimal Operations { get; init; }

    /// <summary>Generated tokens of all calls.</summary>
    public required long OutputTokens { get; init; }

    /// <summary>All tokens by the price sheet, those of learning from this question among them.</summary>
    public required decimal FullCost { get; init; }

    /// <summary>Tokens by purpose.</summary>
    public required IReadOnlyList<BillLine> Bill { get; init; }

    /// <summary>How many hints stood in the prompt.</summary>
    public required int Hints { get; init; }

    /// <summary>Records in the store after learning: episodes and documents.</summary>
    public required long Stored { get; init; }

    /// <summary>Why the item failed, or null.</summary>
    public string? Error { get; init; }

    /// <summary>Everything that depends on the clock.</summary>
    public required StreamTime Time { get; init; }
}

/// <summary>When, and how long, in milliseconds.</summary>
/// <param name="StartedAt">UTC.</param>
/// <param name="ElapsedMs">Until the search ended.</param>
/// <param name="ToAcceptedMs">Until the accepted answer was there; null if none was accepted.</param>
/// <param name="RecallMs">What of it recalling took.</param>
public sealed record StreamTime(DateTimeOffset StartedAt, double ElapsedMs, double? ToAcceptedMs, double RecallMs);
