using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Statistics;

/// <summary>A cell with everything that is known of it.</summary>
/// <param name="Summary">What goes into <c>summary.json</c>.</param>
/// <param name="Paired">Its trials beside the baseline's.</param>
/// <param name="CheaperOrDearer">Benjamini–Hochberg on operations: negative is significantly cheaper, positive dearer, 0 neither.</param>
/// <param name="LessAccurate">Benjamini–Hochberg on accuracy: significantly less accurate.</param>
/// <param name="GroupsNeeded">About how many groups would decide an undecided cell; null if it is decided, or if no number would.</param>
internal sealed record AnalysedCell(CellSummary Summary, PairedCell Paired, int CheaperOrDearer, bool LessAccurate, int? GroupsNeeded);

/// <summary>Everything that is computed from the trials of a run. Depends on nothing but manifest and trials.</summary>
internal sealed class Analysis
{
    /// <summary>False discovery rate of "significantly cheaper" and "dearer".</summary>
    private const double DiscoveryRate = 0.05;

    private const int Resamples = 2000;

    private Analysis(IReadOnlyList<PairedCell> cells, IReadOnlyList<int> groups, int rounds, StreamKey key)
    {
        Groups = groups;
        Rounds = rounds;
        Bootstrap = new(groups.Count, Resamples, key);
        Paired = cells;
    }

    /// <summary>The groups of the run; their order is the places of all influences.</summary>
    public IReadOnlyList<int> Groups { get; }

    /// <summary>Levels after level 0.</summary>
    public int Rounds { get; }

    /// <summary>Resamples of the groups.</summary>
    public GroupBootstrap Bootstrap { get; }

    /// <summary>All cells, baselines among them.</summary>
    public IReadOnlyList<PairedCell> Paired { get; }

    /// <summary>The cells in the order of <see cref="Paired"/>.</summary>
    public IReadOnlyList<AnalysedCell> Cells { get; private set; } = [];

    /// <summary>The cells of the paper's grid together.</summary>
    public Overall Overall { get; private set; } = null!;

    /// <summary>What goes into <c>summary.json</c>.</summary>
    public Summary Summary { get; private set; } = null!;

    /// <summary>Cells of the paper's grid with memory.</summary>
    public IEnumerable<AnalysedCell> PaperCells => Cells.Where(c => GridOrder.IsPaperCell(c.Paired.Key));

    /// <summary>All cells with memory at a level of similarity, those beyond the paper's grid among them.</summary>
    public IEnumerable<AnalysedCell> WithMemory => Cells.Where(c => !c.Paired.Key.IsBaseline && GridOrder.Similarities.Contains(c.Paired.Key.Similarity));

    /// <summary>The correlation between the change of operations and that of accuracy.</summary>
    public PearsonOverCells? Correlation { get; private set; }

    /// <summary>The same where both arms were accepted: a failure costs the cap and is wrong, mechanically.</summary>
    public PearsonOverCells? CorrelationWithinSolved { get; private set; }

    public static Analysis Of(Manifest manifest, IReadOnlyList<Trial> trials, IReadOnlyList<Trial> plainCalls)
    {
        var counted = trials.Where(t => t.Level > 0 || t.Similarity == "any").ToList();
        var groups = counted.Select(t => t.Group).Distinct().Order().ToList();
        var key = StreamKey.Root(manifest.Parameters.Seed).Child("statistics");
        var analysis = new Analysis(PairedCell.All(counted, groups), groups, manifest.Parameters.Rounds, key);
        analysis.AnalyseCells(plainCalls, manifest.Prices);
        analysis.Correlation = analysis.Correlate(analysis.PaperCells.Select(c => c.Paired));
        analysis.CorrelationWithinSolved = analysis.Correlate(
            analysis.PaperCells.Select(c => c.Paired.Where((with, baseline) => with.Accepted && baseline.Accepted, groups)));
        analysis.Overall = analysis.SumUp();
        analysis.Summary = new(Summary.CurrentFormat, [.. analysis.Cells.Select(c => c.Summary)], analysis.Overall, new FindingsTable(analysis).All())
        {
            Prices = manifest.Prices == PriceSheet.Relative ? null : manifest.Prices.Name,
            Premises = Theory.Premises.Of(manifest.Parameters, trials),
        };
        return analysis;
    }

    /// <summary>The reduction of operations of a cell, with its influences; null if it cannot be had.</summary>
    public static GroupEstimate? Reduction(PairedCell cell, Measure measure = Measure.Operations) => cell.Ratio(measure).Estimate()?.Complement();

    private PearsonOverCells? Correlate(IEnumerable<PairedCell> cells) =>
        PearsonOverCells.Of([.. cells.Select(c => (c.Ratio(Measure.Operations), c.Gain()))], Bootstrap);

    private void AnalyseCells(IReadOnlyList<Trial> plainCalls, PriceSheet prices)
    {
        var withMemory = Paired.Where(c => !c.Key.IsBaseline).ToList();
        var costs = BenjaminiHochberg.Reject([.. withMemory.Select(c => Reduction(c)?.PValue(0))], DiscoveryRate);
        var gains = BenjaminiHochberg.Reject([.. withMemory.Select(c => c.Gain().Estimate()?.PValue(0))], DiscoveryRate);
        var harms = HarmTest.Judge(withMemory, Bootstrap);
        var plain = plainCalls.ToLookup(t => t.Similarity);
        Cells =
        [
            .. Paired.Select(cell =>
            {
                var place = withMemory.IndexOf(cell);
                var harm = place >= 0 ? harms[place] : HarmOutcome.SameArm;
                var summary = Describe(cell, harm.Verdict, plain[cell.Key.Similarity]) with
                {
                    Bill = cell.Pairs.Count > 0 ? CellBill.Of(cell, prices) : null,
                    Time = CellTime.Of(cell.Trials),
                };
                return new AnalysedCell(
                    summary,
                    cell,
                    place >= 0 && costs[place] ? -Math.Sign(summary.Operations.Reduction ?? 0) : 0,
                    place >= 0 && gains[place] && summary.Accuracy.Change < 0,
                    harm.GroupsNeeded);
            }),
        ];
    }

    private static CellSummary Describe(PairedCell cell, string verdict, IEnumerable<Trial> plainCalls)
    {
        var key = cell.Key;
        var asked = cell.Trials.Select(t => (t.Group, t.Level)).ToHashSet();
        var plain = plainCalls.Where(t => asked.Contains((t.Group, t.Level))).ToList();
        return new(
            key.Similarity,
            key.Scaling,
            key.Memory,
            cell.Trials.Count,
            cell.Trials.Count(t => t.Error is not null),
            cell.Trials.Count(t => t.Accepted),
            CostOf(cell, Measure.Operations),
            CostOf(cell, Measure.OutputTokens),
            CostOf(cell, Measure.FullCost),
            new(Mean(plain, t => (double)t.FullCost), Mean(plain, t => t.Correct ? 1 : 0)),
            Accuracy(cell),
            verdict);
    }

    internal static CostChange CostOf(PairedCell cell, Measure measure)
    {
        var reduction = Reduction(cell, measure);
        return new(
            Mean(cell.Pairs, p => PairedCell.Of(p.Baseline, measure)),
            Mean(cell.Pairs, p => PairedCell.Of(p.With, measure)),
            Finite(reduction?.Value),
            cell.Key.IsBaseline ? [0, 0] : reduction?.Confidence()?.ToArray());
    }

    private static AccuracyChange Accuracy(PairedCell cell)
    {
        var change = cell.Gain().Estimate();
        return new(
            Mean(cell.Pairs, p => p.Baseline.Correct ? 1 : 0),
            Mean(cell.Pairs, p => p.With.Correct ? 1 : 0),
            Finite(change?.Value),
            cell.Key.IsBaseline ? [0, 0] : change?.Confidence()?.ToArray());
    }

    private Overall SumUp()
    {
        var cells = PaperCells.ToList();
        var reductions = cells.Select(c => c.Summary.Operations.Reduction).OfType<double>().ToList();
        var fullCosts = cells.Select(c => c.Summary.FullCost.Reduction).OfType<double>().ToList();
        return new(
            cells.Count,
            reductions.Count(r => r > 0),
            cells.Count(c => c.CheaperOrDearer < 0),
            cells.Count(c => c.CheaperOrDearer > 0),
            reductions.Count > 0 ? reductions.Average() : null,
            reductions.Count > 0 ? reductions.Max() : null,
            fullCosts.Count > 0 ? fullCosts.Average() : null,
            new(Finite(Correlation?.R), Finite(Correlation?.P), Correlation?.Cells ?? cells.Count));
    }

    private static double? Mean<T>(IReadOnlyCollection<T> items, Func<T, double> value) => items.Count > 0 ? items.Average(value) : null;

    private static double? Finite(double? value) => value is { } v && double.IsFinite(v) ? v : null;
}
