using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Benchmark.Statistics;

namespace SpeedupLlm.Benchmark.Sensitivity;

/// <summary>The cells of a run at some levels of experience.</summary>
internal static class SweepAnalysis
{
    /// <param name="trials">The run's trials.</param>
    /// <param name="from">The first level that counts.</param>
    /// <param name="to">The last one.</param>
    public static IReadOnlyList<SweepCell> Of(IReadOnlyList<Trial> trials, int from, int to)
    {
        var counted = trials.Where(t => t.Level >= from && t.Level <= to).ToList();
        var groups = counted.Select(t => t.Group).Distinct().Order().ToList();
        return [.. PairedCell.All(counted, groups).Select(cell => Describe(cell, groups))];
    }

    private static SweepCell Describe(PairedCell cell, List<int> groups)
    {
        var with = !cell.Key.IsBaseline;
        return new(
            cell.Key.Similarity,
            cell.Key.Scaling,
            cell.Key.Memory,
            cell.Trials.Select(t => t.Group).Distinct().Count(),
            cell.Trials.Count,
            cell.Trials.Count(t => t.Error is not null),
            Mean(cell.Trials, groups, t => (double)t.Operations),
            Mean(cell.Trials, groups, t => (double)t.FullCost),
            Mean(cell.Trials, groups, t => t.Correct ? 1 : 0),
            Mean(cell.Trials, groups, t => t.Accepted ? 1 : 0),
            with ? Of(Analysis.Reduction(cell)) : null,
            with ? Of(Analysis.Reduction(cell, Measure.FullCost)) : null,
            with ? Of(cell.Gain().Estimate()) : null);
    }

    private static MeasuredMean Mean(IReadOnlyList<Trial> trials, List<int> groups, Func<Trial, double> value)
    {
        var byGroup = trials.ToLookup(t => t.Group);
        return Of(GroupEstimate.Ratio(
            [.. groups.Select(g => byGroup[g].Sum(value))], [.. groups.Select(g => (double)byGroup[g].Count())], [.. groups.Select(g => byGroup[g].Any())]));
    }

    private static MeasuredMean Of(GroupEstimate? estimate) => new(estimate?.Value, estimate?.Confidence()?.ToArray());
}
