using SpeedupLlm.Benchmark.Statistics;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Tests.Statistics;

public sealed class GroupEstimateTests
{
    private static readonly bool[] All4 = [true, true, true, true];

    [Fact]
    public void Ratio_KnownNumbers_MatchesHandCalculation()
    {
        var estimate = GroupEstimate.Ratio([1, 2, 3, 2], [4, 4, 4, 4], All4)!;
        Assert.Equal(0.5, estimate.Value, 12);
        // residuals -1, 0, 1, 0 over a mean denominator of 4: variance (2/16)/(4·3)
        Assert.Equal(Math.Sqrt(2.0 / 16 / 12), estimate.StandardError!.Value, 12);
        // t(3) at 97.5 % is 3.182446
        Assert.Equal(0.5 + 3.182446 * Math.Sqrt(2.0 / 16 / 12), estimate.Confidence()!.Value.High, 5);
    }

    [Fact]
    public void Ratio_OfCountsToConstant_IsThePairedTTest()
    {
        double[] differences = [0.5, -0.25, 0.75, 0.25, 0.5];
        var estimate = GroupEstimate.Ratio(differences, [1, 1, 1, 1, 1], [true, true, true, true, true])!;
        var mean = differences.Average();
        var error = Math.Sqrt(differences.Sum(d => (d - mean) * (d - mean)) / 4 / 5);
        Assert.Equal(mean, estimate.Value, 12);
        Assert.Equal(error, estimate.StandardError!.Value, 12);
    }

    [Fact]
    public void Ratio_AbsentGroups_AreAsIfTheyWereNotThere()
    {
        var whole = GroupEstimate.Ratio([1, 2, 3], [4, 5, 4], [true, true, true])!;
        var gaps = GroupEstimate.Ratio([1, 0, 2, 3, 0], [4, 0, 5, 4, 0], [true, false, true, true, false])!;
        Assert.Equal(whole.Value, gaps.Value, 12);
        Assert.Equal(whole.StandardError!.Value, gaps.StandardError!.Value, 12);
        Assert.Equal(whole.PValue(1)!.Value, gaps.PValue(1)!.Value, 12);
    }

    [Fact]
    public void Ratio_NothingToDivideBy_IsNull() => Assert.Null(GroupEstimate.Ratio([1, 2], [0, 0], [true, true]));

    [Fact]
    public void Confidence_OneGroup_IsNull()
    {
        var estimate = GroupEstimate.Ratio([1], [2], [true])!;
        Assert.Equal(0.5, estimate.Value);
        Assert.Null(estimate.Confidence());
        Assert.Null(estimate.PValue(1));
    }

    [Fact]
    public void Minus_SameEstimate_HasNoError()
    {
        var estimate = GroupEstimate.Ratio([1, 2, 4], [3, 5, 4], [true, true, true])!;
        var none = estimate.Minus(estimate);
        Assert.Equal(0, none.Value, 12);
        Assert.Equal(0, none.StandardError!.Value, 12);
    }

    [Fact]
    public void PValue_MatchesInterval_AtItsEnds()
    {
        var estimate = GroupEstimate.Ratio([1, 2, 3, 2], [4, 4, 4, 4], All4)!;
        Assert.Equal(0.05, estimate.PValue(estimate.Confidence()!.Value.High)!.Value, 6);
    }

    // with 20,000 runs of a ratio of 0.49 it covers 93.4 % at 12 groups, 93.8 % at 20, 94.6 % at 60
    [Theory]
    [InlineData(12, 0.6, 0.25)]
    [InlineData(20, 0.3, 0.3)]
    [InlineData(60, 0.6, 0.25)]
    public void Confidence_SimulatedRatios_CoversAsStated(int groups, double with, double without)
    {
        const int runs = 300;
        var truth = Simulated.TrueRatio(with, without);
        var random = new StreamRandom(StreamKey.Root(7).Child("coverage").Child(groups));
        var hits = 0;
        for (var run = 0; run < runs; run++)
        {
            var interval = Simulated.Costs(random, groups, with, without).Estimate()!.Confidence()!.Value;
            hits += interval.Low <= truth && truth <= interval.High ? 1 : 0;
        }

        CoverageBound.AssertAtLeast(hits, runs, 0.95);
    }
}
