using MathNet.Numerics.Distributions;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Statistics;

/// <summary>Resamples of groups with replacement, the same for every cell, so that what cells share stays shared.</summary>
internal sealed class GroupBootstrap
{
    private readonly int[][] _weights;
    private readonly StreamKey _key;
    private readonly Lazy<double[]> _student;

    /// <param name="groups">How many groups there are.</param>
    /// <param name="resamples">How many resamples.</param>
    /// <param name="key">The stream that the resamples come from.</param>
    public GroupBootstrap(int groups, int resamples, StreamKey key)
    {
        Groups = groups;
        _key = key;
        _student = new(() => [.. Enumerable.Range(0, resamples).Select(i => Student(groups - 1, (i + 0.5) / resamples))]);
        var random = new StreamRandom(key);
        _weights = new int[resamples][];
        for (var b = 0; b < resamples; b++)
        {
            _weights[b] = new int[groups];
            for (var draw = 0; draw < groups; draw++)
                _weights[b][random.Next(groups)]++;
        }
    }

    /// <summary>A quantile of Student's t; with one degree of freedom it is Cauchy's, whose tails are too long for a search.</summary>
    private static double Student(int freedom, double p) => freedom <= 1 ? Math.Tan(Math.PI * (p - 0.5)) : StudentT.InvCDF(0, 1, freedom, p);

    /// <summary>How many groups there are.</summary>
    public int Groups { get; }

    /// <summary>How many resamples there are.</summary>
    public int Count => _weights.Length;

    /// <summary>How often each group was drawn in resample <paramref name="b"/>.</summary>
    public ReadOnlySpan<int> Weights(int b) => _weights[b];

    /// <summary>A draw from t(G−1) a resample, for statistic number <paramref name="index"/>: stands in where resampling shows no variation at all.</summary>
    public double[] StudentDraws(int index)
    {
        var random = new StreamRandom(_key.Child("student").Child(index));
        var draws = new double[Count];
        for (var b = 0; b < draws.Length; b++)
            draws[b] = _student.Value[random.Next(Count)];
        return draws;
    }
}

/// <summary>A ratio of sums over groups, and the same under resampling.</summary>
/// <param name="Numerator">A value a group; 0 where absent.</param>
/// <param name="Denominator">A value a group; 0 where absent.</param>
/// <param name="Present">Which groups were measured.</param>
/// <param name="ErrorFloor">The standard error is never taken to be less: see <see cref="PairedCell.AccuracyFloor"/>.</param>
internal sealed record GroupRatio(double[] Numerator, double[] Denominator, bool[] Present, double ErrorFloor = 0)
{
    /// <summary>The ratio with its influences, or null.</summary>
    public GroupEstimate? Estimate() => GroupEstimate.Ratio(Numerator, Denominator, Present);

    /// <summary>Whether the data themselves vary less than <see cref="ErrorFloor"/>: then resampling them says nothing of the error.</summary>
    public bool IsFloored(ReadOnlySpan<int> weights) => ErrorFloor > 0 && (this with { ErrorFloor = 0 }).Weighted(weights).Error < ErrorFloor;

    /// <summary>Ratio and standard error with groups weighted; NaN if they cannot be had.</summary>
    public (double Ratio, double Error) Weighted(ReadOnlySpan<int> weights)
    {
        double top = 0, bottom = 0, topTop = 0, topBottom = 0, bottomBottom = 0;
        var groups = 0;
        for (var g = 0; g < weights.Length; g++)
        {
            var w = weights[g];
            if (w == 0 || !Present[g])
                continue;
            double a = Numerator[g], b = Denominator[g];
            top += w * a;
            bottom += w * b;
            topTop += w * a * a;
            topBottom += w * a * b;
            bottomBottom += w * b * b;
            groups += w;
        }

        if (groups < 2 || bottom <= 0)
            return (double.NaN, double.NaN);
        var ratio = top / bottom;
        var squares = Math.Max(0, topTop - 2 * ratio * topBottom + ratio * ratio * bottomBottom);
        // sums of squares lose their last digits to cancellation; what is left below that is zero
        if (squares <= 1e-13 * topTop)
            squares = 0;
        var error = Math.Sqrt(squares * groups / (groups - 1)) / bottom;
        return (ratio, Math.Max(error, ErrorFloor));
    }
}
