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
        Validate(eValues, alpha);
        var sorted = eValues.OrderDescending().ToList();
        // the k-th largest must reach K / (α k)
        for (var k = sorted.Count; k >= 1; k--)
        {
            if (sorted[k - 1] * alpha * k >= sorted.Count)
                return [.. eValues.Select(e => e >= sorted[k - 1])];
        }
        return [.. eValues.Select(_ => false)];
    }

    /// <summary>The least e-value with which one hypothesis more is rejected beside these.</summary>
    /// <param name="others">The e-values of the others, ≥ 0.</param>
    /// <param name="alpha">The false discovery rate, in (0, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static double Needed(IReadOnlyList<double> others, double alpha)
    {
        Validate(others, alpha);
        double LevelOf(int k) => (others.Count + 1) / (alpha * k);
        // as one of k rejected ones it needs the k-th level, and k - 1 others that have reached it
        var most = Enumerable.Range(1, others.Count + 1).Last(k => k == 1 || others.Count(e => e >= LevelOf(k)) >= k - 1);
        return LevelOf(most);
    }

    private static void Validate(IReadOnlyList<double> eValues, double alpha)
    {
        ArgumentNullException.ThrowIfNull(eValues);
        if (!(alpha is > 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "The false discovery rate is in (0, 1).");
        if (eValues.Any(e => !(e >= 0)))
            throw new ArgumentOutOfRangeException(nameof(eValues), "An e-value is at least 0.");
    }
}
