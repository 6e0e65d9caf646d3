using SpeedupLlm.Benchmark.Results;

namespace SpeedupLlm.Benchmark.Statistics;

/// <summary>What is compared.</summary>
internal enum Measure
{
    Operations,
    OutputTokens,
    FullCost,
}

/// <summary>A cell's trials, each beside the trial of the same question without memory, summed by group.</summary>
internal sealed class PairedCell
{
    private readonly double[][] _with = new double[3][];
    private readonly double[][] _baseline = new double[3][];
    private readonly double[] _gained;
    private readonly double[] _trials;
    private readonly bool[] _present;

    private PairedCell(CellKey key, IReadOnlyList<Trial> trials, IReadOnlyList<(Trial With, Trial Baseline)> pairs, IReadOnlyList<int> groups)
    {
        Key = key;
        Trials = trials;
        Pairs = pairs;
        var place = groups.Index().ToDictionary(g => g.Item, g => g.Index);
        for (var m = 0; m < 3; m++)
        {
            _with[m] = new double[groups.Count];
            _baseline[m] = new double[groups.Count];
        }

        _gained = new double[groups.Count];
        _trials = new double[groups.Count];
        _present = new bool[groups.Count];
        foreach (var (with, baseline) in pairs)
        {
            var g = place[with.Group];
            _present[g] = true;
            _trials[g]++;
            _gained[g] += (with.Correct ? 1 : 0) - (baseline.Correct ? 1 : 0);
            foreach (var measure in Enum.GetValues<Measure>())
            {
                _with[(int)measure][g] += Of(with, measure);
                _baseline[(int)measure][g] += Of(baseline, measure);
            }
        }
    }

    public CellKey Key { get; }

    /// <summary>The cell's own trials that count.</summary>
    public IReadOnlyList<Trial> Trials { get; }

    /// <summary>Those that have a trial without memory beside them.</summary>
    public IReadOnlyList<(Trial With, Trial Baseline)> Pairs { get; }

    /// <summary>
    /// The least standard error of the change of accuracy: what a single trial that came out differently would give. Where both arms
    /// answer all alike the observed spread is 0, and a small cell would pass for certain.
    /// </summary>
    public double AccuracyFloor => Pairs.Count == 0 ? 0 : 1.0 / Pairs.Count;

    /// <summary>With memory over without.</summary>
    public GroupRatio Ratio(Measure measure) => new(_with[(int)measure], _baseline[(int)measure], _present);

    /// <summary>The change of accuracy.</summary>
    public GroupRatio Gain() => new(_gained, _trials, _present, AccuracyFloor);

    /// <summary>The same cell with some of its pairs only.</summary>
    public PairedCell Where(Func<Trial, Trial, bool> keep, IReadOnlyList<int> groups) =>
        new(Key, Trials, [.. Pairs.Where(p => keep(p.With, p.Baseline))], groups);

    /// <summary>The reduction of one group, or null.</summary>
    public double? GroupReduction(Measure measure, int place) =>
        _present[place] && _baseline[(int)measure][place] > 0 ? 1 - _with[(int)measure][place] / _baseline[(int)measure][place] : null;

    public static double Of(Trial trial, Measure measure) => measure switch
    {
        Measure.Operations => (double)trial.Operations,
        Measure.OutputTokens => trial.OutputTokens,
        Measure.FullCost => (double)trial.FullCost,
        _ => throw new ArgumentOutOfRangeException(nameof(measure)),
    };

    /// <summary>All cells of a run in their order, paired on group and level.</summary>
    /// <param name="trials">The trials that count.</param>
    /// <param name="groups">All groups of the run, in order: the places of the arrays.</param>
    public static IReadOnlyList<PairedCell> All(IReadOnlyList<Trial> trials, IReadOnlyList<int> groups)
    {
        var cells = trials.GroupBy(t => t.Cell).ToDictionary(c => c.Key, c => c.OrderBy(t => t.Group).ThenBy(t => t.Level).ToList());
        return
        [
            .. cells.OrderBy(c => c.Key.Similarity, StringComparer.Ordinal)
                .ThenBy(c => GridOrder.Scaling(c.Key.Scaling)).ThenBy(c => GridOrder.Memory(c.Key.Memory))
                .Select(c => new PairedCell(c.Key, c.Value, Pair(c.Value, cells.GetValueOrDefault(c.Key.Baseline)), groups)),
        ];
    }

    private static List<(Trial, Trial)> Pair(List<Trial> with, List<Trial>? baseline)
    {
        if (baseline is null)
            return [];
        var byPlace = baseline.ToDictionary(t => (t.Group, t.Level));
        return [.. with.Where(t => byPlace.ContainsKey((t.Group, t.Level))).Select(t => (t, byPlace[(t.Group, t.Level)]))];
    }
}
