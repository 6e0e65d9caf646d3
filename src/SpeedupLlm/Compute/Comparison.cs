namespace SpeedupLlm.Compute;

/// <summary>Count, mean and sum of squared deviations from it, kept up one observation at a time.</summary>
/// <param name="Count">How many.</param>
/// <param name="Mean">Their mean; 0 of none.</param>
/// <param name="Squares">The sum of squared deviations from the mean.</param>
public readonly record struct Moments(long Count, double Mean, double Squares)
{
    internal double Variance => Count > 1 ? Squares / (Count - 1) : 0;

    internal static Moments Of(double x) => new(1, x, 0);

    /// <summary>Both samples together (Chan, Golub and LeVeque).</summary>
    internal Moments And(Moments other)
    {
        var count = Count + other.Count;
        if (count == 0)
            return this;
        var apart = other.Mean - Mean;
        return new(count, Mean + apart * other.Count / count, Squares + other.Squares + apart * apart * Count * other.Count / count);
    }
}

/// <summary>The moments of two numbers that belong together.</summary>
/// <param name="X">Of the first.</param>
/// <param name="Y">Of the second.</param>
/// <param name="Products">The sum of products of their deviations from the means.</param>
public readonly record struct PairedMoments(Moments X, Moments Y, double Products)
{
    internal long Count => X.Count;

    internal double Covariance => Count > 1 ? Products / (Count - 1) : 0;

    internal static PairedMoments Of(double x, double y) => new(Moments.Of(x), Moments.Of(y), 0);

    internal PairedMoments And(PairedMoments other)
    {
        var count = Count + other.Count;
        return count == 0 ? this : new(X.And(other.X), Y.And(other.Y),
            Products + other.Products + (other.X.Mean - X.Mean) * (other.Y.Mean - Y.Mean) * Count * other.Count / count);
    }
}

/// <summary>Differences of mean costs with 95 % intervals.</summary>
internal static class Comparison
{
    private const double Z = 1.959963984540054;

    /// <summary>Mean without minus mean with, of two samples (Welch).</summary>
    public static Estimate Difference(Moments without, Moments with) =>
        Interval(without.Mean - with.Mean, without.Variance / without.Count, with.Variance / with.Count, without.Count, with.Count);

    /// <summary>1 − mean with / mean without, of two samples (delta method); null if the mean without is 0.</summary>
    public static Estimate? Share(Moments without, Moments with)
    {
        if (!(without.Mean > 0))
            return null;
        var ratio = with.Mean / without.Mean;
        var scale = 1 / (without.Mean * without.Mean);
        return Interval(1 - ratio, ratio * ratio * scale * without.Variance / without.Count, scale * with.Variance / with.Count, without.Count, with.Count);
    }

    /// <summary>The same of one sample of pairs.</summary>
    public static Estimate Difference(PairedMoments both) =>
        Interval(both.X.Mean - both.Y.Mean, Math.Max(0, both.X.Variance + both.Y.Variance - 2 * both.Covariance) / both.Count, 0, both.Count, 2);

    /// <summary>The same of one sample of pairs.</summary>
    public static Estimate? Share(PairedMoments both)
    {
        if (!(both.X.Mean > 0))
            return null;
        var ratio = both.Y.Mean / both.X.Mean;
        var variance = (both.Y.Variance + ratio * ratio * both.X.Variance - 2 * ratio * both.Covariance) / (both.X.Mean * both.X.Mean);
        return Interval(1 - ratio, Math.Max(0, variance) / both.Count, 0, both.Count, 2);
    }

    /// <summary>A share of <paramref name="of"/> with Wilson's interval, which holds near 0 and 1.</summary>
    public static Estimate Wilson(long count, long of)
    {
        var share = count / (double)of;
        var centre = (share + Z * Z / (2 * of)) / (1 + Z * Z / of);
        var half = Z / (1 + Z * Z / of) * Math.Sqrt(share * (1 - share) / of + Z * Z / (4.0 * of * of));
        return new(share, Math.Max(0, centre - half), Math.Min(1, centre + half));
    }

    /// <summary>With the degrees of freedom of Welch and Satterthwaite.</summary>
    private static Estimate Interval(double value, double variance, double otherVariance, long count, long otherCount)
    {
        var sum = variance + otherVariance;
        if (sum <= 0)
            return new(value, value, value);
        var freedom = sum * sum / (variance * variance / (count - 1) + otherVariance * otherVariance / (otherCount - 1));
        var half = Quantile(freedom) * Math.Sqrt(sum);
        return new(value, value - half, value + half);
    }

    /// <summary>The 0.975 quantile of Student's t by its expansion around the normal (Abramowitz and Stegun 26.7.5): to four digits from ten degrees of freedom on.</summary>
    internal static double Quantile(double freedom)
    {
        const double z3 = Z * Z * Z, z5 = z3 * Z * Z, z7 = z5 * Z * Z;
        return Z + (z3 + Z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * Z) / (96 * freedom * freedom)
            + (3 * z7 + 19 * z5 + 17 * z3 - 15 * Z) / (384 * freedom * freedom * freedom);
    }
}
