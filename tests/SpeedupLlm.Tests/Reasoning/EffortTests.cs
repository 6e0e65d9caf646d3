using SpeedupLlm.Experience;
using SpeedupLlm.Memory;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests.Reasoning;

/// <summary>What memory says of a search: how large it may be, and whether its attempts need a scorer.</summary>
public sealed class EffortTests
{
    [Theory]
    [InlineData("best-of-n", 1, 8)]
    [InlineData("best-of-n", 0.5, 4)]
    [InlineData("best-of-n", 0.01, 1)]
    [InlineData("self-consistency", 0.25, 2)]
    [InlineData("self-refine", 0.5, 3)]
    [InlineData("tree-of-thoughts", 0.5, 8)]
    [InlineData("tree-of-thoughts", 0.01, 6)] // one path to its end
    public async Task SolveAsync_PartOfTheCap_IsKept(string method, double effort, int operations)
    {
        await using var solver = new Solver(ScriptedApprentice.Create(0.5), Solving.Options(Catalogue.ScalingMethods.Create(method), new FakeScorer(_ => new(0)), threshold: 2) with
        {
            Memory = new Fixed(Recalled.Nothing with { Effort = effort }),
        });
        Assert.Equal(operations, (await solver.SolveAsync(Solving.Question, default)).Bill.Operations);
    }

    [Fact]
    public async Task SolveAsync_PartOfAThought_LimitsItsTokens()
    {
        var model = ScriptedApprentice.Create(1);
        await using var solver = new Solver(model, Solving.Options(new LongCot(new() { MaxTokens = 400 })) with { Memory = new Fixed(Recalled.Nothing with { Effort = 0.25 }) });
        await solver.SolveAsync(Solving.Question, default);
        Assert.Equal(100, model.Calls[0].Options!.MaxOutputTokens);
    }

    [Theory]
    [InlineData(0.9, 0)]
    [InlineData(0.4, 1)] // below τ: asked
    [InlineData(null, 1)]
    public async Task SolveAsync_ExpectedScore_TakesTheScorersPlaceIfItReachesTau(double? expected, int asked)
    {
        var scored = 0;
        var scorer = new FakeScorer(_ =>
        {
            scored++;
            return new(1);
        });
        await using var store = new InMemoryStore();
        await using var solver = new Solver(Solving.Answers("42"), Solving.Options(new BestOfN(), scorer) with { Memory = new Fixed(Recalled.Nothing with { ExpectedScore = expected }), Store = store });
        var (solution, learnt) = await solver.SolveAndLearnAsync(Solving.Question, null, null, default);
        Assert.Equal((asked, true, StopReason.Threshold), (scored, solution.Accepted, solution.Stop));
        Assert.Equal(asked == 0, solution.Best!.Score.IsExpected);
        // what nobody looked at is kept as an episode, and never learnt from
        var episode = await store.GetEpisodeAsync("local", learnt.Episode, default);
        Assert.Equal(asked == 0 ? Verdict.Unverified : Verdict.SelfJudged, episode!.Verdict);
        Assert.Equal(asked > 0, episode.Usable);
    }

    [Fact]
    public async Task SolveAsync_ExpectedScore_NeedsAFinalAnswerThatTheModelEndedItself()
    {
        var scored = 0;
        var scorer = new FakeScorer(_ =>
        {
            scored++;
            return new(0);
        });
        var model = ScriptedChatClient.Replies([new ScriptedReply("No idea."), new ScriptedReply("Try. Answer 4.") { Finish = Microsoft.Extensions.AI.ChatFinishReason.Length }]);
        await using var solver = new Solver(model, Solving.Options(new BestOfN(new() { Samples = 2 }), scorer) with { Memory = new Fixed(Recalled.Nothing with { ExpectedScore = 0.9 }) });
        var solution = await solver.SolveAsync(Solving.Question, default);
        Assert.False(solution.Accepted);
        Assert.Equal(1, scored);
    }

    /// <summary>A memory that always gives the same.</summary>
    private sealed class Fixed(Recalled recalled) : IMemory
    {
        public string Name => "fixed";

        public ValueTask<Recalled> RecallAsync(Question question, IMemoryContext context, CancellationToken cancellationToken) => ValueTask.FromResult(recalled);

        public ValueTask LearnAsync(Episode episode, IMemoryContext context, CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
