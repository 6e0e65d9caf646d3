using System.Globalization;
using SpeedupLlm.Benchmark.Calibration;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Benchmark.Statistics;
using SpeedupLlm.Benchmark.Theory;
using SpeedupLlm.Charts;
using SpeedupLlm.Memory;
using static System.FormattableString;

namespace SpeedupLlm.Benchmark.Reporting;

/// <summary><c>report.html</c>: one file with style and pictures inside, that asks nothing of the network and holds nothing of the clock.</summary>
internal static class HtmlReport
{
    public static string Render(Manifest manifest, Analysis analysis, RelevancyReport? relevancy)
    {
        var page = new HtmlPage("What experience saves");
        Headline(page, manifest, analysis);
        if (analysis.WithMemory.Any())
        {
            Grid(page, analysis);
            Curves(page, analysis);
        }

        if (analysis.PaperCells.Any())
            Findings(page, analysis.Summary);

        Cells(page, analysis);
        Bills(page, analysis);
        Theory(page, analysis.Summary.Premises ?? [], analysis.Groups.Count);
        if (relevancy is not null)
            RelevancySection.Write(page, relevancy);
        page.Timed(p => Times(p, analysis, manifest.Parameters.Waves));
        Provenance.Write(page, manifest);
        return page.ToString();
    }

    private static void Headline(HtmlPage page, Manifest manifest, Analysis analysis)
    {
        var parameters = manifest.Parameters;
        page.Paragraph(string.Create(CultureInfo.InvariantCulture, $"{parameters.Model}{(parameters.ModelName is { } name ? " " + name : "")}, checkpoint {parameters.Checkpoint}, on {parameters.Data}: "
            + $"{Provenance.Count(analysis.Groups.Count, "group")}, {Provenance.Count(parameters.Rounds, "level")} of experience after the first question, feedback {parameters.Feedback.ToString().ToLowerInvariant()}, seed {parameters.Seed}."), "soft");
        foreach (var notice in Provenance.Notices(manifest, analysis.Cells.Sum(c => c.Summary.Failed)))
            page.Paragraph(notice, "notice");
        if (analysis.PaperCells.Any())
            GridTiles(page, analysis);
        if (analysis.WithMemory.Where(c => c.Summary.Memory == Auto.CatalogueName).ToList() is [_, ..] auto)
            AutoTiles(page, analysis, auto);
    }

    private static void GridTiles(HtmlPage page, Analysis analysis)
    {
        var overall = analysis.Overall;
        var all = analysis.PaperCells.ToList();
        var (same, near) = (all.Where(c => c.Summary.Similarity == "S1").ToList(), all.Where(c => c.Summary.Similarity != "S1").ToList());
        page.Tiles(
            (Invariant($"{overall.Cheaper}/{overall.Cells}"), Invariant($"cells with memory cost fewer operations ({overall.SignificantlyCheaper} significantly; {overall.SignificantlyDearer} significantly more)")),
            (Format.Percent(overall.MeanReduction), $"operations saved on average{Between(Mean(all, Measure.Operations))}; at most {Format.Percent(overall.MaxReduction)}; n = {Provenance.Count(analysis.Groups.Count, "group")}"),
            (Format.Percent(Mean(same, Measure.Operations)?.Value), $"saved when the same question returns (S1){Between(Mean(same, Measure.Operations))}; {Share(Mean(near, Measure.Operations))} at S2–S4"),
            (Format.Percent(overall.MeanFullCostReduction), $"of the full cost saved on average{Between(Mean(all, Measure.FullCost))}: every token of solving, judging, recalling, learning and training"));
    }

    private static void AutoTiles(HtmlPage page, Analysis analysis, IReadOnlyList<AnalysedCell> auto)
    {
        var (same, near) = (auto.Where(c => c.Summary.Similarity == "S1").ToList(), auto.Where(c => c.Summary.Similarity != "S1").ToList());
        var gained = GroupEstimate.Mean([.. near.Select(c => c.Paired.Gain().Estimate()).OfType<GroupEstimate>()]);
        int With(string verdict) => auto.Count(c => c.Summary.Verdict == verdict);
        page.Tiles(
            (Format.Percent(Mean(near, Measure.Operations)?.Value), $"operations that auto saves at S2–S4, mean over {Provenance.Count(near.Count, "cell")}{Between(Mean(near, Measure.Operations))}; n = {Provenance.Count(analysis.Groups.Count, "group")}"),
            (Format.Percent(Mean(near, Measure.FullCost)?.Value), $"of the full cost at S2–S4{Between(Mean(near, Measure.FullCost))}; right answers {Format.Points(gained?.Value, gained?.Confidence()?.ToArray())}"),
            (Format.Percent(Mean(same, Measure.Operations)?.Value), $"operations when the same question returns (S1){Between(Mean(same, Measure.Operations))}; full cost {Share(Mean(same, Measure.FullCost))}"),
            (Invariant($"{With(HarmOutcome.Harmful)}/{auto.Count}"), Invariant($"cells of auto are shown harmful; {With(HarmOutcome.Harmless)} are shown harmless, {With(HarmOutcome.Undecided)} undecided")));
    }

    private static string Share(GroupEstimate? mean) => Format.Percent(mean?.Value) + Between(mean);

    /// <summary>The interval of a mean over cells, in brackets after a space, or nothing.</summary>
    private static string Between(GroupEstimate? mean) => mean?.Confidence()?.ToArray() is [var low, var high] ? $" [{Format.Percent(low)}, {Format.Percent(high)}]" : "";

    private static GroupEstimate? Mean(IReadOnlyList<AnalysedCell> cells, Measure measure) =>
        GroupEstimate.Mean([.. cells.Select(c => Analysis.Reduction(c.Paired, measure)).OfType<GroupEstimate>()]);

    private static void Grid(HtmlPage page, Analysis analysis)
    {
        page.Heading("The grid");
        page.Paragraph("Operations saved beside the same questions without memory: samples drawn (Best-of-N), nodes expanded (Tree-of-Thoughts), answers written (Self-Refine), tokens thought (Long CoT). "
            + $"Bold is significant (Benjamini–Hochberg, 5 %); a dark frame is shown harm. n = {Provenance.Count(analysis.Groups.Count, "group")} in every cell; the interval of each stands in the table of all cells.", "soft");
        var columns = analysis.Cells.Select(c => c.Summary.Memory).Distinct().OrderBy(GridOrder.Memory).ToList();
        var byKey = analysis.Cells.ToDictionary(c => c.Paired.Key);
        var blocks = analysis.Cells.Select(c => c.Summary.Similarity).Distinct().Select(similarity => new HeatBlock(similarity,
        [
            .. analysis.Cells.Where(c => c.Summary.Similarity == similarity).Select(c => c.Summary.Scaling).Distinct().Select(scaling =>
                (scaling, (IReadOnlyList<HeatCell>)[.. columns.Select(memory => Heat(byKey.GetValueOrDefault(new(similarity, scaling, memory))))])),
        ])).ToList();
        page.Figure(Heatmap.Render(columns, blocks, "Operations saved by similarity, scaling method and memory"));
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

    private static void Curves(HtmlPage page, Analysis analysis)
    {
        page.Heading("Over experience");
        page.Paragraph($"Operations with memory as a share of those without, by how many questions about the same subject came before; the mean over scaling methods, bands are 95 % intervals, n = {Provenance.Count(analysis.Groups.Count, "group")}. At 0 nothing has been learnt.", "soft");
        var memories = Trends.Memories(analysis);
        var panels = new List<(string Title, List<Series> Lines)>();
        foreach (var similarity in analysis.WithMemory.Select(c => c.Summary.Similarity).Distinct())
            panels.Add((similarity, [.. memories.Select((memory, index) => Curve(analysis, memory, similarity, index + 1))]));
        var highest = Math.Max(110, Math.Min(400, panels.SelectMany(p => p.Lines).SelectMany(l => l.Points).Max(p => p.Y) + 10));
        page.Figure(LineChart.Render([.. panels.Select(p => new ChartPanel(p.Title, p.Lines, highest, "questions before"))], "Operations relative to no memory over experience, by memory and similarity"));
        page.Table(
            ["memory", new("mean saving", true), new("change a level, points (95 % interval)", true), new("p", true), new("groups", true)],
            memories.Select(memory =>
            {
                var slope = Trends.Slope(analysis, [memory], from: 1);
                var mean = Mean([.. analysis.WithMemory.Where(c => c.Summary.Memory == memory)], Measure.Operations);
                return (IReadOnlyList<Field>)
                [
                    memory, new(Format.WithInterval(mean?.Value, mean?.Confidence()?.ToArray()), mean?.Value),
                    new(Format.Points(slope?.Value, slope?.Confidence()?.ToArray()), slope?.Value), new(Format.P(slope?.PValue(0)), slope?.PValue(0)),
                    Invariant($"{analysis.Groups.Count}"),
                ];
            }));
        if (analysis.Correlation is not { } found)
            return;
        var text = Invariant($"Between the change of operations and the change of accuracy over {found.Cells} cells: r = {Format.Number(found.R)}{Between(found)} (p {Format.P(found.P)}; negative means that cheaper goes with more accurate)");
        if (analysis.CorrelationWithinSolved is { } solved)
            text += $"; within questions that both arms solved, where a failure cannot cost the cap: r = {Format.Number(solved.R)}{Between(solved)} (p {Format.P(solved.P)})";
        page.Paragraph(text + ".");
    }

    private static Series Curve(Analysis analysis, string memory, string similarity, int colour)
    {
        var saved = Enumerable.Range(1, analysis.Rounds).Select(level => (Level: level, Saved: Trends.At(analysis, [memory], similarity, level))).Where(p => p.Saved is not null).ToList();
        return new(memory, colour, [(0, 100), .. saved.Select(p => ((double)p.Level, 100 * (1 - p.Saved!.Value)))])
        {
            Band =
            [
                (0, 100, 100),
                .. saved.Select(p => (p.Level, Ci: p.Saved!.Confidence())).Where(p => p.Ci is not null).Select(p => ((double)p.Level, 100 * (1 - p.Ci!.Value.High), 100 * (1 - p.Ci.Value.Low))),
            ],
        };
    }

    private static string Between(PearsonOverCells found) => found.Confidence is { } ci ? $" [{Format.Number(ci.Low)}, {Format.Number(ci.High)}]" : "";

    private static void Findings(HtmlPage page, Summary summary)
    {
        page.Heading("The paper’s eight findings");
        page.Paragraph("A finding agrees if all its parts do, and differs if one of them does; the interval is that of the figure that decides the part: a difference of savings, a slope, a correlation, a count of cells.", "soft");
        page.Table(
            [new("", true), "claim", "paper", "here", "95 % interval", "verdict"],
            summary.Findings.SelectMany(f => f.Parts is not [_, _, ..] parts
                ? [Row(Invariant($"{f.Id}"), f.Claim, f.Paper, f.Ours, f.Ci, f.Verdict)]
                : parts.Select((p, i) => Row(Invariant($"{f.Id}{(char)('a' + i)}"), p.Claim, p.Paper, p.Ours, p.Ci, p.Verdict)).Prepend(Row(Invariant($"{f.Id}"), f.Claim, f.Paper, "", null, f.Verdict))));

        static IReadOnlyList<Field> Row(string id, string claim, string paper, string? ours, double[]? interval, string verdict) =>
            [id, claim, paper, ours ?? "not measured", interval is [var low, var high] ? $"{Format.Number(low)} to {Format.Number(high)}" : "–", new(verdict, null, verdict)];
    }

    private static void Cells(HtmlPage page, Analysis analysis)
    {
        page.Heading("Every cell");
        page.Paragraph("Costs are means a question; brackets are 95 % intervals (linearised ratio, t over groups). Full cost counts every token of every purpose. One plain call is the model asked once, without search, judge or memory.", "soft");
        page.Table(
            ["similarity", "scaling", "memory", new("trials", true), new("accepted", true), new("operations", true), new("saved", true), new("full cost", true), new("saved", true), new("one plain call", true), new("right", true), new("change", true), "verdict"],
            analysis.Cells.Select(cell =>
            {
                var s = cell.Summary;
                var verdict = s.Verdict + (cell.GroupsNeeded is { } needed ? Invariant($" (about {needed} groups needed)") : "");
                return (IReadOnlyList<Field>)
                [
                    s.Similarity, s.Scaling, s.Memory, new(Invariant($"{s.Trials}{(s.Failed > 0 ? Invariant($" ({s.Failed} failed)") : "")}"), s.Trials),
                    new(Format.Percent(Share(s)), Share(s)), new(Format.Number(s.Operations.WithMemory), s.Operations.WithMemory), new(Format.WithInterval(s.Operations.Reduction, s.Operations.Ci), s.Operations.Reduction),
                    new(Format.Number(s.FullCost.WithMemory), s.FullCost.WithMemory), new(Format.WithInterval(s.FullCost.Reduction, s.FullCost.Ci), s.FullCost.Reduction),
                    new($"{Format.Number(s.PlainCall.FullCost)}, {Format.Percent(s.PlainCall.Accuracy)} right", s.PlainCall.FullCost),
                    new(Format.Percent(s.Accuracy.WithMemory), s.Accuracy.WithMemory), new(Format.Points(s.Accuracy.Change, s.Accuracy.Ci), s.Accuracy.Change), new(verdict, null, s.Verdict),
                ];
            }),
            analysis.Cells.Count <= 24 ? null : Provenance.Count(analysis.Cells.Count, "cell"));
    }

    private static void Bills(HtmlPage page, Analysis analysis)
    {
        var cells = analysis.Cells.Where(c => c.Summary is { Bill: not null, Memory: not CellKey.NoMemory }).ToList();
        if (cells.Count == 0)
            return;
        var purposes = cells.SelectMany(c => c.Summary.Bill!.ByPurpose).Select(p => p.Purpose).Distinct().OrderBy(Enum.GetNames<Compute.CallPurpose>().Select(n => n.ToLowerInvariant()).ToList().IndexOf).ToList();
        page.Heading("The full bill");
        page.Paragraph("Full cost a question by purpose with memory, beside that without memory and one plain call. Break-even: after how many questions the learning of a lifeline has paid for itself if nothing more is learnt, with its 95 % interval (Fieller); "
            + $"\"never\" where the saving is shown not to be above 0, \"undecided\" where neither is shown. n = {Provenance.Count(analysis.Groups.Count, "group")}.", "soft");
        page.Table(
            [
                "similarity", "scaling", "memory", .. purposes.Select(p => new Column(p, true)), new("all", true), new("without memory", true), new("one plain call", true),
                new("learning, a lifeline", true), new("saved a question", true), new("break-even, questions", true), "verdict",
            ],
            cells.Select(c =>
            {
                var s = c.Summary;
                var even = s.Bill!.BreakEven;
                return (IReadOnlyList<Field>)
                [
                    s.Similarity, s.Scaling, s.Memory,
                    .. purposes.Select(p => s.Bill.ByPurpose.FirstOrDefault(b => b.Purpose == p)?.WithMemory).Select(cost => new Field(Format.Number(cost), cost)),
                    new(Format.Number(s.FullCost.WithMemory), s.FullCost.WithMemory), new(Format.Number(s.FullCost.Baseline), s.FullCost.Baseline), new(Format.Number(s.PlainCall.FullCost), s.PlainCall.FullCost),
                    new(Format.Number(even?.Investment), even?.Investment), new(Format.Number(even?.SavedAQuestion), even?.SavedAQuestion),
                    new(even?.Questions is { } n ? Format.Number(n) + (even.Ci is [var low, var high] ? $" [{Format.Number(low)}, {Format.Number(high)}]" : "") : "–", even?.Questions),
                    new(even?.Verdict ?? "–", null, even?.Verdict),
                ];
            }),
            cells.Count <= 24 ? null : Provenance.Count(cells.Count, "cell"));
    }

    private static void Theory(HtmlPage page, IReadOnlyList<PremiseCheck> premises, int groups)
    {
        if (premises.Count == 0)
            return;
        page.Heading("The theorems’ premises");
        page.Paragraph("Theorem 1 needs that acceptance does not become less likely with experience, Theorem 2 that it is as likely within any number of operations (stochastic dominance). "
            + $"Brackets are simultaneous 95 % bounds over all cells; \"holds\" is shown to within two points. n = {Provenance.Count(groups, "group")}.", "soft");
        var failing = premises.Where(p => p.Verdict == Premises.Fails).Select(p => $"{p.Similarity} {p.Scaling} {p.Memory}").ToList();
        page.Paragraph(Invariant($"{premises.Count(p => p.Verdict == Premises.Holds)} hold, {premises.Count(p => p.Verdict == Premises.Undecided)} are undecided, {failing.Count} fail{(failing.Count > 0 ? ": " + string.Join("; ", failing) : "")}."));
        page.Table(
            ["similarity", "scaling", "memory", new("trials", true), new("acceptance, points", true), new("within so many operations", true), new("worst, points", true), new("operations saved", true), "premises"],
            premises.Select(p => (IReadOnlyList<Field>)
            [
                p.Similarity, p.Scaling, p.Memory, new(Invariant($"{p.Trials}"), p.Trials), Points(p.Accepted), new(Format.Number(p.AcceptedEarly.At), p.AcceptedEarly.At), Points(p.AcceptedEarly),
                new(Format.WithInterval(p.Cost.Reduction, p.Cost.Ci), p.Cost.Reduction), new(p.Verdict, null, p.Verdict),
            ]),
            premises.Count <= 24 ? null : Provenance.Count(premises.Count, "cell"));
    }

    private static Field Points(PremiseChange change) =>
        new(Format.Points(change.Change, change is { Low: { } low, High: { } high } ? [low, high] : null), change.Change);

    private static void Times(HtmlPage page, Analysis analysis, int waves)
    {
        page.Heading("Time to the answer");
        page.Paragraph($"Milliseconds, median and 95th percentile over trials, {(waves == 1 ? "one attempt after another" : Invariant($"attempts in waves of {waves}"))}; many lifelines were lived at once on the same machine. Cells compare with each other, not with another run.", "soft");
        page.Table(
            ["similarity", "scaling", "memory", new("trials", true), new("until the end", true), new("until the accepted answer", true)],
            analysis.Cells.Where(c => c.Summary.Time is not null).Select(c => (IReadOnlyList<Field>)
            [
                c.Summary.Similarity, c.Summary.Scaling, c.Summary.Memory, new(Invariant($"{c.Summary.Trials}"), c.Summary.Trials),
                new($"{Format.Number(c.Summary.Time!.ElapsedP50)} / {Format.Number(c.Summary.Time.ElapsedP95)}", c.Summary.Time.ElapsedP50),
                new($"{Format.Number(c.Summary.Time.ToAcceptedP50)} / {Format.Number(c.Summary.Time.ToAcceptedP95)}", c.Summary.Time.ToAcceptedP50),
            ]),
            analysis.Cells.Count <= 24 ? null : Provenance.Count(analysis.Cells.Count, "cell"));
    }

    private static double? Share(CellSummary s) => s.Trials > 0 ? (double)s.Accepted / s.Trials : null;
}
