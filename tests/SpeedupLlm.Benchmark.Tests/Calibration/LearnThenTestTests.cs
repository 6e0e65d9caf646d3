using MathNet.Numerics.Distributions;
using SpeedupLlm.Benchmark.Calibration;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Tests.Calibration;

public sealed class LearnThenTestTests
{
    private const int Simulations = 400;

    /// <summary>Scores are honest: an attempt with score s is right with chance s. Of those that reach τ, (1 − τ) / 2 are wrong.</summary>
    [Theory]
    [InlineData(0.1)]
    [InlineData(0.2)]
    public void Choose_HonestScores_BreaksThePromiseAtMostAlphaOften(double delta)
    {
        var (broken, found) = (0, 0);
        for (var i = 0; i < Simulations; i++)
        {
            var choice = LearnThenTest.Choose("a simulation", Searches(1500, StreamKey.Root(4).Child(i), score => score), delta, 0.05);
            found += choice.Tau is not null ? 1 : 0;
            broken += choice.Tau is { } tau && (1 - tau) / 2 > delta + 1e-9 ? 1 : 0;
        }

        Assert.InRange(broken, 0, UpperBound(0.05));
        Assert.True(found > Simulations / 10, $"a rule that never finds a threshold keeps any promise; it found {found}");
    }

    /// <summary>Drawing several attempts and taking the first that passes picks lucky scores: the test is of whole searches, so it must see that.</summary>
    [Fact]
    public void Choose_LuckyScores_AreSeenThroughTheWholeSearch()
    {
        // half of the wrong attempts get as high a score as right ones, and right ones are rare
        var searches = Enumerable.Range(0, 2000).Select(i =>
        {
            var random = new StreamRandom(StreamKey.Root(5).Child(i));
            return new DrawnSearch([.. Enumerable.Range(0, 8).Select(_ => random.NextDouble() < 0.1 ? ((double?)0.9, true) : (random.NextDouble() < 0.5 ? 0.9 : 0.1, false))]);
        }).ToList();
        var choice = LearnThenTest.Choose("lucky", searches, 0.5, 0.05);
        Assert.Null(choice.Tau);
        Assert.All(choice.Rows.Where(r => r.Tau <= 0.9 && r.Tau > 0.1), r => Assert.InRange(r.Wrong / (double)r.Accepted, 0.75, 0.9));
    }

    [Fact]
    public void Choose_NothingCanBeShown_SaysTheBestThatCan()
    {
        var choice = LearnThenTest.Choose("few", Searches(10, StreamKey.Root(6), _ => 1), 0.01, 0.05);
        Assert.Null(choice.Tau);
        Assert.InRange(choice.Rows[^1].Accepted, 8, 10);
        Assert.InRange(choice.Rows.Min(r => r.Upper), 0.2, 0.6);
    }

    [Fact]
    public void Choose_AllRight_TakesTheLowestThreshold() =>
        Assert.Equal(0.05, LearnThenTest.Choose("right", [.. Searches(500, StreamKey.Root(7), _ => 1)], 0.1, 0.05).Tau);

    [Theory]
    [InlineData(0, 0.05)]
    [InlineData(1, 0.05)]
    [InlineData(0.1, 0)]
    [InlineData(0.1, double.NaN)]
    public void Choose_OutOfRange_IsRefused(double delta, double alpha) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => LearnThenTest.Choose("a test", [], delta, alpha));

    private static IReadOnlyList<DrawnSearch> Searches(int count, StreamKey stream, Func<double, double> chance) =>
    [
        .. Enumerable.Range(0, count).Select(i =>
        {
            var random = new StreamRandom(stream.Child(i));
            var score = random.NextDouble();
            return new DrawnSearch([(score, random.NextDouble() < chance(score))]);
        }),
    ];

    /// <summary>So many of <see cref="Simulations"/> are compatible with a chance, at 99 %.</summary>
    private static int UpperBound(double chance)
    {
        var bound = 0;
        while (Binomial.CDF(chance, Simulations, bound) < 0.99)
            bound++;
        return bound;
    }
}
