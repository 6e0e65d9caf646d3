using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests;

public sealed class StreamingTests
{
    private static async Task<List<SolveEvent>> ListenAsync(ScriptedChatClient model, IScalingMethod method)
    {
        var events = new List<SolveEvent>();
        await foreach (var e in new Solver(model, Solving.Options(method)).StreamAsync(Solving.Question, null, default))
            events.Add(e);
        return events;
    }

    [Fact]
    public async Task StreamAsync_BestOfN_TellsWhatHappensInOrder()
    {
        var events = await ListenAsync(Solving.Answers("1", "42"), new BestOfN());
        Assert.IsType<RecallDone>(events[0]);
        Assert.Equal("Try. Answer 1.", string.Concat(events.OfType<AttemptDelta>().Where(d => d.Attempt == 0).Select(d => d.Text)));
        Assert.Equal("Try. Answer 42.", string.Concat(events.OfType<AttemptDelta>().Where(d => d.Attempt == 1).Select(d => d.Text)));
        Assert.Equal([0, 1], events.OfType<AttemptScored>().Select(s => s.Attempt.Index));
        Assert.True(events.FindIndex(e => e is AttemptScored) < events.FindIndex(e => e is AttemptDelta { Attempt: 1 }));
        Assert.Equal("Try. Answer 42.", string.Concat(events.OfType<AnswerDelta>().Select(d => d.Text)));
        Assert.Equal("42", Assert.IsType<Finished>(events[^1]).Solution.Best!.Final);
    }

    [Fact]
    public async Task StreamAsync_Listening_ChangesNothingButTheWayTextComes()
    {
        foreach (var name in Catalogue.ScalingMethods.Names)
        {
            var method = Catalogue.ScalingMethods.Create(name);
            var alone = await ScriptedApprentice.Create(0.3).SolveAsync(method);
            var heard = (await ListenAsync(ScriptedApprentice.Create(0.3), method)).OfType<Finished>().Single().Solution;
            Assert.Equal(alone.Attempts, heard.Attempts);
            Assert.Equal((alone.Stop, alone.Bill.Operations, alone.Bill.Output), (heard.Stop, heard.Bill.Operations, heard.Bill.Output));
        }
    }

    /// <summary>Judging, feedback and proposals are not for the user's eyes.</summary>
    [Fact]
    public async Task StreamAsync_OnlyAttempts_AreStreamed()
    {
        var model = ScriptedApprentice.Create(0.3);
        await foreach (var _ in new Solver(model, Solving.Options(new SelfRefine(), new SpeedupLlm.Scoring.JudgeScorer())).StreamAsync(Solving.Question, null, default))
        {
        }
        Assert.All(model.Calls, c => Assert.Equal(c.Task is PromptTask.Guess or PromptTask.Refine, c.Streamed));
    }

    [Fact]
    public async Task StreamAsync_ListenerLeaves_CancelsAndTellsTheLedger() // case 6
    {
        var ended = new List<Solution>();
        var never = new TaskCompletionSource();
        var model = new ScriptedChatClient(call => new("Try. Answer 1.") { Gate = call.Number == 1 ? never.Task : null });
        var solver = new Solver(model, Solving.Options(new BestOfN()) with { Ended = ended.Add });
        await foreach (var e in solver.StreamAsync(Solving.Question, null, default))
        {
            if (e is AttemptDelta { Attempt: 1 })
                break;
        }
        var solution = Assert.Single(ended);
        Assert.Equal((StopReason.Cancelled, 2), (solution.Stop, solution.Bill.Charges.Count));
        Assert.Equal("1", solution.Best!.Final);
        Assert.Equal(2, model.Calls.Count);
    }

    [Fact]
    public async Task StreamAsync_CallerCancels_ThrowsToTheListener()
    {
        using var source = new CancellationTokenSource();
        var never = new TaskCompletionSource();
        var model = new ScriptedChatClient(call => new("Try. Answer 1.") { Gate = call.Number == 1 ? never.Task : null });
        var solver = new Solver(model, Solving.Options(new BestOfN()));
        await Assert.ThrowsAsync<SolveCancelledException>(async () =>
        {
            await foreach (var e in solver.StreamAsync(Solving.Question, null, source.Token))
            {
                if (e is AttemptScored)
                    await source.CancelAsync();
            }
        });
    }
}
