using SpeedupLlm.Benchmark.Results;

namespace SpeedupLlm.Benchmark.Streaming;

/// <summary><c>stream.json</c>: what the trials of a stream add up to. Intervals are 95 %, over topics.</summary>
/// <param name="FormatVersion">The version of the format.</param>
/// <param name="Questions">Questions that all arms have answered so far.</param>
/// <param name="Topics">Topics among them.</param>
/// <param name="ChangedAt">The question before which every second topic changed its rule; null if none did.</param>
/// <param name="Kinds">Questions of each kind.</param>
/// <param name="Arms">The arms, none first.</param>
public sealed record StreamSummary(int FormatVersion, int Questions, int Topics, int? ChangedAt, IReadOnlyDictionary<string, int> Kinds, IReadOnlyList<StreamArm> Arms)
{
    /// <summary>The version of the format that this code writes.</summary>
    public const int CurrentFormat = 1;
}

/// <summary>An arm beside no memory on the same questions.</summary>
/// <param name="Memory">The arm.</param>
/// <param name="Failed">Failed questions.</param>
/// <param name="Accepted">Accepted ones.</param>
/// <param name="Operations">The scaling method's cost.</param>
/// <param name="OutputTokens">Generated tokens.</param>
/// <param name="FullCost">All tokens by the price sheet.</param>
/// <param name="Accuracy">The share of right answers.</param>
/// <param name="Given">Answers that came from memory without a search.</param>
/// <param name="GivenWrong">The share of them that is wrong (exact interval, answers taken as independent); null if none was given.</param>
/// <param name="Bill">Full cost a question by purpose.</param>
/// <param name="ByKind">The same by kind of question.</param>
/// <param name="Windows">The same over time.</param>
/// <param name="Practice">Mean full cost by how many questions about the topic came before, plus one; null if it cannot be fitted.</param>
/// <param name="Growth">Mean full cost by how many questions of any topic came before the rules changed, plus one; null if it cannot be fitted.</param>
public sealed record StreamArm(
    string Memory,
    int Failed,
    int Accepted,
    CostChange Operations,
    CostChange OutputTokens,
    CostChange FullCost,
    AccuracyChange Accuracy,
    int Given,
    StreamShare? GivenWrong,
    IReadOnlyList<PurposeCost> Bill,
    IReadOnlyList<StreamPart> ByKind,
    IReadOnlyList<StreamPart> Windows,
    PracticeFit? Practice,
    PracticeFit? Growth);

/// <summary>A part of an arm's questions.</summary>
/// <param name="Name">The kind, or the first question of a window.</param>
/// <param name="Questions">How many.</param>
/// <param name="FullCost">All tokens by the price sheet.</param>
/// <param name="Accuracy">The share of right answers.</param>
/// <param name="Stored">Records in the store at its end.</param>
/// <param name="Time">What depends on the clock.</param>
public sealed record StreamPart(string Name, int Questions, CostChange FullCost, AccuracyChange Accuracy, long Stored, LatencySummary Time);

/// <summary>Milliseconds: medians and 95th percentiles over questions; null where there are none.</summary>
public sealed record LatencySummary(double? ElapsedP50, double? ElapsedP95, double? ToAcceptedP50, double? ToAcceptedP95, double? RecallP50, double? RecallP95);

/// <summary>A share with its exact interval.</summary>
public sealed record StreamShare(double Value, double[] Ci);

/// <summary>Mean full cost a question of one purpose.</summary>
public sealed record PurposeCost(string Purpose, double FullCost);

/// <summary>cost = a·n^-b + c.</summary>
/// <param name="A">What practice takes away in the end; not above 0 if the cost does not fall.</param>
/// <param name="B">How fast.</param>
/// <param name="C">What stays.</param>
/// <param name="Points">What was fitted.</param>
public sealed record PracticeFit(FittedValue A, FittedValue B, FittedValue C, IReadOnlyList<FittedPoint> Points);

/// <summary>A value with its 95 % interval.</summary>
public sealed record FittedValue(double Value, double[] Ci);

/// <summary>The mean cost of <paramref name="Questions"/> questions at <paramref name="N"/> on average.</summary>
public sealed record FittedPoint(double N, double FullCost, int Questions);
