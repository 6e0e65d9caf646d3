using SpeedupLlm.Benchmark.Calibration;
using SpeedupLlm.Relevancy;
using static System.FormattableString;

namespace SpeedupLlm.Benchmark.Reporting;

/// <summary>How well questions are told apart: in the report of a run, and a page of its own for <c>calibrate</c>.</summary>
internal static class RelevancySection
{
    public static string Page(CalibrationReport report)
    {
        var page = new HtmlPage("What reuse rests on");
        page.Paragraph($"No model was asked: {report.Relevancy.Data}.", "soft");
        Write(page, report.Relevancy);
        if (report.Reuse.Count == 0)
            return page.ToString();
        page.Heading("Answers given from memory");
        page.Paragraph("All variations in random orders, each beside what was remembered by then. Brackets are exact 95 % intervals (Clopper–Pearson) that take answers as independent.", "soft");
        page.Table(
            ["rule", new("wrong of those given", true), new("rewordings answered", true)],
            report.Reuse.Select(r => (IReadOnlyList<Field>)[r.Rule, Share(r.Wrong), Share(r.Served)]));
        return page.ToString();
    }

    public static void Write(HtmlPage page, RelevancyReport report)
    {
        page.Heading("Telling questions apart");
        page.Paragraph("Pairs of questions whose relation is known, and the level that was estimated from the texts alone. Every unrelated pair is a question beside the most similar one about something else.", "soft");
        var levels = Enum.GetValues<SimilarityLevel>();
        page.Table(
            ["relation", new("pairs", true), .. levels.Select(l => new Column(l.ToString(), true)), new("mean confidence", true)],
            report.Confusion.Select(r => (IReadOnlyList<Field>)
            [
                r.Label, new(Invariant($"{r.Pairs}"), r.Pairs), .. levels.Select(l => r.Estimated[l.ToString()]).Select(n => new Field(n == 0 ? "·" : Invariant($"{n}"), n)), new(Format.Number(r.Confidence), r.Confidence),
            ]));
        var facts = new List<string>();
        if (report.BalancedAccuracy is { } balanced)
            facts.Add(Invariant($"S2 against S3: balanced accuracy {balanced:0.000} (S2 {Share(report.RewordingsFound).Text}, S3 {Share(report.SubstitutionsFound).Text})."));
        if (report.RelatedAuc is { } auc)
            facts.Add(Invariant($"Related against unrelated: AUC {auc:0.0000}."));
        facts.Add($"Neither the same question nor a rewording, and taken for one: {Share(report.NearDuplicates).Text}.");
        page.Paragraph(string.Join(' ', facts));
    }

    private static Field Share(ExactShare? share) => share is null ? new("none") : new(Invariant($"{100 * share.Value:0.0} % [{100 * share.Low:0.0}, {100 * share.High:0.0}] of {share.N}"), share.Value);
}
