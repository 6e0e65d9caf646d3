using MathNet.Numerics.Distributions;

namespace SpeedupLlm.Benchmark.Statistics;

/// <summary>An estimate with what each group contributes to its error: the linearisation that ratios, their means and their differences share.</summary>
/// <remarks>
/// <c>value − truth ≈ mean of the influences over groups</c>, so the standard error of any linear combination follows from the combined influences,
/// with the correlation between cells that share groups and baselines kept. Groups are aligned by position in all estimates of a run.
/// </remarks>
internal sealed record GroupEstimate(double Value, double[] Influence)
{
    /// <summary>Groups that carry information; the t distribution has one degree of freedom less.</summary>
    public int Groups { get; init; } = Influence.Length;

    /// <summary>Null with fewer than two groups.</summary>
    public double? StandardError => Groups < 2
        ? null
        : Math.Sqrt(Influence.Sum(e => e * e) / Influence.Length * Groups / Influence.Length / (Groups - 1));

    /// <summary>Two-sided interval with t(G−1), or null.</summary>
    public Interval? Confidence(double level = 0.95) => StandardError is { } error
        ? Interval.Around(Value, StudentT.InvCDF(0, 1, Groups - 1, 0.5 + level / 2) * error)
        : null;

    /// <summary>Two-sided p of <paramref name="hypothesis"/>, or null.</summary>
    public double? PValue(double hypothesis)
    {
        if (StandardError is not { } error)
            return null;
        var distance = Math.Abs(Value - hypothesis);
        if (error <= 1e-12 * Math.Max(1, Math.Abs(hypothesis)))
            return distance <= 1e-12 ? 1 : 0;
        return 2 * StudentT.CDF(0, 1, Groups - 1, -distance / error);
    }

    /// <summary>One minus this: a ratio becomes a reduction.</summary>
    public GroupEstimate Complement() => this with { Value = 1 - Value, Influence = [.. Influence.Select(e => -e)] };

    /// <summary>This times a number.</summary>
    public GroupEstimate Times(double factor) => this with { Value = Value * factor, Influence = [.. Influence.Select(e => e * factor)] };

    /// <summary>The sum of two estimates over the same groups.</summary>
    public GroupEstimate Plus(GroupEstimate other) =>
        new(Value + other.Value, [.. Influence.Zip(other.Influence, (a, b) => a + b)]) { Groups = Math.Max(Groups, other.Groups) };

    /// <summary>The difference of two estimates over the same groups.</summary>
    public GroupEstimate Minus(GroupEstimate other) => Plus(other.Times(-1));

    /// <summary>The mean of estimates over the same groups, or null if there are none.</summary>
    public static GroupEstimate? Mean(IReadOnlyCollection<GroupEstimate> estimates) =>
        estimates.Count == 0 ? null : estimates.Aggregate((a, b) => a.Plus(b)).Times(1.0 / estimates.Count);

    /// <summary>Σ numerator / Σ denominator over groups; null if the denominators sum to nothing. A group without a denominator carries nothing.</summary>
    public static GroupEstimate? Ratio(ReadOnlySpan<double> numerator, ReadOnlySpan<double> denominator, ReadOnlySpan<bool> present)
    {
        double top = 0, bottom = 0;
        var groups = 0;
        for (var g = 0; g < numerator.Length; g++)
        {
            if (!present[g])
                continue;
            top += numerator[g];
            bottom += denominator[g];
            groups++;
        }

        if (groups == 0 || bottom <= 0)
            return null;
        var ratio = top / bottom;
        var influence = new double[numerator.Length];
        // scaled so that the mean over all places is the estimate's error, absent groups contributing nothing
        for (var g = 0; g < influence.Length; g++)
            influence[g] = present[g] ? (numerator[g] - ratio * denominator[g]) / bottom * influence.Length : 0;
        return new(ratio, influence) { Groups = groups };
    }
}

/// <summary>A closed interval.</summary>
internal readonly record struct Interval(double Low, double High)
{
    public static Interval Around(double centre, double halfWidth) => new(centre - halfWidth, centre + halfWidth);

    public bool IsAbove(double value) => Low > value;

    public bool IsBelow(double value) => High < value;

    public double[] ToArray() => [Low, High];
}
