using System.Text.Json.Serialization;
using SpeedupLlm.Benchmark.Theory;

namespace SpeedupLlm.Benchmark.Results;

/// <summary><c>summary.json</c>: what the trials of a run add up to.</summary>
public sealed record Summary(int FormatVersion, IReadOnlyList<CellSummary> Cells, Overall Overall, IReadOnlyList<Finding> Findings)
{
    /// <summary>The version of the format that this code writes.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The unit of all full costs, where it is not the protocol's relative prices.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Prices { get; init; }

    /// <summary>The premises of the paper's theorems, a row a cell with memory; null in files of earlier versions.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<PremiseCheck>? Premises { get; init; }
}

/// <summary>A cell: all trials of one similarity, scaling method and memory, beside the same questions without memory.</summary>
/// <param name="Similarity">The level.</param>
/// <param name="Scaling">The scaling method.</param>
/// <param name="Memory">The memory.</param>
/// <param name="Trials">Trials that count: those with experience (level ≥ 1), or all where the data has no levels.</param>
/// <param name="Failed">Those of them that failed.</param>
/// <param name="Accepted">Those of them that the run's scorer accepted.</param>
/// <param name="Operations">The scaling method's own cost.</param>
/// <param name="OutputTokens">Generated tokens.</param>
/// <param name="FullCost">All tokens by the price sheet.</param>
/// <param name="PlainCall">The model asked once, without search, judge or memory.</param>
/// <param name="Accuracy">The share of right answers.</param>
/// <param name="Verdict"><c>harmless</c>, <c>harmful</c> or <c>undecided</c>, by the protocol's rule.</param>
public sealed record CellSummary(
    string Similarity,
    string Scaling,
    string Memory,
    int Trials,
    int Failed,
    int Accepted,
    CostChange Operations,
    CostChange OutputTokens,
    CostChange FullCost,
    PlainCall PlainCall,
    AccuracyChange Accuracy,
    string Verdict)
{
    /// <summary>The full bill; null in files of earlier versions.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public CellBill? Bill { get; init; }

    /// <summary>What depends on the clock; null in files of earlier versions.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public CellTime? Time { get; init; }
}

/// <summary>Mean cost a trial without and with memory.</summary>
/// <param name="Baseline">Without memory, the same questions.</param>
/// <param name="WithMemory">With memory.</param>
/// <param name="Reduction">1 − with / without, over all trials; negative is dearer.</param>
/// <param name="Ci">95 % interval of the reduction: low, high.</param>
public sealed record CostChange(double? Baseline, double? WithMemory, double? Reduction, double[]? Ci);

/// <summary>Share of right answers without and with memory, in [0, 1].</summary>
public sealed record AccuracyChange(double? Baseline, double? WithMemory, double? Change, double[]? Ci);

/// <summary>One plain call's mean full cost and share of right answers.</summary>
public sealed record PlainCall(double? FullCost, double? Accuracy);

/// <summary>The grid's cells with memory together.</summary>
/// <param name="Cells">How many of the paper's 80 cells were measured.</param>
/// <param name="Cheaper">Cells whose operations fell.</param>
/// <param name="SignificantlyCheaper">Those by Benjamini–Hochberg at 0.05.</param>
/// <param name="SignificantlyDearer">The opposite.</param>
/// <param name="MeanReduction">Mean reduction of operations.</param>
/// <param name="MaxReduction">The largest one.</param>
/// <param name="MeanFullCostReduction">Mean reduction of full cost.</param>
/// <param name="Pearson">Between the change of operations and the change of accuracy.</param>
public sealed record Overall(
    int Cells,
    int Cheaper,
    int SignificantlyCheaper,
    int SignificantlyDearer,
    double? MeanReduction,
    double? MaxReduction,
    double? MeanFullCostReduction,
    Pearson Pearson);

/// <summary>A correlation over <paramref name="N"/> cells; negative: cheaper goes with more accurate.</summary>
public sealed record Pearson(double? R, double? P, int N);

/// <summary>One of the paper's eight findings beside ours.</summary>
/// <param name="Id">1 to 8.</param>
/// <param name="Claim">What the paper found.</param>
/// <param name="Paper">Its figure.</param>
/// <param name="Ours">Ours of the first part, or null if it was not measured.</param>
/// <param name="Ci">95 % interval of the figure that decides the first part, or null.</param>
/// <param name="Verdict"><c>agrees</c> if all parts do, <c>differs</c> if one does, else <c>undecided</c>.</param>
public sealed record Finding(int Id, string Claim, string Paper, string? Ours, double[]? Ci, string Verdict)
{
    /// <summary>What the claim consists of, each tested by itself; null in files of earlier versions.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<FindingPart>? Parts { get; init; }
}

/// <summary>A part of a finding.</summary>
/// <param name="Claim">What it says.</param>
/// <param name="Paper">The paper's figure, or in words what it says.</param>
/// <param name="Ours">Ours in words, or null if it was not measured.</param>
/// <param name="Value">The figure that decides, or null.</param>
/// <param name="Ci">Its 95 % interval: low, high; or null.</param>
/// <param name="Verdict"><c>agrees</c>, <c>differs</c> or <c>undecided</c>.</param>
public sealed record FindingPart(string Claim, string Paper, string? Ours, double? Value, double[]? Ci, string Verdict);
