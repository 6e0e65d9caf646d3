using System.Globalization;
using MathNet.Numerics.Distributions;
using SpeedupLlm.Benchmark.Results;

namespace SpeedupLlm.Benchmark.Statistics;

/// <summary>The paper's eight findings (arXiv 2505.20643) beside ours, by the rules of the protocol. What was not measured is undecided.</summary>
internal sealed class FindingsTable(Analysis analysis)
{
    private const string Agrees = "agrees";
    private const string Differs = "differs";
    private const string Undecided = "undecided";

    private static readonly string[] Reflections = ["reflect", "multi-reflect", "reflect-update"];
    private static readonly string[] TextMemories = ["in-context", .. Reflections];

    public IReadOnlyList<Finding> All() =>
    [
        MostCellsCostLess(),
        CheaperGoesWithMoreAccurate(),
        CloserSavesMore(),
        MemoryCanBackfire(),
        EpisodicBeatsReflective(),
        InContextBeatsSftEarly(),
        TextSaturates(),
        ReflectUpdateSavesMost(),
    ];

    private Finding MostCellsCostLess()
    {
        const int needed = 64, half = 40;
        var cells = analysis.PaperCells.Where(c => c.Summary.Operations.Reduction is not null).ToList();
        if (cells.Count < GridOrder.PaperCells || analysis.Groups.Count < 2)
            return Make(1, "most cells cost less", "64/80", cells.Count == 0 ? null : Text($"{analysis.Overall.Cheaper}/{cells.Count}"), null, Undecided);
        var counts = new int[analysis.Bootstrap.Count];
        for (var b = 0; b < counts.Length; b++)
            counts[b] = cells.Count(c => c.Paired.Ratio(Measure.Operations).Weighted(analysis.Bootstrap.Weights(b)).Ratio < 1);
        Array.Sort(counts);
        var interval = new Interval(counts[(int)(0.025 * counts.Length)], counts[(int)(0.975 * counts.Length)]);
        var count = analysis.Overall.Cheaper;
        return Make(1, "most cells cost less", "64/80", Text($"{count}/{cells.Count}"), interval,
            count >= needed && interval.IsAbove(half) ? Agrees : interval.IsBelow(half) ? Differs : Undecided);
    }

    private Finding CheaperGoesWithMoreAccurate()
    {
        var found = analysis.Correlation;
        return Make(2, "cheaper goes with more accurate", "r = -0.41, p = 0.0002", found is null ? null : Text($"r = {found.R:0.00}"), found?.Confidence,
            Decide(found?.Confidence, negativeAgrees: true));
    }

    private Finding CloserSavesMore()
    {
        const string claim = "the closer the questions, the larger the saving", paper = "S1 16.0 %, S2 15.4 %, S4 least";
        var bySimilarity = GridOrder.Similarities.Select(s => analysis.PaperCells.Where(c => c.Paired.Key.Similarity == s).ToList()).ToList();
        if (bySimilarity.Any(c => c.Count == 0))
            return Make(3, claim, paper, null, null, Undecided);
        var trends = new List<double>();
        for (var g = 0; g < analysis.Groups.Count; g++)
        {
            var means = bySimilarity.Select(cells => Average(cells.Select(c => c.Paired.GroupReduction(Measure.Operations, g)))).ToList();
            if (means.All(m => m is not null))
                trends.Add(RankTrend([.. means.Select(m => m!.Value)]));
        }

        var ours = string.Join(", ", GridOrder.Similarities.Zip(bySimilarity,
            (s, cells) => $"{s} {Percent(Average(cells.Select(c => c.Summary.Operations.Reduction)))}"));
        var interval = MeanInterval(trends);
        return Make(3, claim, paper, ours, interval, Decide(interval, negativeAgrees: true));
    }

    private Finding MemoryCanBackfire()
    {
        var cells = analysis.PaperCells.Where(c => c.Paired.Key.Similarity == "S4").ToList();
        var worse = cells.Count(c => c.CheaperOrDearer > 0 || c.LessAccurate);
        return Make(4, "at low similarity memory can backfire", "some cells at S4 cost more", cells.Count == 0 ? null : Text($"{worse}/{cells.Count} cells at S4 dearer or less accurate"), null,
            worse > 0 ? Agrees : cells.Count > 0 && cells.All(c => c.Summary.Verdict == HarmOutcome.Harmless) ? Differs : Undecided);
    }

    private Finding EpisodicBeatsReflective() => Contrast(5, "episodic and parametric memory beat reflective memory",
        "In-Context 27.4 %, reflections 3.6–8.8 %", ["sft", "in-context"], Reflections, static _ => true);

    private Finding InContextBeatsSftEarly() => Contrast(6, "with 1–3 cases In-Context beats SFT",
        "In-Context ahead", ["in-context"], ["sft"], static level => level <= 3);

    private Finding TextSaturates()
    {
        const string claim = "text memories saturate at about 3 cases, SFT keeps improving", paper = "saturation at 3";
        if (analysis.Rounds <= 4)
            return Make(7, claim, paper, null, null, Undecided);
        var text = Trends.Slope(analysis, TextMemories, from: 3)?.Confidence();
        var sft = Trends.Slope(analysis, ["sft"], from: 3);
        if (text is not { } flat || sft?.Confidence() is not { } rising)
            return Make(7, claim, paper, null, null, Undecided);
        var textFlat = flat.Low <= 0 && flat.High >= 0;
        return Make(7, claim, paper, Text($"slopes after level 3, a level: text {Percent((flat.Low + flat.High) / 2)}, SFT {Percent(sft.Value)}"), rising,
            textFlat && rising.IsAbove(0) ? Agrees : rising.IsBelow(0) || flat.IsAbove(0) ? Differs : Undecided);
    }

    private Finding ReflectUpdateSavesMost()
    {
        const string claim = "Reflect-Update saves most of the reflections", paper = "8.8 % against 3.6 % and more";
        var update = MeanOf(["reflect-update"], static _ => true);
        var others = new[] { "reflect", "multi-reflect" }.Select(m => (Name: m, Mean: MeanOf([m], static _ => true))).ToList();
        if (update is null || others.Any(o => o.Mean is null))
            return Make(8, claim, paper, null, null, Undecided);
        var leads = others.Select(o => update.Minus(o.Mean!)).OrderBy(d => d.Value).ToList();
        var intervals = leads.Select(l => l.Confidence()).ToList();
        var ours = $"reflect-update {Percent(update.Value)}, " + string.Join(", ", others.Select(o => $"{o.Name} {Percent(o.Mean!.Value)}"));
        return Make(8, claim, paper, ours, intervals[0],
            intervals.All(i => i?.IsAbove(0) == true) ? Agrees : intervals.Any(i => i?.IsBelow(0) == true) ? Differs : Undecided);
    }

    private Finding Contrast(int id, string claim, string paper, IReadOnlyList<string> left, IReadOnlyList<string> right, Func<int, bool> levels)
    {
        // a mean over memories is only the paper's mean if each of them was measured
        if (left.Concat(right).Any(m => MeanOf([m], levels) is null))
            return Make(id, claim, paper, null, null, Undecided);
        var one = MeanOf(left, levels)!;
        var other = MeanOf(right, levels)!;
        var interval = one.Minus(other).Confidence();
        return Make(id, claim, paper, $"{string.Join(", ", left)} {Percent(one.Value)}; {string.Join(", ", right)} {Percent(other.Value)}", interval,
            Decide(interval, negativeAgrees: false));
    }

    /// <summary>The mean reduction of operations over all cells of these memories, at some levels.</summary>
    private GroupEstimate? MeanOf(IReadOnlyList<string> memories, Func<int, bool> levels) =>
        GroupEstimate.Mean([.. analysis.PaperCells.Where(c => memories.Contains(c.Paired.Key.Memory))
            .Select(c => Analysis.Reduction(c.Paired.Where((with, _) => levels(with.Level), analysis.Groups))).OfType<GroupEstimate>()]);

    private static string Decide(Interval? interval, bool negativeAgrees) =>
        interval is not { } i ? Undecided
        : i.IsAbove(0) ? (negativeAgrees ? Differs : Agrees)
        : i.IsBelow(0) ? (negativeAgrees ? Agrees : Differs)
        : Undecided;

    /// <summary>Spearman's rank correlation with 1, 2, 3, …; ties share their mean rank; all equal is no trend.</summary>
    internal static double RankTrend(IReadOnlyList<double> values)
    {
        var ranks = values.Select(v => values.Count(o => o < v) + (values.Count(o => o.Equals(v)) + 1) / 2.0).ToList();
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

    private static Interval? MeanInterval(List<double> values)
    {
        if (values.Count < 2)
            return null;
        var mean = values.Average();
        var error = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1) / values.Count);
        return Interval.Around(mean, StudentT.InvCDF(0, 1, values.Count - 1, 0.975) * error);
    }

    private static double? Average(IEnumerable<double?> values) => values.Average();

    private static string Percent(double? share) => share is { } s ? Text($"{100 * s:0.0} %") : "unknown";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static Finding Make(int id, string claim, string paper, string? ours, Interval? interval, string verdict) =>
        new(id, claim, paper, ours, interval?.ToArray(), verdict);
}
