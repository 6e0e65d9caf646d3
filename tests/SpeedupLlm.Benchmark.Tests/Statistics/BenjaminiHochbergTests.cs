using SpeedupLlm.Benchmark.Statistics;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Tests.Statistics;

public sealed class BenjaminiHochbergTests
{
    [Fact]
    public void Reject_ExampleOf1995_RejectsTheFirstFour()
    {
        // Benjamini and Hochberg (1995), section 3.2
        double?[] p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0];
        Assert.Equal(4, BenjaminiHochberg.Reject(p, 0.05).Count(r => r));
    }

    [Fact]
    public void Reject_LargerRankPasses_TakesSmallerOnesAlong() =>
        // 0.03 alone misses 0.05·1/2, but 0.04 passes 0.05·2/2
        Assert.Equal([true, true], BenjaminiHochberg.Reject([0.03, 0.04], 0.05));

    [Fact]
    public void Reject_Untested_IsNeverRejectedAndDoesNotCount() =>
        Assert.Equal([false, true, false], BenjaminiHochberg.Reject([null, 0.04, null], 0.05));

    [Fact]
    public void Reject_AllNull_SeldomDiscovers()
    {
        const int runs = 2000;
        var random = new StreamRandom(StreamKey.Root(3).Child("fdr"));
        var wrong = 0;
        for (var run = 0; run < runs; run++)
        {
            var p = Enumerable.Range(0, 40).Select(_ => (double?)random.NextDouble()).ToArray();
            wrong += BenjaminiHochberg.Reject(p, 0.05).Any(r => r) ? 1 : 0;
        }

        CoverageBound.AssertAtMost(wrong, runs, 0.05);
    }
}
