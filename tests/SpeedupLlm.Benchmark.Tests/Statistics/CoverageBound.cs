using MathNet.Numerics.Distributions;

namespace SpeedupLlm.Benchmark.Tests.Statistics;

/// <summary>A simulated rate disagrees with its nominal value only when an exact 99 % binomial bound excludes it (docs/protocol.md).</summary>
internal static class CoverageBound
{
    public static void AssertAtLeast(int hits, int runs, double nominal) =>
        Assert.True(Upper(hits, runs) >= nominal, FormattableString.Invariant($"{hits} of {runs} is below {nominal}: the 99 % bound is {Upper(hits, runs):0.0000}"));

    public static void AssertAtMost(int hits, int runs, double nominal) =>
        Assert.True(Lower(hits, runs) <= nominal, FormattableString.Invariant($"{hits} of {runs} is above {nominal}: the 99 % bound is {Lower(hits, runs):0.0000}"));

    /// <summary>Clopper–Pearson, one-sided 99 %.</summary>
    private static double Upper(int hits, int runs) => hits == runs ? 1 : Beta.InvCDF(hits + 1, runs - hits, 0.99);

    private static double Lower(int hits, int runs) => hits == 0 ? 0 : Beta.InvCDF(hits, runs - hits + 1, 0.01);
}
