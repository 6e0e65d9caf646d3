using SpeedupLlm.Compute;
using SpeedupLlm.Guard;

namespace SpeedupLlm.Tests.Guard;

public sealed class BettingTestTests
{
    private static readonly BettingTest Half = BettingTest.AtLeast(0.5, 0, 1);

    [Fact]
    public void EValue_UnderTheHypothesis_CannotBeExpectedToGrow()
    {
        // exactly, over every sequence of four draws from a two-point law, whose mean may depend on what came before
        foreach (var mean in (double[])[0.5, 0.6, 0.9])
            Assert.InRange(Expected(Half, 4, mean), 0, 1 + 1e-12);
        static double Expected(BettingTest test, int left, double mean)
        {
            if (left == 0)
                return test.EValue;
            var now = test.EValue > 1 ? Math.Min(1, mean + 0.1) : mean;
            return now * Expected(test.After(1), left - 1, mean) + (1 - now) * Expected(test.After(0), left - 1, mean);
        }
    }

    [Fact]
    public void EValue_AtTheBorder_StaysTheSameOnAverage() => Assert.Equal(1, (Half.After(1).EValue + Half.After(0).EValue) / 2, 12);

    [Fact]
    public void EValue_TrueHypothesis_SeldomReachesTheLevelEver()
    {
        var reached = Enumerable.Range(0, 1000).Count(i => Reaches(i, 2000, r => r.NextDouble() < 0.5 ? 0.1 : 0.9));
        Assert.InRange(reached, 0, Bounds.MostOf(1000, 0.05));
    }

    [Fact]
    public void EValue_FalseHypothesis_ReachesTheLevelSoon()
    {
        var reached = Enumerable.Range(0, 200).Count(i => Reaches(i, 150, r => r.NextDouble() < 0.25 ? 1 : 0));
        Assert.InRange(reached, 190, 200);
    }

    [Fact]
    public void After_ManyObservations_NeverOverflowsNorVanishes()
    {
        var (up, down) = (Half, Half);
        for (var i = 0; i < 5000; i++)
            (up, down) = (up.After(0), down.After(1));
        Assert.True(double.IsFinite(up.LogEValue) && up.LogEValue > 1000);
        Assert.True(double.IsFinite(down.LogEValue) && down.EValue >= 0);
        Assert.Equal(5000, up.Count);
        Assert.Equal(up.After(0.3).LogEValue, Half.From(up.LogWealth, up.Count).After(0.3).LogEValue);
    }

    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(1, 0, 1)]
    [InlineData(double.NaN, 0, 1)]
    [InlineData(0.5, 0, double.PositiveInfinity)]
    public void AtLeast_MeanOutsideTheBounds_IsRefused(double mean, double low, double high) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => BettingTest.AtLeast(mean, low, high));

    [Theory]
    [InlineData(-0.01)]
    [InlineData(1.01)]
    [InlineData(double.NaN)]
    public void After_ObservationOutsideTheBounds_IsRefused(double observation) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Half.After(observation));

    private static bool Reaches(int stream, int length, Func<StreamRandom, double> draw)
    {
        var random = new StreamRandom(StreamKey.Root(7).Child(stream));
        var test = Half;
        for (var i = 0; i < length; i++)
        {
            test = test.After(draw(random));
            if (test.EValue >= 20)
                return true;
        }
        return false;
    }
}
