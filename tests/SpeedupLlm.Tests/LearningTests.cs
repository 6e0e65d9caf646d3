using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests;

public sealed class LearningTests : IAsyncDisposable
{
    private readonly InMemoryStore _store = new();
    private readonly FakeTime _clock = new();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    private Solver SolverOf(ScriptedChatClient model, IMemory? memory = null, IExperienceStore? store = null) => new(model, Options(memory, store));

    private SolverOptions Options(IMemory? memory = null, IExperienceStore? store = null) =>
        Solving.Options(new BestOfN(new() { Samples = 2 }), clock: _clock) with { Memory = memory ?? new InContext(), Store = store ?? _store };

    private static SolveRequest Level(int level) => new() { Stream = StreamKey.Root(level) };

    private async Task<Episode?> EpisodeAsync(Solution solution) => await _store.GetEpisodeAsync("local", solution.Id, default);

    [Fact]
    public async Task LearnAsync_Accepted_IsSelfJudgedAndRecalledNextTime()
    {
        var solver = SolverOf(Solving.Answers("42", "42"));
        var (solution, learnt) = await solver.SolveAndLearnAsync(Solving.Question, Level(0), null, default);
        Assert.True(learnt.Usable);
        Assert.Null(learnt.Degraded);
        var episode = (await EpisodeAsync(solution))!;
        Assert.Equal((learnt.Episode, Verdict.SelfJudged, "Try. Answer 42.", "42"), (episode.Id, episode.Verdict, episode.Answer, episode.Final));
        Assert.Equal((_clock.GetUtcNow(), 1m, StopReason.Threshold), (episode.At, episode.Operations, episode.Stop));

        var next = await solver.SolveAsync(Solving.Question, Level(1), default);
        Assert.Equal(episode.Id, Assert.Single(next.Used.Hints).Source);
    }

    [Fact]
    public async Task LearnAsync_NotAccepted_IsKeptButNeverRecalled()
    {
        var solver = SolverOf(Solving.Answers("1", "2", "3", "4"));
        var (solution, learnt) = await solver.SolveAndLearnAsync(Solving.Question, Level(0), null, default);
        Assert.False(learnt.Usable);
        var episode = (await EpisodeAsync(solution))!;
        Assert.Equal((Verdict.Unverified, null, 2), (episode.Verdict, episode.Answer, episode.Attempts.Count));
        Assert.Empty((await solver.SolveAsync(Solving.Question, Level(1), default)).Used.Hints);
    }

    [Fact]
    public async Task TeachAsync_AWorkedSolution_IsRecalledWithoutACallAndKeptOnce()
    {
        var model = Solving.Answers("42");
        var solver = SolverOf(model);
        foreach (var time in Enumerable.Range(0, 2))
        {
            var learnt = await solver.TeachAsync(Solving.Question, "Six sevens. Answer 42.", null, default);
            Assert.True(learnt.Usable, $"time {time}");
            Assert.Null(learnt.Degraded);
            Assert.Empty(learnt.Bill.Charges);
        }

        Assert.Empty(model.Calls);
        Assert.Equal(1, (await _store.CheckAsync(default)).Episodes);
        var hint = Assert.Single((await solver.SolveAsync(Solving.Question, Level(1), default)).Used.Hints);
        var episode = (await _store.GetEpisodeAsync("local", hint.Source, default))!;
        Assert.Equal((Verdict.Verified, "Six sevens. Answer 42.", "42", 0), (episode.Verdict, episode.Answer, episode.Final, episode.Attempts.Count));

        await solver.TeachAsync(Solving.Question, "Seven sixes. Answer 42.", null, default);
        Assert.Equal("Seven sixes. Answer 42.", (await _store.GetEpisodeAsync("local", hint.Source, default))!.Answer);
        await solver.TeachAsync(Solving.Question, "Six sevens. Answer 42.", new() { Caller = new("other") }, default);
        await solver.TeachAsync(Solving.Question, "Six sevens. Answer 42.", new() { Caller = new("local", "somebody") }, default);
        Assert.Equal(3, (await _store.CheckAsync(default)).Episodes);
        await Assert.ThrowsAsync<ArgumentException>(async () => await solver.TeachAsync(Solving.Question, " ", null, default));
    }

    [Theory]
    [InlineData("length")]
    [InlineData("content_filter")]
    public async Task LearnAsync_CutText_IsNeverLearnt(string finish) // case 5
    {
        foreach (var feedback in new[] { null, Feedback.Right })
        {
            var model = ScriptedChatClient.Replies(new ScriptedReply("Answer 42.") { Finish = new ChatFinishReason(finish) });
            var (solution, learnt) = await SolverOf(model).SolveAndLearnAsync(Solving.Question, Level(feedback is null ? 0 : 1), feedback, default);
            Assert.True(solution.Accepted);
            Assert.False(learnt.Usable);
            Assert.Null((await EpisodeAsync(solution))!.Answer);
        }
    }

    [Fact]
    public async Task LearnAsync_Verdict_OverrulesTheScorer()
    {
        var (right, learnt) = await SolverOf(Solving.Answers("1", "2")).SolveAndLearnAsync(Solving.Question, Level(0), Feedback.Right, default);
        Assert.True(learnt.Usable);
        Assert.Equal((Verdict.Verified, "1"), ((await EpisodeAsync(right))!.Verdict, (await EpisodeAsync(right))!.Final));
        var (wrong, refused) = await SolverOf(Solving.Answers("42")).SolveAndLearnAsync(Solving.Question, Level(1), Feedback.Wrong, default);
        Assert.False(refused.Usable);
        Assert.Equal(Verdict.Rejected, (await EpisodeAsync(wrong))!.Verdict);
    }

    [Fact]
    public async Task LearnAsync_Reference_IsLearntInsteadOfTheAnswer()
    {
        var (solution, learnt) = await SolverOf(Solving.Answers("1", "2"))
            .SolveAndLearnAsync(Solving.Question, Level(0), Feedback.Reference("Try six. Answer 42."), default);
        Assert.True(learnt.Usable);
        var episode = (await EpisodeAsync(solution))!;
        Assert.Equal((Verdict.Verified, "Try six. Answer 42.", "42"), (episode.Verdict, episode.Answer, episode.Final));
    }

    [Fact]
    public async Task LearnAsync_WrongAfterwards_ForgetsWhatWasMadeOfIt() // case 23
    {
        var solver = SolverOf(ScriptedApprentice.Create(1), new Reflect());
        var (solution, _) = await solver.SolveAndLearnAsync(Solving.Question, Level(0), null, default);
        Assert.Equal(1, (await _store.CheckAsync(default)).Documents);
        await solver.LearnAsync(solution, Feedback.Wrong, default);
        Assert.Equal(0, (await _store.CheckAsync(default)).Documents);
        Assert.Equal((Verdict.Rejected, false), ((await EpisodeAsync(solution))!.Verdict, (await EpisodeAsync(solution))!.Usable));
        Assert.Empty((await solver.SolveAsync(Solving.Question, Level(1), default)).Used.Hints);
    }

    [Fact]
    public async Task LearnAsync_Twice_LearnsOnce()
    {
        var model = ScriptedApprentice.Create(1);
        var solver = SolverOf(model, new Reflect());
        var (solution, first) = await solver.SolveAndLearnAsync(Solving.Question, Level(0), null, default);
        var again = await solver.LearnAsync(solution, null, default);
        await solver.LearnAsync(solution, Feedback.Right, default);
        Assert.Equal(1, model.Count(PromptTask.Reflect));
        Assert.Equal(1, (await _store.CheckAsync(default)).Episodes);
        Assert.Single(first.Bill.Charges, c => c.Purpose == CallPurpose.Learn);
        Assert.Empty(again.Bill.Charges);
        Assert.Equal(Verdict.Verified, (await EpisodeAsync(solution))!.Verdict);
    }

    [Fact]
    public async Task LearnAsync_LessonThatMisleads_GoesIntoQuarantineWithItsEpisode()
    {
        var model = ScriptedApprentice.Create(1);
        var solver = SolverOf(model, new Reflect());
        var (first, _) = await solver.SolveAndLearnAsync(Solving.Question, Level(0), null, default);
        for (var i = 1; i <= 3; i++)
        {
            var (next, _) = await solver.SolveAndLearnAsync(Solving.Question with { Id = $"q{i}" }, Level(i), Feedback.Wrong, default);
            Assert.Equal(HintKind.Lesson, Assert.Single(next.Used.Hints).Kind);
            Assert.Equal(i, (await EpisodeAsync(first))!.Harmed);
        }
        Assert.Empty((await solver.SolveAsync(Solving.Question, Level(4), default)).Used.Hints);
    }

    [Fact]
    public async Task LearnAsync_RecalledEpisodes_CountWhetherTheyHelped()
    {
        var (first, _) = await SolverOf(Solving.Answers("42")).SolveAndLearnAsync(Solving.Question, Level(0), null, default);
        var recalled = new Parrot(null) { Hints = [new(HintKind.Case, "q", "a", first.Id), new(HintKind.Lesson, "l", null, "no episode")] };
        var solver = SolverOf(Solving.Answers("42", "1", "2", "3", "4"), recalled);
        async Task<(int, int)> CountsAsync() => ((await EpisodeAsync(first))!.Helped, (await EpisodeAsync(first))!.Harmed);

        await solver.SolveAndLearnAsync(Solving.Question with { Id = "b" }, Level(1), Feedback.Right, default);
        Assert.Equal((1, 0), await CountsAsync());
        var (third, _) = await solver.SolveAndLearnAsync(Solving.Question with { Id = "c" }, Level(2), null, default);
        Assert.Equal((1, 1), await CountsAsync());
        await solver.LearnAsync(third, Feedback.Right, default); // it was right after all: the count is corrected, not added to
        Assert.Equal((2, 0), await CountsAsync());
        await solver.LearnAsync(third, Feedback.Right, default);
        Assert.Equal((2, 0), await CountsAsync());
        await solver.SolveAndLearnAsync(Solving.Question with { Id = "d" }, Level(3), Feedback.Reference("Answer 42."), default);
        Assert.Equal((2, 1), await CountsAsync()); // it answered 3, and 42 was right
    }

    [Fact]
    public async Task LearnAsync_LearnBudget_IsItsOwn()
    {
        var model = ScriptedApprentice.Create(1);
        var options = Options(new Reflect()) with { Budget = new() { Calls = 1 }, LearnBudget = new() { Calls = 0 } };
        var (solution, learnt) = await new Solver(model, options).SolveAndLearnAsync(Solving.Question, Level(0), null, default);
        Assert.Single(model.Calls);
        Assert.NotNull(learnt.Degraded);
        Assert.NotNull(await EpisodeAsync(solution)); // the episode came first
    }

    [Fact]
    public async Task SolveAsync_StoreFails_AnswersAndSaysSo() // case 30
    {
        var solver = SolverOf(Solving.Answers("42"), store: new FailingStore { Failure = new IOException("disk full") });
        var (solution, learnt) = await solver.SolveAndLearnAsync(Solving.Question, Level(0), null, default);
        Assert.Equal(("42", "recall: disk full"), (solution.Best!.Final, solution.Degraded));
        Assert.Equal("learn: disk full", learnt.Degraded);
    }

    [Fact]
    public async Task SolveAsync_LessonCallFails_KeepsTheEpisode()
    {
        var model = new ScriptedChatClient(call => call.Task == PromptTask.Reflect ? ScriptedReply.Failing("busy") : "Answer 42.");
        var (solution, learnt) = await SolverOf(model, new Reflect()).SolveAndLearnAsync(Solving.Question, Level(0), null, default);
        Assert.Equal("learn: busy", learnt.Degraded);
        Assert.Single(learnt.Bill.Charges);
        Assert.NotNull(await EpisodeAsync(solution));
        Assert.Equal(0, (await _store.CheckAsync(default)).Documents);
    }

    [Fact]
    public async Task LearnAsync_Cancelled_Throws()
    {
        var solver = SolverOf(Solving.Answers("42"));
        var solution = await solver.SolveAsync(Solving.Question, Level(0), default);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await solver.LearnAsync(solution, null, new(true)));
        Assert.Equal(0, (await _store.CheckAsync(default)).Episodes);
    }

    [Fact]
    public async Task SolveAsync_Callers_ShareNoMemoryAcrossTenantUserAndConversation()
    {
        var solver = SolverOf(ScriptedApprentice.Create(1));
        async Task<int> AskAsync(int level, Caller caller) =>
            (await solver.SolveAndLearnAsync(Solving.Question, new() { Stream = StreamKey.Root(level), Caller = caller }, null, default)).Solution.Used.Hints.Count;
        Assert.Equal(0, await AskAsync(0, new("a", "u", "c")));
        Assert.Equal(0, await AskAsync(1, new("b", "u", "c")));
        Assert.Equal(0, await AskAsync(2, new("a", "v", "c")));
        Assert.Equal(0, await AskAsync(3, new("a", "u", "d")));
        Assert.Equal(1, await AskAsync(4, new("a", "u", "c")));
        Assert.Equal(1, await AskAsync(5, new("a"))); // memory of the whole tenant
    }

    [Fact]
    public async Task SolveAsync_ShortTerm_RemembersTheLastEpisodesOfTheConversation()
    {
        var model = ScriptedApprentice.Create(1);
        var options = Options(new InContext(new() { Cases = 10 }), store: null) with
        {
            Store = _store,
            Horizon = Horizon.ShortTerm,
            ShortTermEpisodes = 2,
            ShortTermConversations = 2,
        };
        await using var solver = new Solver(model, options);
        var level = 0;
        async Task<int> AskAsync(string conversation)
        {
            var question = Question.FromText(FormattableString.Invariant($"What is six times seven, {level}?"));
            var request = new SolveRequest { Stream = StreamKey.Root(level++), Caller = new("local", null, conversation) };
            return (await solver.SolveAndLearnAsync(question, request, null, default)).Solution.Used.Hints.Count;
        }
        Assert.Equal(0, await AskAsync("one"));
        Assert.Equal(1, await AskAsync("one"));
        Assert.Equal(2, await AskAsync("one"));
        Assert.Equal(2, await AskAsync("one")); // bounded
        Assert.Equal(0, await AskAsync("two"));
        Assert.Equal(2, await AskAsync("one"));
        Assert.Equal(0, await AskAsync("three")); // the third conversation: "two" goes, unused for longest
        Assert.Equal(2, await AskAsync("one"));
        Assert.Equal(0, await AskAsync("two"));
        await solver.EndConversationAsync(new("local", null, "one"));
        Assert.Equal(0, await AskAsync("one"));
        Assert.Equal(0, (await _store.CheckAsync(default)).Episodes); // the long-term store saw nothing
    }

    [Fact]
    public async Task SolveAsync_NoStream_DrawsAfreshEachTime()
    {
        var model = ScriptedApprentice.Create(1);
        await using var solver = new Solver(model, Options() with { Stream = null });
        var (one, _) = await solver.SolveAndLearnAsync(Solving.Question, null, null, default);
        var (other, _) = await solver.SolveAndLearnAsync(Solving.Question, null, null, default);
        Assert.NotEqual(one.Id, other.Id);
        Assert.Equal(2, (await _store.CheckAsync(default)).Episodes);
    }

    [Fact]
    public async Task SolveAsync_AnswerFromMemory_NeedsNoSearch()
    {
        var (known, _) = await SolverOf(Solving.Answers("42")).SolveAndLearnAsync(Solving.Question, Level(0), null, default);
        var model = Solving.Answers();
        var solver = SolverOf(model, new Parrot(known.Id));
        var (solution, learnt) = await solver.SolveAndLearnAsync(Solving.Question, Level(1), null, default);
        Assert.Equal((StopReason.Recalled, "42", true, 0m), (solution.Stop, solution.Best!.Final, solution.Accepted, solution.Bill.Operations));
        Assert.Empty(model.Calls);
        Assert.Equal(known.Id, learnt.Episode);
        Assert.Equal(1, (await _store.CheckAsync(default)).Episodes);
        await solver.LearnAsync(solution, Feedback.Wrong, default);
        Assert.Equal(Verdict.Rejected, (await EpisodeAsync(known))!.Verdict);
    }

    [Fact]
    public async Task SolveAsync_AdaptedWeights_DrawButDoNotJudge()
    {
        var model = ScriptedApprentice.Create(0.3);
        var adapter = new AdapterRef("a", "scripted");
        var options = Options(new Parrot(null) { Weights = adapter }) with { Scaling = new SelfRefine(), Scorer = new JudgeScorer() };
        await new Solver(model, options).SolveAsync(Solving.Question, Level(3), default);
        Assert.True(model.Count(PromptTask.Refine) > 0);
        Assert.All(model.Calls, c => Assert.Equal(c.Task is PromptTask.Guess or PromptTask.Refine ? adapter : null, c.Info.Adapter));
    }

    [Fact]
    public async Task SolveAsync_MemoryLongerThanTheContext_IsTrimmedAndTheQuestionIsNot() // case 7
    {
        var hints = Enumerable.Range(0, 8).Select(i => new Hint(HintKind.Case, "word " + new string('x', 400), "Answer 1.", $"e{i:D2}")).ToList();
        var model = new ScriptedChatClient(_ => "Answer 42.") { Traits = new("small", 800, false, true, false, "compact") };
        var solution = await SolverOf(model, new Parrot(null) { Hints = hints }).SolveAsync(Solving.Question, Level(0), default);
        Assert.InRange(solution.Used.Hints.Count, 1, 7);
        Assert.Equal("e07", solution.Used.Hints[^1].Source); // the most similar stands last and stays
        Assert.Contains(Solving.Question.Text, model.Calls[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SolveAsync_QuestionLongerThanTheContext_IsRefused() // case 7
    {
        var model = Solving.Answers().With<ITokenCounter>(new Million());
        var e = await Assert.ThrowsAsync<ContextLengthException>(async () => await SolverOf(model).SolveAsync(Solving.Question, Level(0), default));
        Assert.Equal((1_000_000, 100_000), (e.Needed, e.Limit));
        Assert.Empty(model.Calls);
    }

    [Fact]
    public void Constructor_MemoryNeedsATrainer_IsRefusedAtOnce() =>
        Assert.Throws<MemoryNotSupportedException>(() => SolverOf(Solving.Answers(), new Sft()));

    private sealed class Million : ITokenCounter
    {
        public int Count(IEnumerable<ChatMessage> messages) => 1_000_000;
    }

    /// <summary>A memory that says what it was told to say.</summary>
    private sealed class Parrot(string? source) : IMemory
    {
        public AdapterRef? Weights { get; init; }

        public IReadOnlyList<Hint> Hints { get; init; } = [];

        public string Name => "parrot";

        public ValueTask<Recalled> RecallAsync(Question question, IMemoryContext context, CancellationToken cancellationToken) => ValueTask.FromResult(
            new Recalled(source is null ? null : new("Answer 42.", "42", source, Verdict.Verified), Hints, Weights, SpeedupLlm.Relevancy.Relevance.None));

        public ValueTask LearnAsync(Episode episode, IMemoryContext context, CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
