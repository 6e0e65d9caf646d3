using SpeedupLlm.Benchmark.Results;

namespace SpeedupLlm.Benchmark.Statistics;

/// <summary>How savings change with experience.</summary>
internal static class Trends
{
    /// <summary>The mean reduction of operations at one level over all cells of these memories, or null.</summary>
    /// <param name="analysis">The run.</param>
    /// <param name="memories">The memories.</param>
    /// <param name="similarity">One similarity, or null for all.</param>
    /// <param name="level">The level.</param>
    public static GroupEstimate? At(Analysis analysis, IReadOnlyList<string> memories, string? similarity, int level) =>
        GroupEstimate.Mean([.. analysis.WithMemory
            .Where(c => memories.Contains(c.Paired.Key.Memory) && (similarity is null || c.Paired.Key.Similarity == similarity))
            .Select(c => Analysis.Reduction(c.Paired.Where((with, _) => with.Level == level, analysis.Groups))).OfType<GroupEstimate>()]);

    /// <summary>The least-squares slope of that over levels, a level; null with fewer than two levels.</summary>
    public static GroupEstimate? Slope(Analysis analysis, IReadOnlyList<string> memories, int from)
    {
        var points = Enumerable.Range(from, Math.Max(0, analysis.Rounds - from + 1))
            .Select(level => (Level: level, At: At(analysis, memories, null, level)))
            .Where(p => p.At is not null).ToList();
        if (points.Count < 2)
            return null;
        var centre = points.Average(p => p.Level);
        var spread = points.Sum(p => (p.Level - centre) * (p.Level - centre));
        return points.Select(p => p.At!.Times((p.Level - centre) / spread)).Aggregate((a, b) => a.Plus(b));
    }

    /// <summary>The memories of the run, in the order of the grid, without the baseline.</summary>
    public static IReadOnlyList<string> Memories(Analysis analysis) =>
        [.. analysis.WithMemory.Select(c => c.Paired.Key.Memory).Distinct().OrderBy(GridOrder.Memory)];
}
