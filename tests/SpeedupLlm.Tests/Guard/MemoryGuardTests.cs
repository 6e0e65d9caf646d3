using SpeedupLlm.Compute;
using SpeedupLlm.Guard;

namespace SpeedupLlm.Tests.Guard;

/// <summary>The promises of docs/guard.md, on simulated streams of questions.</summary>
public sealed class MemoryGuardTests
{
    private const int Streams = 1000, Questions = 10_000;

    private static readonly MemoryGuard Guard = new(new());

    [Theory]
    [InlineData(0)] // useless
    [InlineData(0.05)] // a little dearer
    [InlineData(0.35)] // harmful
    public void Streams_MemoryDoesNotHelp_AreAdmittedWithChanceAlphaAtMostAndCostLittle(double dearer)
    {
        var lives = Enumerable.Range(0, Streams).AsParallel().Select(i => Live(i, (_, uses) => uses ? dearer : 0)).ToList();
        Assert.InRange(lives.Count(l => l.Admissions.Count > 0), 0, Bounds.MostOf(Streams, new GuardOptions().Alpha));
        Assert.InRange(lives.Average(l => l.Extra), -0.01, 0.05);
        Assert.InRange(lives.Max(l => l.Extra), -0.01, 0.08);
    }

    [Fact]
    public void Streams_MemoryHelps_AreAdmittedAndSave()
    {
        var lives = Enumerable.Range(0, 100).AsParallel().Select(i => Live(i, (_, uses) => uses ? -0.25 : 0)).ToList();
        Assert.All(lives, l => Assert.InRange(l.Admissions.FirstOrDefault(Questions), 1, 2500));
        // two fifths of the cost are there to be saved; the trial and the controls take little of them
        Assert.InRange(lives.Average(l => l.Extra), -0.4, -0.35);
        Assert.InRange(lives.Count(l => l.Removals.Count > 0), 0, Bounds.MostOf(100, Questions / new GuardOptions().AverageRunLength / 10));
    }

    [Fact]
    public void Streams_MemoryTurnsHarmful_RemoveItSoon()
    {
        const int Change = 5000;
        var lives = Enumerable.Range(0, 100).AsParallel().Select(i => Live(i, (q, uses) => !uses ? 0 : q < Change ? -0.25 : 0.3)).ToList();
        Assert.All(lives, l => Assert.Contains(l.Removals, r => r >= Change));
        Assert.InRange(lives.Average(l => l.Removals.First(r => r >= Change) - Change), 1, 200);
    }

    [Fact]
    public void BeginAdmitted_ByAPrior_IsUsedAtOnceAndTakenBackIfWrong()
    {
        var state = Guard.BeginAdmitted(0.5);
        Assert.Equal(new(true, 1, GuardPhase.Admitted), Guard.Decide(state, 0));
        var questions = 0;
        for (; state.Phase == GuardPhase.Admitted && questions < 1000; questions++)
            state = Guard.After(state, Guard.Decide(state, 0.5), 0.9);
        Assert.InRange(questions, 5, 100);
        Assert.Equal(1, state.Trials);
    }

    [Fact]
    public void After_DecisionOfAnEarlierPhase_CountsItsCostOnly()
    {
        var state = Guard.BeginAdmitted(0.5);
        var next = Guard.After(state, new(true, 0.5, GuardPhase.OnTrial), 0.7);
        Assert.Equal(0.7, next.Spent, 12);
        Assert.Equal(0, next.Dearer!.Count);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    public void After_NoCost_IsRefused(double cost) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Guard.After(Guard.Begin(), new(false, 0, GuardPhase.OnTrial), cost));

    [Fact]
    public void After_CostAboveTheCap_CountsAsTheCap() => Assert.Equal(1, Guard.After(Guard.Begin(), new(false, 0, GuardPhase.OnTrial), double.PositiveInfinity).Spent);

    [Theory]
    [InlineData(0, 10_000, 0.04, 1)]
    [InlineData(1, 10_000, 0.04, 1)]
    [InlineData(double.NaN, 10_000, 0.04, 1)]
    [InlineData(0.05, 1, 0.04, 1)]
    [InlineData(0.05, 10_000, 0, 1)]
    [InlineData(0.05, 10_000, 0.04, 0)]
    public void Options_OutOfRange_AreRefused(double alpha, double runLength, double share, double cap) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new MemoryGuard(new() { Alpha = alpha, AverageRunLength = runLength, ExplorationShare = share, CostCap = cap }));

    /// <summary>What happened in a stream: when memory was admitted and removed, and the cost beyond that of never using it, as a share.</summary>
    private sealed record Life(List<int> Admissions, List<int> Removals, double Extra);

    /// <summary>Costs are one half without memory, widely spread: a search that succeeds at once, or goes to its cap.</summary>
    private static Life Live(int stream, Func<int, bool, double> effect)
    {
        var random = new StreamRandom(StreamKey.Root(2026).Child(stream));
        var state = Guard.Begin();
        var life = new Life([], [], 0);
        double cost = 0, never = 0;
        for (var q = 0; q < Questions; q++)
        {
            var decision = Guard.Decide(state, random.NextDouble());
            var chance = random.NextDouble();
            double Cost(bool uses) => chance < 0.5 + effect(q, uses) ? 0.9 : 0.1;
            cost += Cost(decision.UseMemory);
            never += Cost(false);
            var next = Guard.After(state, decision, Cost(decision.UseMemory));
            if (next.Phase != state.Phase)
                (next.Phase == GuardPhase.Admitted ? life.Admissions : life.Removals).Add(q);
            state = next;
        }
        return life with { Extra = cost / never - 1 };
    }
}
