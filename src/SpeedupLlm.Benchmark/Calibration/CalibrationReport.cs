using System.Globalization;
using System.Text;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Benchmark.Calibration;

/// <summary>What the thresholds of relevancy and reuse rest on: <c>calibration.json</c>, and the same as text.</summary>
/// <param name="FormatVersion">The version of this form.</param>
/// <param name="Relevancy">How well levels are told apart.</param>
/// <param name="Reuse">What rules for reusing answers do; empty for data without variations that keep their seed's answer.</param>
public sealed record CalibrationReport(int FormatVersion, RelevancyReport Relevancy, IReadOnlyList<ReuseResult> Reuse)
{
    /// <summary>The file's text.</summary>
    public string ToJson() => System.Text.Json.JsonSerializer.Serialize(this, ResultsJson.Indented.CalibrationReport) + "\n";

    /// <summary>The same as one self-contained page.</summary>
    public string ToHtml() => Reporting.RelevancySection.Page(this);

    /// <summary>Tables for a terminal.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        var levels = Enum.GetValues<SimilarityLevel>();
        text.AppendLine(CultureInfo.InvariantCulture, $"Relevancy on {Relevancy.Data}: pairs by label, and the level that was estimated");
        text.AppendLine(CultureInfo.InvariantCulture, $"{"label",-38}{"pairs",6}{string.Concat(levels.Select(l => $"{l,11}"))}{"confidence",12}");
        foreach (var row in Relevancy.Confusion)
            text.AppendLine(CultureInfo.InvariantCulture, $"{row.Label,-38}{row.Pairs,6}{string.Concat(levels.Select(l => $"{row.Estimated[l.ToString()],11}"))}{row.Confidence,12:0.00}");
        if (Relevancy.BalancedAccuracy is { } balanced)
            text.AppendLine(CultureInfo.InvariantCulture, $"S2 against S3: balanced accuracy {balanced:0.000} (S2 {Show(Relevancy.RewordingsFound)}, S3 {Show(Relevancy.SubstitutionsFound)})");
        if (Relevancy.RelatedAuc is { } auc)
            text.AppendLine(CultureInfo.InvariantCulture, $"related against the most similar unrelated: AUC {auc:0.0000}");
        text.AppendLine(CultureInfo.InvariantCulture, $"neither S1 nor S2, and taken for it: {Show(Relevancy.NearDuplicates)}");
        if (Reuse.Count == 0)
            return text.ToString();
        text.AppendLine().AppendLine("Answers given from memory, all variations in random orders");
        text.AppendLine(CultureInfo.InvariantCulture, $"{"rule",-44}{"wrong of given",-34}{"rewordings answered",-30}");
        foreach (var rule in Reuse)
            text.AppendLine(CultureInfo.InvariantCulture, $"{rule.Rule,-44}{Show(rule.Wrong),-34}{Show(rule.Served),-30}");
        return text.ToString();
    }

    private static string Show(ExactShare? share) => share is null ? "none given"
        : string.Create(CultureInfo.InvariantCulture, $"{share.Value:0.000} [{share.Low:0.000}, {share.High:0.000}] of {share.N}");
}
