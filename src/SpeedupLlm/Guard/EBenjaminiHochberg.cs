namespace SpeedupLlm.Guard;

/// <summary>Which of several hypotheses to reject so that the expected share of false ones among them is at most α, whatever the dependence (e-BH, arXiv 2009.02824).</summary>
public static class EBenjaminiHochberg
{
    /// <summary>One answer an e-value: whether it is rejected.</summary>
    /// <param name="eValues">E-values, ≥ 0; infinity is allowed.</param>
    /// <param name="alpha">The false discovery rate, in (0, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static IReadOnlyList<bool> Reject(IReadOnlyList<double> eValues, double alpha)
    {
        ArgumentNullException.ThrowIfNull(eValues);
        if (!(alpha is > 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "The false discovery rate is in (0, 1).");
        if (eValues.Any(e => !(e >= 0)))
            throw new ArgumentOutOfRangeException(nameof(eValues), "An e-value is at least 0.");
        var sorted = eValues.OrderDescending().ToList();
        // the k-th largest must reach K / (α k)
        for (var k = sorted.Count; k >= 1; k--)
        {
            if (sorted[k - 1] * alpha * k >= sorted.Count)
                return [.. eValues.Select(e => e >= sorted[k - 1])];
        }
        return [.. eValues.Select(_ => false)];
    }
}
