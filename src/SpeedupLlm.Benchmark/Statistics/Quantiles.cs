namespace SpeedupLlm.Benchmark.Statistics;

/// <summary>Median and 95th percentile: the smallest value that so many are not above. Null of nothing.</summary>
internal readonly record struct Quantiles(double? P50, double? P95)
{
    public static Quantiles Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count == 0 ? default : new(At(sorted, 0.5), At(sorted, 0.95));
    }

    private static double At(List<double> sorted, double share) => sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Count) - 1)];
}
