using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Benchmark.Sensitivity;
using SpeedupLlm.Benchmark.Statistics;
using SpeedupLlm.Charts;
using static System.FormattableString;

namespace SpeedupLlm.Benchmark.Reporting;

/// <summary>The <c>report.html</c> of a sensitivity study: a picture and a table a sweep.</summary>
internal static class SensitivityPage
{
    /// <param name="report">The study.</param>
    /// <param name="example">The manifest of one of its runs: model, prompts, data and protocol are those of all.</param>
    public static string Render(SensitivityReport report, Manifest example)
    {
        var page = new HtmlPage("What the settings change");
        var p = report.Parameters;
        page.Paragraph(Invariant($"{p.Model}{(p.ModelName is { } name ? " " + name : "")}, checkpoint {p.Checkpoint}, on {p.Data}: one factor at a time around the protocol, ")
            + Invariant($"{Provenance.Count(p.Groups ?? 0, "group")}, {Provenance.Count(p.Rounds, "level")} of experience where nothing else is said, seed {p.Seed}. Brackets and bands are 95 % intervals over groups."), "soft");
        if (report.Status != "complete")
            page.Paragraph("This study is not complete: values without a finished run are missing.", "notice");
        if (p.Quick)
            page.Paragraph("A quick study: its figures are indicative. The intervals say how little they pin down.", "notice");
        foreach (var sweep in report.Sweeps)
            Section(page, sweep);
        Provenance.Write(page, example);
        return page.ToString();
    }

    private static void Section(HtmlPage page, SweepResult sweep)
    {
        var cells = sweep.Points.SelectMany(point => point.Cells).ToList();
        page.Heading(sweep.Name);
        page.Paragraph(Invariant($"{sweep.What}; the protocol: {sweep.Protocol}. n = {Range(cells.Select(c => c.Groups))} groups in every cell, {Range(cells.Select(c => c.Trials))} trials; each value has its own baseline without memory."), "soft");
        // the same but for its figure at every value
        foreach (var caveat in sweep.Points.SelectMany(point => point.Caveats).Distinct())
            page.Paragraph(caveat, "notice");
        if (cells.Sum(c => c.Failed) is > 0 and var failed)
            page.Paragraph($"{Provenance.Count(failed, "trial")} failed. They count as wrong, with what they had cost.", "notice");
        if (sweep.Points.Count > 1 && sweep.Points.All(point => point.X is not null))
            page.Figure(LineChart.Render([.. Panels(sweep)], $"Operations, full cost and right answers by {sweep.Axis}", columns: 3));
        if (sweep.Finding is { } finding)
        {
            page.Paragraph($"Finding 7 of the paper, {finding.Claim}: {finding.Verdict}. Intervals are in points of the saving. "
                + string.Join(' ', (finding.Parts ?? []).Select(p => $"{p.Claim}: {p.Ours ?? "not measured"}{(p.Ci is { } ci ? Invariant($" [{100 * ci[0]:0.0}, {100 * ci[1]:0.0}]") : "")}, {p.Verdict}.")));
        }

        page.Table(
            [
                new(sweep.Axis, true), "similarity", "scaling", "memory", new("groups", true), new("operations", true), new("saved", true), new("full cost", true), new("saved", true),
                new("right", true), new("change, points", true), new("accepted", true),
            ],
            sweep.Points.SelectMany(point => point.Cells.Select(c => (IReadOnlyList<Field>)
            [
                new(point.Label, point.X), c.Similarity, c.Scaling, c.Memory, Invariant($"{c.Groups}"), Number(c.Operations), Share(c.OperationsSaved), Number(c.FullCost), Share(c.FullCostSaved),
                Share(c.Accuracy), new(Format.Points(c.AccuracyGained?.Value, c.AccuracyGained?.Ci), c.AccuracyGained?.Value), Share(c.Accepted),
            ])), folded: $"All figures of {sweep.Name}");
    }

    private static IEnumerable<ChartPanel> Panels(SweepResult sweep)
    {
        var cells = sweep.Points.SelectMany(point => point.Cells).ToList();
        foreach (var (similarity, scaling) in cells.Select(c => (c.Similarity, c.Scaling)).Distinct().OrderBy(k => k.Similarity, StringComparer.Ordinal))
        {
            foreach (var (title, unit, factor, of) in new (string, string, double, Func<SweepCell, MeasuredMean>)[]
            {
                ("operations", "", 1, c => c.Operations), ("full cost", "", 1, c => c.FullCost), ("right answers", " %", 100, c => c.Accuracy),
            })
            {
                var lines = cells.Select(c => c.Memory).Distinct().OrderBy(GridOrder.Memory)
                    .Select(memory => Line(sweep, memory, c => c.Similarity == similarity && c.Scaling == scaling && c.Memory == memory, of, factor)).ToList();
                var highest = factor > 1 ? 100 : 1.05 * Math.Max(1, lines.SelectMany(l => l.Points.Select(p => p.Y).Concat(l.Band.Select(b => b.High))).DefaultIfEmpty(1).Max());
                yield return new($"{similarity}: {title}", lines, highest, sweep.Axis, unit, Reference: null);
            }
        }
    }

    private static Series Line(SweepResult sweep, string memory, Func<SweepCell, bool> which, Func<SweepCell, MeasuredMean> of, double factor)
    {
        var shown = sweep.Points.Select(point => (X: point.X!.Value, Mean: point.Cells.Where(which).Select(of).FirstOrDefault())).Where(p => p.Mean?.Value is not null).ToList();
        return new(memory, GridOrder.Memory(memory).Item1 + 2, [.. shown.Select(p => (p.X, factor * p.Mean!.Value!.Value))])
        {
            Band = [.. shown.Where(p => p.Mean!.Ci is not null).Select(p => (p.X, factor * p.Mean!.Ci![0], factor * p.Mean.Ci[1]))],
        };
    }

    private static Field Number(MeasuredMean mean) =>
        new(Format.Number(mean.Value) + (mean.Ci is [var low, var high] ? $" [{Format.Number(low)}, {Format.Number(high)}]" : ""), mean.Value);

    private static Field Share(MeasuredMean? mean) => new(Format.WithInterval(mean?.Value, mean?.Ci), mean?.Value);

    private static string Range(IEnumerable<int> counts)
    {
        var all = counts.Distinct().Order().ToList();
        return all.Count == 1 ? Invariant($"{all[0]}") : Invariant($"{all[0]} to {all[^1]}");
    }
}
