using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Benchmark.Statistics;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Theory;

/// <summary>
/// Tests the premises of the paper's theorems on the trials of a run, for any scaling method. Theorem 1 needs that the chance of acceptance does not
/// fall with experience. Theorem 2, restated: if, for each question and independently of others, acceptance within the first k operations is at least
/// as likely with memory for every k (stochastic dominance), then expected operations do not rise, since they are the sum of the chances that k did not do.
/// </summary>
internal static class Premises
{
    public const string Holds = "holds", Fails = "fails", Undecided = "undecided";

    /// <summary>A chance may be lower by so much and still pass as not lower.</summary>
    private const double Margin = 0.02;

    private const double Level = 0.05;

    /// <summary>Operations are looked at where a tenth, a fifth, … of the searches have ended: tokens have too many values.</summary>
    private const int Places = 10;

    private const int Resamples = 2000;

    /// <summary>A row a cell with memory, in the order of the cells.</summary>
    public static IReadOnlyList<PremiseCheck> Of(ExperimentSettings settings, IReadOnlyList<Trial> trials)
    {
        var counted = trials.Where(t => t.Level > 0 || t.Similarity == Experiment.AnySimilarity).ToList();
        var groups = counted.Select(t => t.Group).Distinct().Order().ToList();
        var cells = PairedCell.All(counted, groups).Where(c => !c.Key.IsBaseline && c.Pairs.Count > 0).ToList();
        if (cells.Count == 0)
            return [];
        var bootstrap = new GroupBootstrap(groups.Count, Resamples, StreamKey.Root(settings.Seed).Child("theory"));
        var chances = cells.Select(c => Chances(c, groups)).ToList();
        var all = chances.SelectMany(c => c.Select(p => p.Change)).ToList();
        var notLower = RomanoWolf.Test([.. all.Select(r => new Claim(r, -Margin, Below: false))], bootstrap, Level);
        var lower = RomanoWolf.Test([.. all.Select(r => new Claim(r, 0, Below: true))], bootstrap, Level);
        var checks = new List<PremiseCheck>(cells.Count);
        var at = 0;
        foreach (var (cell, own) in cells.Zip(chances))
        {
            var range = Enumerable.Range(at, own.Count).ToList();
            at += own.Count;
            var verdict = range.Any(i => lower[i].Shown) ? Fails : range.All(i => notLower[i].Shown) ? Holds : Undecided;
            var early = range.Skip(1).Select(i => (Place: own[i - range[0]].Operations, Change: Change(all[i], lower[i], notLower[i], own[i - range[0]].Operations)))
                .OrderBy(p => p.Change.Change ?? 0).Select(p => p.Change).FirstOrDefault() ?? new(null, null, null, null);
            checks.Add(new(cell.Key.Similarity, cell.Key.Scaling, cell.Key.Memory, cell.Pairs.Count,
                Change(all[range[0]], lower[range[0]], notLower[range[0]], null), early, Analysis.CostOf(cell, Measure.Operations), verdict));
        }

        return checks;
    }

    /// <summary>The change of the chance of acceptance: first of the whole search, then within so many operations.</summary>
    private static List<(double? Operations, GroupRatio Change)> Chances(PairedCell cell, IReadOnlyList<int> groups)
    {
        var ends = cell.Pairs.SelectMany(p => new[] { (double)p.With.Operations, (double)p.Baseline.Operations }).Order().ToList();
        var places = Enumerable.Range(1, Places - 1).Select(i => ends[i * ends.Count / Places]).Distinct().Where(o => o < ends[^1]).ToList();
        return
        [
            (null, Change(cell, groups, static t => t.Accepted)),
            .. places.Select(o => ((double?)o, Change(cell, groups, t => t.Accepted && (double)t.Operations <= o))),
        ];
    }

    private static GroupRatio Change(PairedCell cell, IReadOnlyList<int> groups, Func<Trial, bool> holds)
    {
        var place = groups.Index().ToDictionary(g => g.Item, g => g.Index);
        double[] change = new double[groups.Count], trials = new double[groups.Count];
        var present = new bool[groups.Count];
        foreach (var (with, baseline) in cell.Pairs)
        {
            var g = place[with.Group];
            change[g] += (holds(with) ? 1 : 0) - (holds(baseline) ? 1 : 0);
            trials[g]++;
            present[g] = true;
        }

        return new(change, trials, present, cell.AccuracyFloor);
    }

    private static PremiseChange Change(GroupRatio ratio, ClaimOutcome lower, ClaimOutcome notLower, double? at)
    {
        if (ratio.Numerator.Length < 2 || ratio.Weighted(Enumerable.Repeat(1, ratio.Numerator.Length).ToArray()) is not { Ratio: not double.NaN } estimate)
            return new(null, null, null, at);
        double? Bound(ClaimOutcome claim, int sign) => double.IsFinite(claim.Critical) ? Math.Clamp(estimate.Ratio + sign * claim.Critical * estimate.Error, -1, 1) : null;
        return new(estimate.Ratio, Bound(notLower, -1), Bound(lower, 1), at);
    }
}
