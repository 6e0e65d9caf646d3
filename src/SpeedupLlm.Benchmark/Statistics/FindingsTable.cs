using System.Globalization;
using MathNet.Numerics.Distributions;
using MathNet.Numerics.Statistics;
using SpeedupLlm.Benchmark.Results;

namespace SpeedupLlm.Benchmark.Statistics;

/// <summary>The paper's eight findings (arXiv 2505.20643) beside ours, each with all its parts, by the rules of the protocol. What was not measured is undecided.</summary>
internal sealed class FindingsTable(Analysis analysis)
{
    private const string Agrees = "agrees";
    private const string Differs = "differs";
    private const string Undecided = "undecided";

    private const int FewCases = 3;

    // text memories recall so few cases that fewer levels say nothing of saturation
    private const int ManyCases = 10;

    // a saving that changes by less than this share a level is flat
    private const double Flat = 0.01;

    private static readonly string[] Episodic = ["in-context"];
    private static readonly string[] Parametric = ["sft"];
    private static readonly string[] Reflective = ["reflect", "multi-reflect", "reflect-update"];
    private static readonly string[] Text = [.. Episodic, .. Reflective];

    public IReadOnlyList<Finding> All() =>
    [
        Finding(1, "most cells cost less", "64/80, at most 56 %", ShareOfCells(), MeanSaving(), LargestSaving()),
        Finding(2, "cheaper goes with more accurate", "r = -0.41, p = 0.0002",
            Correlation("the change of operations and the change of accuracy go against each other", "r = -0.41, p = 0.0002", analysis.Correlation),
            Correlation("also among questions that both arms solved, where a failure cannot cost the cap", "not said", analysis.CorrelationWithinSolved)),
        Finding(3, "the closer the questions, and the more of them, the larger the saving", "S1 16.0 %, S2 15.4 %, S4 least", OrderedTrend(), MoreWithExperience()),
        Finding(4, "at low similarity memory can backfire", "some cells at S4", Backfires("cost more", static c => c.CheaperOrDearer > 0), Backfires("are less accurate", static c => c.LessAccurate)),
        Finding(5, "episodic and parametric memory beat reflective memory", "In-Context 27.4 %, reflections 3.6–8.8 %",
            Contrast("episodic memory saves more than reflective memory", "27.4 % against 3.6–8.8 %", Episodic, Reflective, static _ => true),
            Contrast("parametric memory saves more than reflective memory", "ahead", Parametric, Reflective, static _ => true)),
        Finding(6, "with 1–3 cases In-Context beats SFT", "In-Context ahead",
            Contrast("with 1–3 cases In-Context saves more", "ahead", Episodic, Parametric, static level => level <= FewCases), Overfits(), IsStabler()),
        Finding(7, "text memories saturate at about 3 cases, SFT keeps improving", "saturation at 3", TextSaturates(), SftImproves(), SftOvertakes()),
        Finding(8, "Reflect-Update saves most of the reflections", "8.8 % against 3.6 % and more",
            Contrast("Reflect-Update saves more than Reflect", "ahead", ["reflect-update"], ["reflect"], static _ => true),
            Contrast("Reflect-Update saves more than Multi-Reflect", "ahead", ["reflect-update"], ["multi-reflect"], static _ => true)),
    ];

    private FindingPart ShareOfCells()
    {
        const string claim = "most cells cost less", paper = "64/80";
        const int needed = 64, half = 40;
        var cells = Measured();
        if (cells.Count < GridOrder.PaperCells || analysis.Groups.Count < 2)
            return new(claim, paper, cells.Count == 0 ? null : Say($"{analysis.Overall.Cheaper}/{cells.Count}"), null, null, Undecided);
        var counts = new int[analysis.Bootstrap.Count];
        for (var b = 0; b < counts.Length; b++)
            counts[b] = cells.Count(c => c.Paired.Ratio(Measure.Operations).Weighted(analysis.Bootstrap.Weights(b)).Ratio < 1);
        Array.Sort(counts);
        var interval = new Interval(counts[(int)(0.025 * counts.Length)], counts[(int)(0.975 * counts.Length)]);
        var count = analysis.Overall.Cheaper;
        return new(claim, paper, Say($"{count}/{cells.Count}"), count, interval.ToArray(), count >= needed && interval.IsAbove(half) ? Agrees : interval.IsBelow(half) ? Differs : Undecided);
    }

    private FindingPart MeanSaving()
    {
        var mean = Measured().Count < GridOrder.PaperCells ? null : MeanOf(GridOrder.Memories, static _ => true);
        return Part("the mean cell costs less", "cheaper", mean is null ? null : $"{Percent(mean.Value)} saved", mean?.Value, mean?.Confidence());
    }

    /// <summary>Whether some cell saves as much as the paper's best, by intervals that hold for all cells at once.</summary>
    private FindingPart LargestSaving()
    {
        const string claim = "the best cell saves half and more", paper = "56 %";
        const double best = 0.56;
        var cells = Measured();
        // over fewer groups the simultaneous intervals are wider than anything that could be claimed
        if (cells.Count < GridOrder.PaperCells || analysis.Groups.Count < 4)
            return new(claim, paper, null, null, null, Undecided);
        var intervals = cells.Select(c => Analysis.Reduction(c.Paired)?.Confidence(1 - (0.05 / cells.Count))).OfType<Interval>().ToList();
        if (intervals.Count < cells.Count)
            return new(claim, paper, null, null, null, Undecided);
        var interval = new Interval(intervals.Max(i => i.Low), intervals.Max(i => i.High));
        return new(claim, paper, $"at most {Percent(analysis.Overall.MaxReduction)}", analysis.Overall.MaxReduction, interval.ToArray(), interval.IsAbove(best) ? Agrees : interval.IsBelow(best) ? Differs : Undecided);
    }

    private static FindingPart Correlation(string claim, string paper, PearsonOverCells? found) =>
        Part(claim, paper, found is null ? null : Say($"r = {found.R:0.00}"), found?.R, found?.Confidence, negativeAgrees: true);

    private FindingPart OrderedTrend()
    {
        const string claim = "the saving falls from S1 to S4", paper = "S1 16.0 %, S2 15.4 %, S4 least";
        var bySimilarity = GridOrder.Similarities.Select(s => analysis.PaperCells.Where(c => c.Paired.Key.Similarity == s).ToList()).ToList();
        if (bySimilarity.Any(c => c.Count == 0))
            return new(claim, paper, null, null, null, Undecided);
        var trends = new List<double>();
        for (var g = 0; g < analysis.Groups.Count; g++)
        {
            var means = bySimilarity.Select(cells => cells.Select(c => c.Paired.GroupReduction(Measure.Operations, g)).Average()).ToList();
            if (means.All(m => m is not null))
                trends.Add(RankTrend([.. means.Select(m => m!.Value)]));
        }

        var ours = string.Join(", ", GridOrder.Similarities.Zip(bySimilarity, (s, cells) => $"{s} {Percent(cells.Select(c => c.Summary.Operations.Reduction).Average())}"));
        return Part(claim, paper, ours, trends.Count > 0 ? trends.Average() : null, MeanInterval(trends), negativeAgrees: true);
    }

    private FindingPart MoreWithExperience()
    {
        var slope = Trends.Slope(analysis, GridOrder.Memories, from: 1);
        return Part("the saving grows with experience", "more pronounced", slope is null ? null : $"{Points(slope.Value)} a level", slope?.Value, slope?.Confidence());
    }

    private FindingPart Backfires(string how, Func<AnalysedCell, bool> worse)
    {
        var cells = analysis.PaperCells.Where(c => c.Paired.Key.Similarity == "S4").ToList();
        var count = cells.Count(worse);
        return new($"some cells at S4 {how}", "some", cells.Count == 0 ? null : Say($"{count}/{cells.Count}"), cells.Count == 0 ? null : count, null,
            count > 0 ? Agrees : cells.Count > 0 && cells.All(c => c.Summary.Verdict == HarmOutcome.Harmless) ? Differs : Undecided);
    }

    /// <summary>Fine-tuned on few cases a model repeats them where something else was asked.</summary>
    private FindingPart Overfits()
    {
        var (one, other) = (GainAt("S4", Episodic), GainAt("S4", Parametric));
        var lead = one is null || other is null ? null : one.Minus(other);
        return Part("SFT overfits: at S4, with 1–3 cases, it is less accurate", "less accurate",
            lead is null ? null : $"in-context {Points(one!.Value)}, sft {Points(other!.Value)}", lead?.Value, lead?.Confidence());
    }

    /// <summary>Whose savings spread more over groups: the variances of two paired samples are equal if their sum and difference are uncorrelated (Pitman 1939, Morgan 1939).</summary>
    private FindingPart IsStabler()
    {
        const string claim = "In-Context's saving varies less from group to group than SFT's", paper = "stabler";
        var pairs = analysis.Groups.Select((_, g) => (Cases: ByGroup(Episodic, g), Sft: ByGroup(Parametric, g))).Where(p => p is { Cases: not null, Sft: not null })
            .Select(p => (Cases: p.Cases!.Value, Sft: p.Sft!.Value)).ToList();
        if (pairs.Count < 4)
            return new(claim, paper, null, null, null, Undecided);
        var r = MathNet.Numerics.Statistics.Correlation.Pearson(pairs.Select(p => p.Cases + p.Sft), pairs.Select(p => p.Cases - p.Sft));
        var ours = $"standard deviation over groups {Percent(pairs.Select(p => p.Cases).StandardDeviation())}, sft {Percent(pairs.Select(p => p.Sft).StandardDeviation())}";
        if (!double.IsFinite(r))
            return new(claim, paper, ours, null, null, Undecided);
        var width = Normal.InvCDF(0, 1, 0.975) / Math.Sqrt(pairs.Count - 3);
        var z = Math.Atanh(Math.Clamp(r, -0.999999, 0.999999));
        return Part(claim, paper, ours, r, new(Math.Tanh(z - width), Math.Tanh(z + width)), negativeAgrees: true);
    }

    private FindingPart TextSaturates()
    {
        const string claim = "after 3 cases text memories save no more", paper = "flat";
        if (LateSlope(Text) is not { } slope || slope.Confidence() is not { } interval)
            return new(claim, paper, null, null, null, Undecided);
        return new(claim, paper, $"{Points(slope.Value)} a level", slope.Value, interval.ToArray(),
            interval.IsAbove(-Flat) && interval.IsBelow(Flat) ? Agrees : interval.IsAbove(Flat) ? Differs : Undecided);
    }

    private FindingPart SftImproves()
    {
        var slope = LateSlope(Parametric);
        return Part("after 3 cases SFT goes on saving more", "rising", slope is null ? null : $"{Points(slope.Value)} a level", slope?.Value, slope?.Confidence());
    }

    private FindingPart SftOvertakes()
    {
        var late = analysis.Rounds / 2;
        var isMeasured = analysis.Rounds >= ManyCases;
        return Contrast("with many cases SFT saves more than text memories", "ahead", isMeasured ? Parametric : [], Text, level => level > late);
    }

    private FindingPart Contrast(string claim, string paper, IReadOnlyList<string> left, IReadOnlyList<string> right, Func<int, bool> levels)
    {
        // a mean over memories is only the paper's mean if each of them was measured
        if (left.Count == 0 || left.Concat(right).Any(m => MeanOf([m], levels) is null))
            return new(claim, paper, null, null, null, Undecided);
        var (one, other) = (MeanOf(left, levels)!, MeanOf(right, levels)!);
        var lead = one.Minus(other);
        return Part(claim, paper, $"{string.Join(", ", left)} {Percent(one.Value)}; {string.Join(", ", right)} {Percent(other.Value)}", lead.Value, lead.Confidence());
    }

    private List<AnalysedCell> Measured() => [.. analysis.PaperCells.Where(c => c.Summary.Operations.Reduction is not null)];

    /// <summary>The mean reduction of operations over all cells of these memories, at some levels.</summary>
    private GroupEstimate? MeanOf(IReadOnlyList<string> memories, Func<int, bool> levels) =>
        GroupEstimate.Mean([.. analysis.PaperCells.Where(c => memories.Contains(c.Paired.Key.Memory))
            .Select(c => Analysis.Reduction(c.Paired.Where((with, _) => levels(with.Level), analysis.Groups))).OfType<GroupEstimate>()]);

    private GroupEstimate? GainAt(string similarity, IReadOnlyList<string> memories) =>
        GroupEstimate.Mean([.. analysis.PaperCells.Where(c => c.Paired.Key.Similarity == similarity && memories.Contains(c.Paired.Key.Memory))
            .Select(c => c.Paired.Where(static (with, _) => with.Level <= FewCases, analysis.Groups).Gain().Estimate()).OfType<GroupEstimate>()]);

    private double? ByGroup(IReadOnlyList<string> memories, int place) =>
        analysis.PaperCells.Where(c => memories.Contains(c.Paired.Key.Memory)).Select(c => c.Paired.GroupReduction(Measure.Operations, place)).Average();

    private GroupEstimate? LateSlope(IReadOnlyList<string> memories) =>
        analysis.Rounds < ManyCases || memories.Any(m => MeanOf([m], static _ => true) is null) ? null : Trends.Slope(analysis, memories, from: FewCases);

    private static Finding Finding(int id, string claim, string paper, params IReadOnlyList<FindingPart> parts) => new(
        id, claim, paper, parts[0].Ours, parts[0].Ci,
        parts.All(p => p.Verdict == Agrees) ? Agrees : parts.Any(p => p.Verdict == Differs) ? Differs : Undecided)
    {
        Parts = parts,
    };

    private static FindingPart Part(string claim, string paper, string? ours, double? value, Interval? interval, bool negativeAgrees = false) =>
        new(claim, paper, ours, value is { } v && double.IsFinite(v) ? v : null, interval?.ToArray(),
            interval is not { } i ? Undecided
            : i.IsAbove(0) ? (negativeAgrees ? Differs : Agrees)
            : i.IsBelow(0) ? (negativeAgrees ? Agrees : Differs)
            : Undecided);

    /// <summary>Spearman's rank correlation with 1, 2, 3, …; ties share their mean rank; all equal is no trend.</summary>
    internal static double RankTrend(IReadOnlyList<double> values)
    {
        var ranks = values.Select(v => values.Count(o => o < v) + ((values.Count(o => o.Equals(v)) + 1) / 2.0)).ToList();
        var centre = (values.Count + 1) / 2.0;
        double covariance = 0, spread = 0, steps = 0;
        for (var i = 0; i < ranks.Count; i++)
        {
            covariance += (i + 1 - centre) * (ranks[i] - centre);
            spread += (ranks[i] - centre) * (ranks[i] - centre);
            steps += (i + 1 - centre) * (i + 1 - centre);
        }

        return spread > 0 ? covariance / Math.Sqrt(spread * steps) : 0;
    }

    private static Interval? MeanInterval(List<double> values) => values.Count < 2 ? null
        : Interval.Around(values.Average(), StudentT.InvCDF(0, 1, values.Count - 1, 0.975) * values.StandardDeviation() / Math.Sqrt(values.Count));

    private static string Percent(double? share) => share is { } s ? Say($"{100 * s:0.0} %") : "unknown";

    private static string Points(double share) => Say($"{100 * share:+0.0;-0.0;0.0} points");

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
