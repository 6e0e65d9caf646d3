using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Cli.Terminal;

/// <summary>What <c>ask --json</c> writes: the answer, how it was reached, what memory gave, and the whole bill.</summary>
internal sealed record AnswerAccount
{
    public int FormatVersion { get; init; } = 1;

    public required string Question { get; init; }

    public string? Answer { get; init; }

    public string? Text { get; init; }

    public required bool Accepted { get; init; }

    public required string Scaling { get; init; }

    public required string Memory { get; init; }

    public required string Stop { get; init; }

    public required IReadOnlyList<AttemptAccount> Attempts { get; init; }

    public required MemoryAccount Recalled { get; init; }

    public required IReadOnlyList<PurposeAccount> Bill { get; init; }

    public required decimal Operations { get; init; }

    /// <summary>In uncached input tokens.</summary>
    public required decimal FullCost { get; init; }

    /// <summary>What asking once, without search, judge or memory, would cost; estimated from the first attempt's call. Null if no attempt was drawn.</summary>
    public decimal? PlainCallEstimate { get; init; }

    public required double ElapsedMs { get; init; }

    /// <summary>The episode that was stored, or null if nothing was.</summary>
    public string? Episode { get; init; }

    /// <summary>Whether the episode may be used for later questions.</summary>
    public required bool Learnt { get; init; }

    /// <summary>Why memory could not be used or kept, or null.</summary>
    public string? Degraded { get; init; }

    private static AnswerJsonContext Json { get; } =
        new(new JsonSerializerOptions(AnswerJsonContext.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>One line; text in any script stays readable.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json.AnswerAccount);

    public static AnswerAccount Of(Solution solution, Learnt? learnt, ExperimentSettings settings)
    {
        var whole = solution.Bill.Plus(learnt?.Bill ?? Compute.Bill.Empty);
        var first = solution.Bill.Charges.FirstOrDefault(c => c.Purpose == CallPurpose.Solve);
        var kept = settings.Memory[0] != NoMemory.CatalogueName;
        return new()
        {
            Question = solution.Question.Text,
            Answer = solution.Best?.Final,
            Text = solution.Best?.Text,
            Accepted = solution.Accepted,
            Scaling = settings.Scaling[0],
            Memory = settings.Memory[0],
            Stop = solution.Stop.ToString().ToLowerInvariant(),
            Attempts = [.. solution.Attempts.Select(a => new AttemptAccount(a.Index, a.Final, a.Score.Value, a.Score.Reason, a.Error))],
            Recalled = new(
                solution.Used.Relevance.Level.ToString(), solution.Used.Relevance.Similarity,
                [.. solution.Used.Hints.Select(h => new HintAccount(h.Kind.ToString().ToLowerInvariant(), h.Text, h.Source))],
                solution.Used.Weights?.Id, solution.Used.Answer?.Source, solution.Used.Choice?.Plan),
            Bill = [.. whole.ByPurpose().Select(p => new PurposeAccount(
                p.Purpose.ToString().ToLowerInvariant(), p.Calls, p.Sum.Input, p.Sum.CachedInput, p.Sum.Output, p.Sum.Reasoning, p.Sum.Trained, p.Sum.Estimated))],
            Operations = solution.Bill.Operations,
            FullCost = PriceSheet.Relative.Cost(whole),
            PlainCallEstimate = first is null ? null : PriceSheet.Relative.Cost(first with { CachedInput = 0 }),
            ElapsedMs = solution.ToAccepted.TotalMilliseconds,
            Episode = kept ? learnt?.Episode : null,
            Learnt = kept && learnt?.Usable == true && learnt.Degraded is null,
            Degraded = solution.Degraded ?? (kept ? learnt?.Degraded : null),
        };
    }
}

internal sealed record AttemptAccount(int Index, string? Answer, double? Score, string? Reason, string? Error);

internal sealed record HintAccount(string Kind, string Text, string Source);

internal sealed record MemoryAccount(string Level, double Similarity, IReadOnlyList<HintAccount> Hints, string? Adapter, string? StoredAnswer, string? Choice);

internal sealed record PurposeAccount(string Purpose, int Calls, long Input, long CachedInput, long Output, long Reasoning, long Trained, bool Estimated);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AnswerAccount))]
internal sealed partial class AnswerJsonContext : JsonSerializerContext
{
}
