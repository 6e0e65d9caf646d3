using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests;

/// <summary>The same question asked many times at once.</summary>
public sealed class FlightTests
{
    private static readonly Question Asked = Question.FromText("What is 40 + 2?");

    [Fact]
    public async Task SolveAsync_TheSameQuestionAtOnce_IsSearchedOnce()
    {
        var gate = new TaskCompletionSource();
        var model = Gated(gate.Task, "Try it. Answer 42.");
        await using var solver = Solver(model, new Auto());
        var first = solver.SolveAsync(Asked, CancellationToken.None).AsTask();
        var others = Enumerable.Range(0, 20).Select(i => solver.SolveAsync(Question.FromText(i % 2 == 0 ? "what is 40 + 2" : Asked.Text), CancellationToken.None).AsTask()).ToList();
        gate.SetResult();
        var answers = await Task.WhenAll(others.Prepend(first));
        Assert.All(answers, a => Assert.Equal("42", a.Best!.Final));
        Assert.Single(model.Calls, c => c.Task == PromptTask.Guess);
        Assert.Equal(StopReason.Threshold, answers[0].Stop);
        Assert.All(answers.Skip(1), a => Assert.Equal((StopReason.Recalled, answers[0].Id, 0), (a.Stop, a.Used.Answer!.Source, a.Bill.Charges.Count)));
    }

    [Fact]
    public async Task SolveAsync_FirstFindsNothing_OthersSearchForThemselves()
    {
        var gate = new TaskCompletionSource();
        var model = Gated(gate.Task, "no idea");
        await using var solver = Solver(model, new AnswerCache());
        var all = Enumerable.Range(0, 3).Select(_ => solver.SolveAsync(Asked, CancellationToken.None).AsTask()).ToList();
        gate.SetResult();
        Assert.All(await Task.WhenAll(all), a => Assert.False(a.Accepted));
        Assert.Equal(3 * 8, model.Calls.Count(c => c.Task == PromptTask.Guess));
    }

    [Fact]
    public async Task SolveAsync_FirstIsCancelledOrAnotherWaitsInVain_NobodyHangs()
    {
        var gate = new TaskCompletionSource();
        await using var solver = Solver(Gated(gate.Task, "Try it. Answer 42."), new Auto());
        using CancellationTokenSource one = new(), two = new();
        var first = solver.SolveAsync(Asked, one.Token).AsTask();
        var second = solver.SolveAsync(Asked, two.Token).AsTask();
        var third = solver.SolveAsync(Asked, CancellationToken.None).AsTask();
        await two.CancelAsync();
        await Assert.ThrowsAsync<SolveCancelledException>(() => second);
        await one.CancelAsync();
        gate.SetResult();
        await Assert.ThrowsAsync<SolveCancelledException>(() => first);
        Assert.Equal("42", (await third).Best!.Final);
    }

    [Fact]
    public async Task SolveAsync_OtherTenantOrMemoryThatDoesNotAnswer_SharesNothing()
    {
        var model = Gated(Task.CompletedTask, "Try it. Answer 42.");
        await using (var solver = Solver(model, new Auto()))
            await Task.WhenAll(Enumerable.Range(0, 4).Select(i => solver.SolveAsync(Asked, new SolveRequest { Caller = new($"tenant {i}") }, CancellationToken.None).AsTask()));
        Assert.Equal(4, model.Calls.Count(c => c.Task == PromptTask.Guess));
        await using (var solver = Solver(model, new InContext()))
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => solver.SolveAsync(Asked, CancellationToken.None).AsTask()));
        Assert.Equal(8, model.Calls.Count(c => c.Task == PromptTask.Guess));
    }

    private static Solver Solver(ScriptedChatClient model, IMemory memory) => new(model, new() { Memory = memory, Scorer = new Judge() });

    private static ScriptedChatClient Gated(Task gate, string says) => new(_ => new ScriptedReply(says) { Gate = gate });

    /// <summary>Any final answer will do.</summary>
    private sealed class Judge : IScorer
    {
        public string Name => "any";

        public ValueTask<Score> ScoreAsync(Attempt attempt, ISolveContext context, CancellationToken cancellationToken) =>
            ValueTask.FromResult(new Score(attempt.Final is null ? 0 : 1, null));
    }
}
