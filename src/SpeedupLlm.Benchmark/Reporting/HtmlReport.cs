using System.Globalization;
using System.Net;
using System.Text;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Benchmark.Statistics;
using static System.FormattableString;

namespace SpeedupLlm.Benchmark.Reporting;

/// <summary><c>report.html</c>: one file with style and pictures inside, that asks nothing of the network and holds nothing of the clock.</summary>
internal static class HtmlReport
{
    public static string Render(Manifest manifest, Analysis analysis)
    {
        var page = new StringBuilder();
        page.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
            .Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>What experience saves – SpeedupLLM</title>\n<style>\n")
            .Append(Resources.Read("report.css")).Append("</style>\n</head>\n<body>\n<main>\n");
        Headline(page, manifest, analysis);
        if (analysis.PaperCells.Any())
        {
            Grid(page, analysis);
            Curves(page, analysis);
            Findings(page, analysis.Summary);
        }

        Cells(page, analysis);
        Provenance(page, manifest);
        return page.Append("</main>\n</body>\n</html>\n").ToString();
    }

    private static void Headline(StringBuilder page, Manifest manifest, Analysis analysis)
    {
        var parameters = manifest.Parameters;
        page.Append("<h1>What experience saves</h1>\n");
        Paragraph(page, string.Create(CultureInfo.InvariantCulture, $"{parameters.Model}{(parameters.ModelName is { } name ? " " + name : "")}, checkpoint {parameters.Checkpoint}, on {parameters.Data}: "
            + $"{Count(analysis.Groups.Count, "group")}, {Count(parameters.Rounds, "level")} of experience after the first question, feedback {parameters.Feedback.ToString().ToLowerInvariant()}, seed {parameters.Seed}."), "soft");
        foreach (var caveat in Notices(manifest, analysis))
            Paragraph(page, caveat, "notice");
        var overall = analysis.Overall;
        if (overall.Cells == 0)
            return;
        page.Append("<div class=\"tiles\">\n");
        Tile(page, Invariant($"{overall.Cheaper}/{overall.Cells}"),
            Invariant($"cells with memory cost fewer operations ({overall.SignificantlyCheaper} significantly; {overall.SignificantlyDearer} significantly more)"));
        Tile(page, Format.Percent(overall.MeanReduction), $"operations saved on average; at most {Format.Percent(overall.MaxReduction)}");
        Tile(page, Format.Percent(MeanAt(analysis, static s => s == "S1")), $"saved when the same question returns (S1); {Format.Percent(MeanAt(analysis, static s => s != "S1"))} at S2–S4");
        Tile(page, Format.Percent(overall.MeanFullCostReduction), "of the full cost saved on average: every token of solving, judging, recalling, learning and training");
        page.Append("</div>\n");
    }

    private static IEnumerable<string> Notices(Manifest manifest, Analysis analysis)
    {
        if (manifest.Status != "complete")
            yield return Invariant($"This run is not complete: {manifest.FinishedTrials} of {manifest.PlannedTrials} trials.");
        if (manifest.Indicative)
            yield return "A quick run: its figures are indicative. The intervals say how little they pin down.";
        foreach (var caveat in manifest.Caveats)
            yield return caveat;
        var failed = analysis.Cells.Sum(c => c.Summary.Failed);
        if (failed > 0)
            yield return $"{Count(failed, "trial")} failed. They count as wrong, with what they had cost.";
    }

    private static void Grid(StringBuilder page, Analysis analysis)
    {
        page.Append("<h2>The grid</h2>\n");
        Paragraph(page, "Operations saved beside the same questions without memory: samples drawn (Best-of-N), nodes expanded (Tree-of-Thoughts), answers written (Self-Refine), tokens thought (Long CoT). "
            + "Bold is significant (Benjamini–Hochberg, 5 %); a dark frame is shown harm.", "soft");
        var columns = analysis.Cells.Select(c => c.Summary.Memory).Distinct().OrderBy(GridOrder.Memory).ToList();
        var byKey = analysis.Cells.ToDictionary(c => c.Paired.Key);
        var blocks = analysis.Cells.Select(c => c.Summary.Similarity).Distinct().Select(similarity => new HeatBlock(similarity,
        [
            .. analysis.Cells.Where(c => c.Summary.Similarity == similarity).Select(c => c.Summary.Scaling).Distinct().Select(scaling =>
                (scaling, (IReadOnlyList<HeatCell>)[.. columns.Select(memory => Heat(byKey.GetValueOrDefault(new(similarity, scaling, memory))))])),
        ])).ToList();
        Figure(page, Heatmap.Render(columns, blocks, "Operations saved by similarity, scaling method and memory"));
    }

    private static HeatCell Heat(AnalysedCell? cell)
    {
        if (cell is null)
            return new(null, "not measured", false, false);
        var s = cell.Summary;
        var title = s.Memory == CellKey.NoMemory
            ? $"{s.Similarity}, {s.Scaling}, no memory: {Format.Number(s.Operations.Baseline)} operations, {Format.Percent(s.Accuracy.Baseline)} right, {Format.Percent(Share(s))} accepted"
            : $"{s.Similarity}, {s.Scaling}, {s.Memory}: {Format.Number(s.Operations.Baseline)} → {Format.Number(s.Operations.WithMemory)} operations, "
                + $"saved {Format.WithInterval(s.Operations.Reduction, s.Operations.Ci)}; right {Format.Percent(s.Accuracy.Baseline)} → {Format.Percent(s.Accuracy.WithMemory)}; {s.Verdict}";
        return new(s.Operations.Reduction, title, cell.CheaperOrDearer != 0, s.Verdict == HarmOutcome.Harmful);
    }

    private static void Curves(StringBuilder page, Analysis analysis)
    {
        page.Append("<h2>Over experience</h2>\n");
        Paragraph(page, "Operations with memory as a share of those without, by how many questions of the same firm came before; the mean over scaling methods. At 0 nothing has been learnt.", "soft");
        var memories = Trends.Memories(analysis);
        var panels = new List<(string, IReadOnlyList<Series>)>();
        var highest = 110.0;
        foreach (var similarity in analysis.PaperCells.Select(c => c.Summary.Similarity).Distinct())
        {
            var lines = new List<Series>();
            foreach (var (index, memory) in memories.Index())
            {
                var points = new List<(double, double)> { (0, 100) };
                for (var level = 1; level <= analysis.Rounds; level++)
                {
                    if (Trends.At(analysis, [memory], similarity, level) is { } saved)
                        points.Add((level, 100 * (1 - saved.Value)));
                }

                highest = Math.Max(highest, Math.Min(400, points.Max(p => p.Item2) + 10));
                lines.Add(new(memory, index + 1, points));
            }

            panels.Add((similarity, lines));
        }

        Figure(page, LineChart.Render(panels, highest, "questions before", "Operations relative to no memory over experience, by memory and similarity"));
        page.Append("<div class=\"scroll\"><table>\n<tr><th>memory</th><th class=\"n\">mean saving</th><th class=\"n\">change a level (95 % interval)</th><th class=\"n\">p</th></tr>\n");
        foreach (var memory in memories)
        {
            var slope = Trends.Slope(analysis, [memory], from: 1);
            var mean = GroupEstimate.Mean([.. analysis.PaperCells.Where(c => c.Summary.Memory == memory).Select(c => Analysis.Reduction(c.Paired)).OfType<GroupEstimate>()]);
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{memory}</td><td class=\"n\">{Format.WithInterval(mean?.Value, mean?.Confidence()?.ToArray())}</td>")
                .Append(CultureInfo.InvariantCulture, $"<td class=\"n\">{Format.WithInterval(slope?.Value, slope?.Confidence()?.ToArray())}</td><td class=\"n\">{Format.P(slope?.PValue(0))}</td></tr>\n");
        }

        page.Append("</table></div>\n");
        if (analysis.Correlation is not { } found)
            return;
        var text = Invariant($"Between the change of operations and the change of accuracy over {found.Cells} cells: r = {Format.Number(found.R)} (p {Format.P(found.P)}; negative means that cheaper goes with more accurate)");
        if (analysis.CorrelationWithinSolved is { } solved)
            text += $"; within questions that both arms solved, where a failure cannot cost the cap: r = {Format.Number(solved.R)} (p {Format.P(solved.P)})";
        Paragraph(page, text + ".");
    }

    private static void Findings(StringBuilder page, Summary summary)
    {
        page.Append("<h2>The paper’s eight findings</h2>\n<div class=\"scroll\"><table>\n<tr><th></th><th>claim</th><th>paper</th><th>here</th><th>95 % interval</th><th>verdict</th></tr>\n");
        foreach (var f in summary.Findings)
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><td class=\"n\">{f.Id}</td><td>{Encode(f.Claim)}</td><td>{Encode(f.Paper)}</td><td>{Encode(f.Ours ?? "not measured")}</td>")
                .Append(CultureInfo.InvariantCulture, $"<td>{(f.Ci is { } ci ? $"{Format.Number(ci[0])} to {Format.Number(ci[1])}" : "–")}</td><td class=\"{f.Verdict}\">{f.Verdict}</td></tr>\n");
        }

        page.Append("</table></div>\n");
    }

    private static void Cells(StringBuilder page, Analysis analysis)
    {
        page.Append("<h2>Every cell</h2>\n");
        Paragraph(page, "Costs are means a question; brackets are 95 % intervals (linearised ratio, t over groups). Full cost counts every token of every purpose. One plain call is the model asked once, without search, judge or memory.", "soft");
        page.Append("<details").Append(analysis.Cells.Count <= 24 ? " open" : "").Append("><summary>").Append(Count(analysis.Cells.Count, "cell")).Append("</summary>\n<div class=\"scroll\"><table>\n<tr><th>similarity</th><th>scaling</th><th>memory</th>")
            .Append("<th class=\"n\">trials</th><th class=\"n\">accepted</th><th class=\"n\">operations</th><th class=\"n\">saved</th><th class=\"n\">full cost</th><th class=\"n\">saved</th><th class=\"n\">one plain call</th><th class=\"n\">right</th><th class=\"n\">change</th><th>verdict</th></tr>\n");
        foreach (var cell in analysis.Cells)
        {
            var s = cell.Summary;
            var verdict = s.Verdict + (cell.GroupsNeeded is { } needed ? Invariant($" (about {needed} groups needed)") : "");
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{s.Similarity}</td><td>{s.Scaling}</td><td>{s.Memory}</td><td class=\"n\">{s.Trials}{(s.Failed > 0 ? Invariant($" ({s.Failed} failed)") : "")}</td>")
                .Append(CultureInfo.InvariantCulture, $"<td class=\"n\">{Format.Percent(Share(s))}</td><td class=\"n\">{Format.Number(s.Operations.WithMemory)}</td><td class=\"n\">{Format.WithInterval(s.Operations.Reduction, s.Operations.Ci)}</td>")
                .Append(CultureInfo.InvariantCulture, $"<td class=\"n\">{Format.Number(s.FullCost.WithMemory)}</td><td class=\"n\">{Format.WithInterval(s.FullCost.Reduction, s.FullCost.Ci)}</td>")
                .Append(CultureInfo.InvariantCulture, $"<td class=\"n\">{Format.Number(s.PlainCall.FullCost)}, {Format.Percent(s.PlainCall.Accuracy)} right</td>")
                .Append(CultureInfo.InvariantCulture, $"<td class=\"n\">{Format.Percent(s.Accuracy.WithMemory)}</td><td class=\"n\">{Format.Points(s.Accuracy.Change, s.Accuracy.Ci)}</td><td class=\"{s.Verdict}\">{verdict}</td></tr>\n");
        }

        page.Append("</table></div></details>\n");
    }

    private static void Provenance(StringBuilder page, Manifest manifest)
    {
        var p = manifest.Parameters;
        page.Append("<h2>How it was made</h2>\n");
        Paragraph(page, string.Create(CultureInfo.InvariantCulture, $"SpeedupLLM {manifest.Version}; scaling {string.Join(", ", p.Scaling)}; scorer {p.Scorer}, τ = {Format.Number(p.Tau)}, N = {p.Samples}. Prices of uncached input, cached input, output and trained tokens: "
            + $"{manifest.Prices.Input} : {manifest.Prices.CachedInput} : {manifest.Prices.Output} : {manifest.Prices.Trained}."));
        page.Append("<p class=\"soft\">model <code>").Append(Encode(manifest.ModelFingerprint)).Append("</code>, prompts <code>").Append(Encode(manifest.PromptFingerprint))
            .Append("</code>, data <code>").Append(Encode(manifest.DataFingerprint)).Append("</code>, protocol <code>").Append(Encode(manifest.ProtocolSha256[..Math.Min(12, manifest.ProtocolSha256.Length)])).Append("</code></p>\n");
        if (p.Model is "embedded" or "novice")
            Paragraph(page, "The embedded reasoner is a small model trained for this world: it shows that the mechanism works and is counted honestly, and says nothing about how large models behave.", "soft");
    }

    private static double? MeanAt(Analysis analysis, Func<string, bool> similarity) =>
        analysis.PaperCells.Where(c => similarity(c.Summary.Similarity)).Average(c => c.Summary.Operations.Reduction);

    private static double? Share(CellSummary s) => s.Trials > 0 ? (double)s.Accepted / s.Trials : null;

    private static string Count(int n, string what) => Invariant($"{n} {what}{(n == 1 ? "" : "s")}");

    private static void Tile(StringBuilder page, string figure, string meaning) =>
        page.Append("<div class=\"tile\"><b>").Append(Encode(figure)).Append("</b><span>").Append(Encode(meaning)).Append("</span></div>\n");

    private static void Figure(StringBuilder page, string svg) => page.Append("<figure>\n").Append(svg).Append("</figure>\n");

    private static void Paragraph(StringBuilder page, string text, string? style = null) =>
        page.Append(style is null ? "<p>" : $"<p class=\"{style}\">").Append(Encode(text)).Append("</p>\n");

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
