using SpeedupLlm.Benchmark.Statistics;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Tests.Statistics;

public sealed class RomanoWolfTests
{
    [Fact]
    public void Test_AllOnTheBound_SeldomShowsAny()
    {
        // the truth lies exactly on the bound of every claim: the chance that any is shown is at most 5 %
        const int runs = 250, groups = 30, cells = 8;
        var random = new StreamRandom(StreamKey.Root(11).Child("family"));
        var wrong = 0;
        for (var run = 0; run < runs; run++)
        {
            var claims = Enumerable.Range(0, cells).Select(_ => new Claim(Simulated.Costs(random, groups, 0.4, 0.4), 1, Below: true)).ToList();
            var bootstrap = new GroupBootstrap(groups, 400, StreamKey.Root(run));
            wrong += RomanoWolf.Test(claims, bootstrap, 0.05).Any(o => o.Shown) ? 1 : 0;
        }

        CoverageBound.AssertAtMost(wrong, runs, 0.05);
    }

    [Fact]
    public void Test_ClearlyInside_IsShown()
    {
        var random = new StreamRandom(StreamKey.Root(12).Child("power"));
        var claims = Enumerable.Range(0, 10).Select(i => new Claim(Simulated.Costs(random, 40, i < 5 ? 0.9 : 0.4, 0.3), 1.05, Below: true)).ToList();
        var shown = RomanoWolf.Test(claims, new GroupBootstrap(40, 1000, StreamKey.Root(5)), 0.05);
        Assert.All(shown.Take(5), o => Assert.True(o.Shown));
    }

    [Fact]
    public void Test_StepDown_ShowsMoreThanOneStep()
    {
        // the first is far inside; once it is shown, the second needs to beat only its own quantile
        var random = new StreamRandom(StreamKey.Root(4).Child("step"));
        var strong = new Claim(Simulated.Costs(random, 40, 0.9, 0.2), 1, true);
        var outcomes = RomanoWolf.Test([strong, new(Simulated.Costs(random, 40, 0.3, 0.3), 1, true)], new GroupBootstrap(40, 2000, StreamKey.Root(2)), 0.05);
        var alone = RomanoWolf.Test([new(Simulated.Costs(random, 40, 0.3, 0.3), 1, true), strong], new GroupBootstrap(40, 2000, StreamKey.Root(2)), 0.05);
        Assert.True(outcomes[0].Shown);
        Assert.True(outcomes[1].Critical < 2.1, FormattableString.Invariant($"after the step one claim is open: its critical value is {outcomes[1].Critical}"));
        Assert.True(alone[1].Shown);
    }

    [Fact]
    public void Judge_FewGroups_StaysUndecided()
    {
        // three groups where both arms come out alike everywhere: nothing differs, and nothing is shown
        var same = new GroupRatio([4, 4, 4], [4, 4, 4], [true, true, true]);
        var gains = new GroupRatio([0, 0, 0], [4, 4, 4], [true, true, true], 1.0 / 12);
        var outcomes = RomanoWolf.Test([new(same, 1.05, true), new(gains, -0.02, false)], new GroupBootstrap(3, 2000, StreamKey.Root(1)), 0.05);
        Assert.False(outcomes[1].Shown);
    }

    [Fact]
    public void Test_SameSeed_SameOutcome()
    {
        var random = new StreamRandom(StreamKey.Root(9));
        var claims = Enumerable.Range(0, 6).Select(_ => new Claim(Simulated.Costs(random, 20, 0.4, 0.35), 1.05, true)).ToList();
        Assert.Equal(
            RomanoWolf.Test(claims, new GroupBootstrap(20, 500, StreamKey.Root(8)), 0.05),
            RomanoWolf.Test(claims, new GroupBootstrap(20, 500, StreamKey.Root(8)), 0.05));
    }
}
