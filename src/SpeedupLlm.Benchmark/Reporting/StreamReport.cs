using System.Globalization;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Benchmark.Streaming;
using SpeedupLlm.Charts;
using static System.FormattableString;

namespace SpeedupLlm.Benchmark.Reporting;

/// <summary>The <c>report.html</c> of a stream. What depends on the clock stands between marks.</summary>
internal static class StreamReport
{
    public static string Render(Manifest manifest, StreamSummary summary)
    {
        var page = new HtmlPage("What experience saves over time");
        Headline(page, manifest, summary);
        if (summary.Arms.Count > 0)
        {
            Whole(page, summary);
            OverTime(page, summary);
            ByKind(page, summary);
            Practice(page, summary);
            page.Timed(p => Latency(p, summary));
        }

        Provenance.Write(page, manifest);
        return page.ToString();
    }

    private static void Headline(HtmlPage page, Manifest manifest, StreamSummary summary)
    {
        var p = manifest.Parameters;
        var mix = p.Stream!.Mix;
        page.Paragraph(Invariant($"{p.Model}{(p.ModelName is { } name ? " " + name : "")}, checkpoint {p.Checkpoint}, {p.Scaling[0]}, on {p.Data}: {summary.Questions} questions about {summary.Topics} topics, one after another, ")
            + Invariant($"{100 * mix.New:0.#} % new topics, {100 * mix.S1:0.#} % the same question, {100 * mix.S2:0.#} % other words, {100 * mix.S3:0.#} % other numbers, {100 * mix.S4:0.#} % other questions; topics by Zipf's law with exponent {p.Stream.Zipf}. ")
            + (summary.ChangedAt is { } at ? Invariant($"Before question {at} every second topic changed its rule. ") : "")
            + Invariant($"Feedback {p.Feedback.ToString().ToLowerInvariant()}, seed {p.Seed}. Brackets and bands are 95 % intervals over topics."), "soft");
        foreach (var notice in Provenance.Notices(manifest, summary.Arms.Sum(a => a.Failed)))
            page.Paragraph(notice, "notice");
        // wrong answers are cheap: those that are shown to be right less often stand back
        var arms = summary.Arms.Where(a => a.Memory != CellKey.NoMemory).ToList();
        var right = arms.Where(a => !(a.Accuracy.Ci is [_, < 0])).ToList();
        var cheapest = (right.Count > 0 ? right : arms).MaxBy(a => a.FullCost.Reduction);
        if (cheapest is null)
            return;
        var among = right.Count == 0 || right.Count == arms.Count ? "the most of all" : "the most of those that are not shown to be right less often";
        var wrongest = summary.Arms.Where(a => a.GivenWrong is not null).MaxBy(a => a.GivenWrong!.Value);
        page.Tiles(
        [
            (Format.Percent(cheapest.FullCost.Reduction), $"of the full cost saved by {cheapest.Memory}, {among}: {Format.WithInterval(cheapest.FullCost.Reduction, cheapest.FullCost.Ci)}, n = {Provenance.Count(summary.Questions, "question")}"),
            (Format.Percent(cheapest.Accuracy.WithMemory), $"right with it; {Format.Percent(cheapest.Accuracy.Baseline)} without memory (change in points {Format.Points(cheapest.Accuracy.Change, cheapest.Accuracy.Ci)})"),
            .. wrongest is null ? Array.Empty<(string, string)>()
                : [(Format.Percent(wrongest.GivenWrong!.Value), $"of the {Provenance.Count(wrongest.Given, "answer")} that {wrongest.Memory} gave without a search are wrong: the most of those that give answers")],
        ]);
    }

    private static void Whole(HtmlPage page, StreamSummary summary)
    {
        page.Heading("Over all questions");
        page.Table(
            ["memory", new("full cost a question", true), new("saved", true), new("operations saved", true), new("right", true), new("change, points", true), new("given from memory", true), new("of these wrong", true), new("of full cost", false)],
            summary.Arms.Select(a => (IReadOnlyList<Field>)
            [
                a.Memory,
                new(Format.Number(a.FullCost.WithMemory), a.FullCost.WithMemory),
                new(Format.WithInterval(a.FullCost.Reduction, a.FullCost.Ci), a.FullCost.Reduction),
                new(Format.WithInterval(a.Operations.Reduction, a.Operations.Ci), a.Operations.Reduction),
                new(Format.Percent(a.Accuracy.WithMemory), a.Accuracy.WithMemory),
                new(Format.Points(a.Accuracy.Change, a.Accuracy.Ci), a.Accuracy.Change),
                new(a.Given.ToString(CultureInfo.InvariantCulture), a.Given),
                new(a.GivenWrong is { } wrong ? Format.WithInterval(wrong.Value, wrong.Ci) : "–", a.GivenWrong?.Value),
                string.Join(", ", a.Bill.Select(b => $"{b.Purpose} {Format.Number(b.FullCost)}")),
            ]));
        page.Paragraph(Invariant($"Every figure is over the same {summary.Questions} questions. Full cost counts every token of every purpose; what learning from a question cost is charged to it. ")
            + "Intervals of wrong answers take answers as independent. fixed-threshold, vcache and dynamic-cheatsheet are rules of other works, rebuilt here from their papers.", "soft");
    }

    private static void OverTime(HtmlPage page, StreamSummary summary)
    {
        page.Heading("Over time");
        var others = summary.Arms.Where(a => a.Memory != CellKey.NoMemory).ToList();
        Series Line(StreamArm arm, Func<StreamPart, (double? Value, double[]? Ci)> of, double sign)
        {
            var shown = arm.Windows.Select(w => (X: int.Parse(w.Name, CultureInfo.InvariantCulture) + w.Questions / 2.0, Of: of(w))).Where(w => w.Of.Value is not null).ToList();
            double Y(double value) => sign < 0 ? 100 * (1 - value) : 100 * value;
            return new(arm.Memory, 1 + summary.Arms.ToList().IndexOf(arm), [.. shown.Select(w => (w.X, Y(w.Of.Value!.Value)))])
            {
                Band = [.. shown.Where(w => w.Of.Ci is not null).Select(w => (w.X, Math.Min(Y(w.Of.Ci![0]), Y(w.Of.Ci[1])), Math.Max(Y(w.Of.Ci[0]), Y(w.Of.Ci[1]))))],
            };
        }

        var cost = others.Select(a => Line(a, w => (w.FullCost.Reduction, w.FullCost.Ci), -1)).ToList();
        var right = summary.Arms.Select(a => Line(a, w => (w.Accuracy.WithMemory, null), 1)).ToList();
        var highest = Math.Clamp(cost.SelectMany(l => l.Points).Select(p => p.Y + 10).DefaultIfEmpty(110).Max(), 110, 300);
        page.Figure(LineChart.Render(
        [
            new("full cost, share of that without memory", cost, highest, "questions before", Mark: summary.ChangedAt),
            new("right answers", right, 100, "questions before", Reference: null, Mark: summary.ChangedAt),
        ], "Full cost and accuracy over time by memory", columns: 1));
    }

    private static void ByKind(HtmlPage page, StreamSummary summary)
    {
        page.Heading("By kind of question");
        page.Paragraph("new: a topic's first question; S1 to S4: alike to the topic's base question; changed: the first question since the topic's rule changed, when all that is remembered of it is out of date.", "soft");
        page.Table(
            ["kind", "memory", new("questions", true), new("full cost", true), new("saved", true), new("right", true), new("change, points", true)],
            from kind in summary.Kinds.Keys
            from arm in summary.Arms
            let part = arm.ByKind.FirstOrDefault(k => k.Name == kind)
            where part is not null
            select (IReadOnlyList<Field>)
            [
                kind, arm.Memory, new(part.Questions.ToString(CultureInfo.InvariantCulture), part.Questions),
                new(Format.Number(part.FullCost.WithMemory), part.FullCost.WithMemory), new(Format.WithInterval(part.FullCost.Reduction, part.FullCost.Ci), part.FullCost.Reduction),
                new(Format.Percent(part.Accuracy.WithMemory), part.Accuracy.WithMemory), new(Format.Points(part.Accuracy.Change, part.Accuracy.Ci), part.Accuracy.Change),
            ]);
    }

    private static void Practice(HtmlPage page, StreamSummary summary)
    {
        page.Heading("The power law of practice");
        page.Paragraph("Full cost fitted as a·n^-b + c, where n counts the questions about the topic under its present rule, and where it counts all questions before rules changed. "
            + "Where a is not above 0 the cost does not fall, and b says nothing. Intervals from resampling topics.", "soft");
        var lines = summary.Arms.Select((a, i) => (Arm: a, Colour: i + 1)).Where(a => a.Arm.Practice is not null)
            .Select(a => new Series(a.Arm.Memory, a.Colour, [.. a.Arm.Practice!.Points.Where(p => p.N <= 40).Select(p => (p.N, p.FullCost))])).ToList();
        if (lines.Count > 0)
            page.Figure(LineChart.Render([new("full cost by the number of questions about the topic", lines, 1.1 * lines.SelectMany(l => l.Points).Max(p => p.Y), "questions about the topic", "", null)], "Full cost over practice by memory", columns: 1));
        page.Table(
            ["memory", "n counts", new("a", true), new("b", true), new("c", true), new("questions", true)],
            summary.Arms.SelectMany(a => new[] { (a.Memory, Counts: "questions about the topic", Fit: a.Practice), (a.Memory, Counts: "all questions", Fit: a.Growth) })
                .Where(f => f.Fit is not null)
                .Select(f => (IReadOnlyList<Field>)
                [
                    f.Memory, f.Counts, Value(f.Fit!.A), Value(f.Fit.B), Value(f.Fit.C),
                    new(f.Fit.Points.Sum(p => p.Questions).ToString(CultureInfo.InvariantCulture), f.Fit.Points.Sum(p => p.Questions)),
                ]));
    }

    private static void Latency(HtmlPage page, StreamSummary summary)
    {
        page.Heading("Latency and growth");
        page.Paragraph("Milliseconds, median and 95th percentile, in the first and the last part of the stream; arms ran beside each other on one machine, so that they slow each other down.", "soft");
        page.Table(
            ["memory", "questions", new("until the end", true), new("until the accepted answer", true), new("of it recall", true), new("records kept", true)],
            summary.Arms.Where(a => a.Windows.Count > 0).SelectMany(a => new[] { (a.Memory, Part: a.Windows[0]), (a.Memory, Part: a.Windows[^1]) }).Select(w => (IReadOnlyList<Field>)
            [
                w.Memory, Invariant($"{w.Part.Name} to {int.Parse(w.Part.Name, CultureInfo.InvariantCulture) + w.Part.Questions - 1}"),
                Times(w.Part.Time.ElapsedP50, w.Part.Time.ElapsedP95), Times(w.Part.Time.ToAcceptedP50, w.Part.Time.ToAcceptedP95), Times(w.Part.Time.RecallP50, w.Part.Time.RecallP95),
                new(w.Part.Stored.ToString(CultureInfo.InvariantCulture), w.Part.Stored),
            ]));
    }

    private static Field Times(double? p50, double? p95) => new($"{Format.Number(p50)} / {Format.Number(p95)}", p50);

    private static Field Value(FittedValue value) => new($"{Format.Number(value.Value)} [{Format.Number(value.Ci[0])}, {Format.Number(value.Ci[1])}]", value.Value);
}
