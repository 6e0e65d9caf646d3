using System.Text.Json.Serialization;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Results;

namespace SpeedupLlm.Benchmark.Sensitivity;

/// <summary><c>sensitivity.json</c>: what changes with each factor, one at a time.</summary>
/// <param name="FormatVersion">The version of the format.</param>
/// <param name="Status"><c>complete</c>, or <c>interrupted</c>: then values without a finished run are missing.</param>
/// <param name="Parameters">What all runs have in common; each run's own parameters stand in its manifest.</param>
/// <param name="Asked">The sweeps that were asked for.</param>
/// <param name="Sweeps">The sweeps.</param>
public sealed record SensitivityReport(int FormatVersion, string Status, ExperimentSettings Parameters, IReadOnlyList<string> Asked, IReadOnlyList<SweepResult> Sweeps)
{
    /// <summary>The version of the format that this code writes.</summary>
    public const int CurrentFormat = 1;
}

/// <summary>One factor.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="What">What is varied.</param>
/// <param name="Axis">What the values count.</param>
/// <param name="Protocol">The protocol's value.</param>
/// <param name="Points">What was measured, in the order of the values.</param>
public sealed record SweepResult(string Name, string What, string Axis, string Protocol, IReadOnlyList<SweepPoint> Points)
{
    /// <summary>Finding 7 of the paper (text memories saturate at about three cases), where the sweep can say something of it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Finding? Finding { get; init; }
}

/// <summary>One value of the factor.</summary>
/// <param name="Label">The value.</param>
/// <param name="X">Where it stands on the axis; null for values that are no numbers.</param>
/// <param name="Part">The folder of the run under <c>parts/</c>.</param>
/// <param name="Caveats">What must be said beside its figures.</param>
/// <param name="Cells">The cells.</param>
public sealed record SweepPoint(string Label, double? X, string Part, IReadOnlyList<string> Caveats, IReadOnlyList<SweepCell> Cells);

/// <summary>A cell at one value. All intervals are 95 %, over groups.</summary>
/// <param name="Similarity">The level.</param>
/// <param name="Scaling">The scaling method.</param>
/// <param name="Memory">The memory.</param>
/// <param name="Groups">Groups: the n of all intervals.</param>
/// <param name="Trials">Trials that count.</param>
/// <param name="Failed">Those of them that failed.</param>
/// <param name="Operations">The scaling method's own cost a question.</param>
/// <param name="FullCost">All tokens of a question by the price sheet.</param>
/// <param name="Accuracy">The share of right answers.</param>
/// <param name="Accepted">The share of answers that the scorer accepted.</param>
/// <param name="OperationsSaved">Beside the same questions without memory at the same value; null for the baseline.</param>
/// <param name="FullCostSaved">The same of the full cost.</param>
/// <param name="AccuracyGained">The same of the share of right answers.</param>
public sealed record SweepCell(
    string Similarity,
    string Scaling,
    string Memory,
    int Groups,
    int Trials,
    int Failed,
    MeasuredMean Operations,
    MeasuredMean FullCost,
    MeasuredMean Accuracy,
    MeasuredMean Accepted,
    MeasuredMean? OperationsSaved,
    MeasuredMean? FullCostSaved,
    MeasuredMean? AccuracyGained);

/// <summary>A figure and its interval.</summary>
/// <param name="Value">The figure, or null if it cannot be had.</param>
/// <param name="Ci">Low and high, or null with fewer than two groups.</param>
public sealed record MeasuredMean(double? Value, double[]? Ci);
