using System.Text.Json;
using SpeedupLlm.Benchmark.Results;

namespace SpeedupLlm.Benchmark.Theory;

/// <summary><c>theory.json</c>: what the theorems of the paper (arXiv 2505.20643) predict, beside what was measured.</summary>
/// <param name="FormatVersion">The version of this form.</param>
/// <param name="Model">The model's name.</param>
/// <param name="ModelFingerprint">Its fingerprint.</param>
/// <param name="Data">The questions.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Groups">How many groups.</param>
/// <param name="Samples">N of Best-of-N.</param>
/// <param name="Draws">Held-out attempts a question, which nothing stops.</param>
/// <param name="Runs">Measured searches a question.</param>
/// <param name="Answers">The formula E[answers] = (1-(1-p)^N)/p, a row a similarity and memory.</param>
/// <param name="Premises">The premises of both theorems, a row a similarity, scaling method and memory.</param>
public sealed record TheoryReport(
    int FormatVersion, string Model, string ModelFingerprint, string Data, long Seed, int Groups, int Samples, int Draws, int Runs,
    IReadOnlyList<AnswersCheck> Answers, IReadOnlyList<PremiseCheck> Premises)
{
    /// <summary>The version of the form that this code writes.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The file's text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ResultsJson.Indented.TheoryReport) + "\n";
}

/// <summary>The formula for Best-of-N in one cell. Intervals are 95 %, over groups.</summary>
/// <param name="Similarity">The level.</param>
/// <param name="Memory">The memory.</param>
/// <param name="P">The mean chance that an attempt is accepted.</param>
/// <param name="Predicted">Mean expected answers by the formula, question by question, without bias from held-out draws.</param>
/// <param name="PredictedFromMean">The formula at the mean of p: wrong by Jensen where p varies.</param>
/// <param name="Measured">Mean answers drawn by the searches.</param>
/// <param name="Difference">Measured less predicted.</param>
/// <param name="Ci">Its interval, or null.</param>
/// <param name="Agrees">Whether the difference is not significant at 5 % over all cells (Bonferroni); null with one group.</param>
public sealed record AnswersCheck(
    string Similarity, string Memory, double P, double Predicted, double? PredictedFromMean, double Measured, double Difference, double[]? Ci, bool? Agrees);

/// <summary>The premises in one cell.</summary>
/// <param name="Similarity">The level.</param>
/// <param name="Scaling">The scaling method.</param>
/// <param name="Memory">The memory.</param>
/// <param name="Trials">Pairs of trials with and without memory.</param>
/// <param name="Accepted">Theorem 1: the chance of acceptance does not fall with experience. Here of the whole search.</param>
/// <param name="AcceptedEarly">Theorem 2: at no number of operations is acceptance so far less likely with memory (stochastic dominance). Here its worst place.</param>
/// <param name="Cost">What the theorems say then: expected operations do not rise.</param>
/// <param name="Verdict"><c>holds</c>: both premises are shown not to fail by more than the margin; <c>fails</c>: one is shown to fail; else <c>undecided</c>.</param>
public sealed record PremiseCheck(string Similarity, string Scaling, string Memory, int Trials, PremiseChange Accepted, PremiseChange AcceptedEarly, CostChange Cost, string Verdict);

/// <summary>A change of a chance, with memory less without.</summary>
/// <param name="Change">In [-1, 1]; negative is against the premise. Null if it cannot be had.</param>
/// <param name="Low">Lower simultaneous 95 % bound over all cells (and places).</param>
/// <param name="High">Upper one.</param>
/// <param name="At">The number of operations at which it is worst; null where there is no such place.</param>
public sealed record PremiseChange(double? Change, double? Low, double? High, double? At);
