using MathNet.Numerics.Distributions;

namespace SpeedupLlm.Benchmark.Statistics;

/// <summary>How the change of cost goes with the change of accuracy over cells; its error from resampling groups in all cells at once.</summary>
/// <param name="R">Pearson's correlation.</param>
/// <param name="P">Two-sided p of no correlation, or null.</param>
/// <param name="Confidence">95 % interval, or null.</param>
/// <param name="Cells">How many cells.</param>
internal sealed record PearsonOverCells(double R, double? P, Interval? Confidence, int Cells)
{
    /// <summary>Null with fewer than three cells, or if one side does not vary.</summary>
    /// <param name="pairs">A cell each: with memory over baseline cost, and the change of accuracy.</param>
    /// <param name="bootstrap">The resamples.</param>
    public static PearsonOverCells? Of(IReadOnlyList<(GroupRatio Cost, GroupRatio Accuracy)> pairs, GroupBootstrap bootstrap)
    {
        var once = Enumerable.Repeat(1, bootstrap.Groups).ToArray();
        if (Correlation(pairs, once) is not { } r)
            return null;
        var transformed = new List<double>(bootstrap.Count);
        for (var b = 0; b < bootstrap.Count; b++)
        {
            if (Correlation(pairs, bootstrap.Weights(b)) is { } again)
                transformed.Add(Fisher(again));
        }

        // resamples that cannot be computed are rare with enough groups; with few, nothing is claimed
        if (transformed.Count < 0.9 * bootstrap.Count || bootstrap.Groups < 3)
            return new(r, null, null, pairs.Count);
        var mean = transformed.Average();
        var error = Math.Sqrt(transformed.Sum(z => (z - mean) * (z - mean)) / (transformed.Count - 1));
        if (error <= 0)
            return new(r, null, null, pairs.Count);
        var freedom = bootstrap.Groups - 1;
        var half = StudentT.InvCDF(0, 1, freedom, 0.975) * error;
        var p = 2 * StudentT.CDF(0, 1, freedom, -Math.Abs(Fisher(r)) / error);
        return new(r, p, new(Math.Tanh(Fisher(r) - half), Math.Tanh(Fisher(r) + half)), pairs.Count);
    }

    private static double Fisher(double r) => Math.Atanh(Math.Clamp(r, -0.999999, 0.999999));

    private static double? Correlation(IReadOnlyList<(GroupRatio Cost, GroupRatio Accuracy)> pairs, ReadOnlySpan<int> weights)
    {
        double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
        foreach (var (cost, accuracy) in pairs)
        {
            var a = cost.Weighted(weights).Ratio;
            var b = accuracy.Weighted(weights).Ratio;
            if (double.IsNaN(a) || double.IsNaN(b))
                continue;
            n++;
            x += a;
            y += b;
            xx += a * a;
            yy += b * b;
            xy += a * b;
        }

        if (n < 3)
            return null;
        var varX = xx - x * x / n;
        var varY = yy - y * y / n;
        return varX <= 1e-12 * xx || varY <= 1e-12 * Math.Max(yy, 1e-300) ? null : (xy - x * y / n) / Math.Sqrt(varX * varY);
    }
}
