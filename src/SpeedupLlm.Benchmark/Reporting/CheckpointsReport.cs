using SpeedupLlm.Benchmark.Statistics;
using static System.FormattableString;

namespace SpeedupLlm.Benchmark.Reporting;

/// <summary>Several checkpoints side by side, as one self-contained page.</summary>
internal static class CheckpointsReport
{
    public static string Render(OverCheckpoints study)
    {
        var page = new HtmlPage("What holds beyond one training");
        page.Paragraph($"The same study with {Provenance.Count(study.Runs.Count, "checkpoint")}: {string.Join("; ", study.Runs)}. Brackets are 95 % intervals of the mean over checkpoints (t with K − 1 degrees of freedom, n = {study.Runs.Count}); "
            + "those over groups stand in each run’s own report.", "soft");
        page.Heading("Headline");
        page.Table(
            ["", .. study.Runs.Select(r => new Column(r, true)), new("mean", true)],
            study.Figures.Select(f => (IReadOnlyList<Field>)[f.Name, .. f.Values.Select(v => Show(f, v)), new(Mean(f), f.Mean)]));
        page.Heading("The paper’s findings, part by part");
        page.Paragraph("The figure that decides each part (a difference of savings, a slope, a correlation, a count), its verdict in each run, and the mean over checkpoints.", "soft");
        page.Table(
            ["", "claim", "paper", .. study.Runs.Select(r => new Column(r)), new("mean", true)],
            study.Findings.Select(f => (IReadOnlyList<Field>)
            [
                f.Id, f.Claim, f.Paper, .. f.Figure.Values.Zip(f.Verdicts, (value, verdict) => new Field($"{Format.Number(value)}: {verdict}", value, verdict)),
                new(Format.Number(f.Figure.Mean) + (f.Figure.Ci is [var low, var high] ? $" [{Format.Number(low)}, {Format.Number(high)}]" : ""), f.Figure.Mean),
            ]));
        return page.ToString();
    }

    // a count of cells is no share
    private static bool IsCount(ComparedFigure figure) => figure.Values.OfType<double>().Any(v => v > 1);

    private static Field Show(ComparedFigure figure, double? value) => new(IsCount(figure) ? Invariant($"{value}") : Format.Percent(value), value);

    private static string Mean(ComparedFigure figure) => !IsCount(figure) ? Format.WithInterval(figure.Mean, figure.Ci)
        : Format.Number(figure.Mean) + (figure.Ci is [var low, var high] ? $" [{Format.Number(low)}, {Format.Number(high)}]" : "");
}
