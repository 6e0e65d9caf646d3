namespace SpeedupLlm.Benchmark.Statistics;

/// <summary>A one-sided claim about a ratio: that it lies below, or above, a bound.</summary>
/// <param name="Ratio">What is claimed of.</param>
/// <param name="Bound">The bound.</param>
/// <param name="Below">True: "less than the bound" is to be shown; false: "more than the bound".</param>
internal sealed record Claim(GroupRatio Ratio, double Bound, bool Below);

/// <summary>The outcome of one claim.</summary>
/// <param name="Shown">Whether it is shown, simultaneously with all others, at the family's level.</param>
/// <param name="Statistic">Studentised distance from the bound, positive on the claimed side; null if it cannot be had.</param>
/// <param name="Critical">The critical value of the step at which the procedure ended for it.</param>
internal sealed record ClaimOutcome(bool Shown, double? Statistic, double Critical);

/// <summary>
/// Shows as many one-sided claims as it can while the chance of a single false one stays below the level: step-down with a studentised bootstrap
/// over groups (Romano and Wolf 2005). Being joint, it uses that cells share baselines and groups.
/// </summary>
internal static class RomanoWolf
{
    /// <summary>Outcomes in the order of <paramref name="claims"/>.</summary>
    public static IReadOnlyList<ClaimOutcome> Test(IReadOnlyList<Claim> claims, GroupBootstrap bootstrap, double level)
    {
        var everyGroupOnce = Enumerable.Repeat(1, bootstrap.Groups).ToArray();
        var statistics = new double?[claims.Count];
        var resampled = new double[claims.Count][];
        for (var k = 0; k < claims.Count; k++)
        {
            var (ratio, error) = claims[k].Ratio.Weighted(everyGroupOnce);
            if (double.IsNaN(ratio))
                continue;
            var sign = claims[k].Below ? 1 : -1;
            statistics[k] = Studentise(sign * (claims[k].Bound - ratio), error);
            if (claims[k].Ratio.IsFloored(everyGroupOnce))
            {
                resampled[k] = bootstrap.StudentDraws(k);
                continue;
            }

            resampled[k] = new double[bootstrap.Count];
            for (var b = 0; b < bootstrap.Count; b++)
            {
                var (again, spread) = claims[k].Ratio.Weighted(bootstrap.Weights(b));
                // a resample that cannot be studentised counts against every claim: small samples stay undecided
                resampled[k][b] = double.IsNaN(again) ? double.PositiveInfinity : Studentise(sign * (ratio - again), spread);
            }
        }

        var open = Enumerable.Range(0, claims.Count).Where(k => statistics[k] is not null).ToList();
        var shown = new bool[claims.Count];
        var critical = double.PositiveInfinity;
        while (open.Count > 0)
        {
            critical = Quantile(open, resampled, bootstrap.Count, level);
            var rejected = open.Where(k => statistics[k] > critical).ToList();
            if (rejected.Count == 0)
                break;
            foreach (var k in rejected)
                shown[k] = true;
            open = [.. open.Except(rejected)];
        }

        return [.. claims.Select((_, k) => new ClaimOutcome(shown[k], statistics[k], critical))];
    }

    private static double Studentise(double distance, double error) =>
        Math.Abs(distance) <= 1e-12 ? 0 : error > 0 ? distance / error : distance > 0 ? double.PositiveInfinity : double.NegativeInfinity;

    private static double Quantile(List<int> open, double[][] resampled, int count, double level)
    {
        var largest = new double[count];
        for (var b = 0; b < count; b++)
            largest[b] = open.Max(k => resampled[k][b]);
        Array.Sort(largest);
        // the (B+1)(1-α)-th of B: conservative
        return largest[Math.Min(count - 1, (int)Math.Ceiling((count + 1) * (1 - level)) - 1)];
    }
}
