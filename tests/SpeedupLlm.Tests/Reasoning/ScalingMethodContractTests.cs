using SpeedupLlm.Compute;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests.Reasoning;

/// <summary>What every scaling method with every scorer of the catalogue obeys.</summary>
public sealed class ScalingMethodContractTests
{
    public static TheoryData<string, string> All
    {
        get
        {
            var all = new TheoryData<string, string>();
            foreach (var method in Catalogue.ScalingMethods.Names)
            {
                foreach (var scorer in Catalogue.Scorers.Names)
                    all.Add(method, scorer);
            }
            return all;
        }
    }

    private static ScriptedChatClient Model() => ScriptedApprentice.Create(0.25);

    private static IScorer ScorerOf(string name) =>
        name == "oracle" ? new OracleScorer(new() { Reference = _ => "42" }) : Catalogue.Scorers.Create(name);

    /// <summary>All of a solution that may not depend on the clock.</summary>
    private static string Outcome(Solution s) => string.Join('\n',
        s.Attempts.Select(a => a.ToString()).Append($"{s.Stop} {s.Best?.Index} {s.Accepted} {s.Bill.Operations} {s.Id}")
            .Concat(s.Bill.Charges.Select(c => (c with { Elapsed = default }).ToString())));

    [Theory]
    [MemberData(nameof(All))]
    public async Task SolveAsync_SameStream_SameResult(string method, string scorer)
    {
        for (var seed = 0; seed < 5; seed++)
        {
            var one = await Model().SolveAsync(Catalogue.ScalingMethods.Create(method), ScorerOf(scorer), seed: seed);
            var again = await Model().SolveAsync(Catalogue.ScalingMethods.Create(method), ScorerOf(scorer), seed: seed);
            Assert.Equal(Outcome(one), Outcome(again));
        }
    }

    /// <summary>One method and one scorer object for many questions at once: nothing may leak from one into another.</summary>
    [Theory]
    [MemberData(nameof(All))]
    public async Task SolveAsync_ManyAtOnce_GivesWhatEachAloneGives(string method, string scorer)
    {
        var (shared, judge) = (Catalogue.ScalingMethods.Create(method), ScorerOf(scorer));
        await using var solver = new Solver(Model(), Solving.Options(shared, judge));
        var together = await Task.WhenAll(Enumerable.Range(0, 12).Select(i =>
            Task.Run(async () => Outcome(await solver.SolveAsync(Solving.Question with { Id = $"q{i:D2}" }, default)))));
        for (var i = 0; i < together.Length; i++)
        {
            await using var alone = new Solver(Model(), Solving.Options(Catalogue.ScalingMethods.Create(method), ScorerOf(scorer)));
            Assert.Equal(Outcome(await alone.SolveAsync(Solving.Question with { Id = $"q{i:D2}" }, default)), together[i]);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task SolveAsync_AnyCallBudget_IsKept(string method, string scorer)
    {
        var free = await Model().SolveAsync(Catalogue.ScalingMethods.Create(method), ScorerOf(scorer), threshold: 2, seed: 1);
        var needed = free.Bill.Charges.Count;
        for (var calls = 0; calls <= needed; calls++)
        {
            var model = Model();
            var solution = await model.SolveAsync(Catalogue.ScalingMethods.Create(method), ScorerOf(scorer), threshold: 2, budget: new() { Calls = calls }, seed: 1);
            Assert.Equal(calls, model.Calls.Count);
            Assert.Equal(calls, solution.Bill.Charges.Count);
            Assert.Equal(calls < needed ? StopReason.Budget : free.Stop, solution.Stop);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task SolveAsync_AnyTokenOrMoneyBudget_IsKept(string method, string scorer)
    {
        foreach (var cap in new[] { 0, 60, 150, 400, 1000 })
        {
            var tokens = await Model().SolveAsync(Catalogue.ScalingMethods.Create(method), ScorerOf(scorer), threshold: 2, budget: new() { Tokens = cap });
            Assert.True(tokens.Bill.Input + tokens.Bill.Output <= cap);
            var money = await Model().SolveAsync(Catalogue.ScalingMethods.Create(method), ScorerOf(scorer), threshold: 2, budget: new() { Money = cap });
            Assert.True(PriceSheet.Relative.Cost(money.Bill) <= cap);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task SolveAsync_CancelledAtAnyCall_ThrowsAndKeepsTheBill(string method, string scorer)
    {
        var calls = (await Model().SolveAsync(Catalogue.ScalingMethods.Create(method), ScorerOf(scorer), threshold: 2)).Bill.Charges.Count;
        for (var at = 0; at < Math.Min(calls, 12); at++)
        {
            using var source = new CancellationTokenSource();
            var model = new ScriptedChatClient(call =>
            {
                if (call.Number == at)
                    source.Cancel();
                return ScriptedApprentice.Script(0.25)(call);
            });
            var thrown = await Assert.ThrowsAsync<SolveCancelledException>(async () =>
                await model.SolveAsync(Catalogue.ScalingMethods.Create(method), ScorerOf(scorer), threshold: 2, cancellationToken: source.Token));
            Assert.Equal(StopReason.Cancelled, thrown.Solution.Stop);
            Assert.Equal(model.Calls.Count, thrown.Solution.Bill.Charges.Count);
            if (model.Calls.Count <= at)
                Assert.Fail("The call to cancel at was not reached.");
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task SolveAsync_ModelIsDown_EndsWithoutAnAnswer(string method, string scorer)
    {
        var model = new ScriptedChatClient(_ => ScriptedReply.Failing());
        var solution = await model.SolveAsync(Catalogue.ScalingMethods.Create(method), ScorerOf(scorer));
        Assert.Equal(StopReason.Exhausted, solution.Stop);
        Assert.Null(solution.Best);
        Assert.False(solution.Accepted);
        Assert.Equal(0, solution.Bill.Operations);
        Assert.Equal(model.Calls.Count, solution.Failures.Count);
    }

    /// <summary>Recorded, named, priced: what the benchmark keys by.</summary>
    [Theory]
    [MemberData(nameof(All))]
    public async Task SolveAsync_EveryCall_NamesQuestionPurposeAndItsOwnStream(string method, string scorer)
    {
        var model = Model();
        await model.SolveAsync(Catalogue.ScalingMethods.Create(method), ScorerOf(scorer), threshold: 2);
        Assert.All(model.Calls, c => Assert.Equal("q", c.Info.QuestionId));
        Assert.Equal(model.Calls.Count, model.Calls.Select(c => c.Info.Stream).Distinct().Count());
        var keys = model.Calls.Select(c => (c.Text, c.Task, c.Info.Draw));
        Assert.Equal(model.Calls.Count, keys.Distinct().Count()); // a recording can tell all calls apart
    }

    [Fact]
    public void Create_EveryName_MakesTheThingOfThatName()
    {
        Assert.All(Catalogue.ScalingMethods.Names, n => Assert.Equal(n, Catalogue.ScalingMethods.Create(n).Name));
        Assert.All(Catalogue.Scorers.Names, n => Assert.Equal(n, Catalogue.Scorers.Create(n).Name));
        Assert.All(Catalogue.Memories.Names, n => Assert.Equal(n, Catalogue.Memories.Create(n).Name));
        Assert.All(Catalogue.Prompts.Names, n => Assert.Equal(n, Catalogue.Prompts.Create(n).Name));
        Assert.Equal(["best-of-n", "tree-of-thoughts", "self-refine", "long-cot", "self-consistency"], Catalogue.ScalingMethods.Names);
        Assert.Equal(["judge", "p-true", "agreement", "equations", "oracle"], Catalogue.Scorers.Names);
    }

    [Theory]
    [InlineData("best-of")]
    [InlineData("Best-of-N")]
    [InlineData("")]
    public void Create_UnknownName_ListsTheValidOnes(string name)
    {
        var e = Assert.Throws<UnknownNameException>(() => Catalogue.ScalingMethods.Create(name));
        Assert.Equal($"Unknown scaling method '{name}'. Valid: best-of-n, tree-of-thoughts, self-refine, long-cot, self-consistency.", e.Message);
    }
}
