using SpeedupLlm.Benchmark.Statistics;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Tests.Statistics;

public sealed class BreakEvenTests
{
    [Fact]
    public void Of_KnownGroups_IsInvestmentOverSaving()
    {
        var even = BreakEven.Of([100, 120, 80, 100], [10, 11, 9, 10])!;
        Assert.Equal((100.0, 10.0, 10.0, BreakEven.Pays), (even.Investment, even.Saving, even.Questions, even.Verdict));
        Assert.True(even.Confidence!.Value.Low < 10 && even.Confidence.Value.High > 10);
    }

    [Theory]
    [InlineData(-10, -11, -9, "never", null)]
    [InlineData(10, -12, -1, "undecided", null)]
    [InlineData(10, -9, 5, "undecided", 50.0)]
    public void Of_NoShownSaving_HasNoEnd(double a, double b, double c, string verdict, double? questions)
    {
        var even = BreakEven.Of([100, 100, 100], [a, b, c])!;
        Assert.Equal(verdict, even.Verdict);
        Assert.Equal(questions, even.Questions is { } n ? Math.Round(n, 9) : null);
        Assert.Null(even.Confidence);
    }

    [Fact]
    public void Of_LearningThatCostsNothing_PaysAtOnce()
    {
        var even = BreakEven.Of([0, 0, 0], [10, 11, 12])!;
        Assert.Equal((0.0, BreakEven.Pays, new Interval(0, 0)), (even.Questions, even.Verdict, even.Confidence));
    }

    [Fact]
    public void Of_OneGroup_IsNull() => Assert.Null(BreakEven.Of([1], [1]));

    [Fact]
    public void Of_SimulatedGroups_CoversTheTruthAndSeldomPaysWithoutSaving()
    {
        const int runs = 800, groups = 12;
        int covered = 0, shown = 0, pays = 0;
        for (var run = 0; run < runs; run++)
        {
            var random = new StreamRandom(StreamKey.Root(run).Child("break-even"));
            double[] invested = new double[groups], saved = new double[groups], nothing = new double[groups];
            for (var g = 0; g < groups; g++)
            {
                // dear groups invest more and save more
                var common = Simulated.Normal(random);
                invested[g] = 400 + 60 * common + 60 * Simulated.Normal(random);
                saved[g] = 50 + 15 * common + 15 * Simulated.Normal(random);
                nothing[g] = 30 * Simulated.Normal(random);
            }

            if (BreakEven.Of(invested, saved) is { Confidence: { } ci })
            {
                shown++;
                covered += ci.Low <= 8 && ci.High >= 8 ? 1 : 0;
            }

            pays += BreakEven.Of(invested, nothing)!.Verdict == BreakEven.Pays ? 1 : 0;
        }

        Assert.True(shown > 0.95 * runs);
        CoverageBound.AssertAtLeast(covered, shown, 0.95);
        CoverageBound.AssertAtMost(pays, runs, 0.025);
    }
}
