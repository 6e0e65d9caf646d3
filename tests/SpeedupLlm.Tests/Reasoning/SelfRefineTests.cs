using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests.Reasoning;

public sealed class SelfRefineTests
{
    [Fact]
    public async Task RunAsync_ThirdAnswerAccepted_CallsAnswerFeedbackRefine()
    {
        var model = ScriptedChatClient.Replies("Answer 1.", "wrong one", "Answer 2.", "wrong two", "Answer 42.");
        var solution = await model.SolveAsync(new SelfRefine());
        Assert.Equal(
            [PromptTask.Guess, PromptTask.Feedback, PromptTask.Refine, PromptTask.Feedback, PromptTask.Refine],
            model.Calls.Select(c => c.Task!.Value));
        Assert.Contains("wrong two", model.Calls[4].Text, StringComparison.Ordinal);
        Assert.Contains("Answer 2.", model.Calls[4].Text, StringComparison.Ordinal);
        Assert.Equal((StopReason.Threshold, 3m), (solution.Stop, solution.Bill.Operations));
        Assert.Equal(5, model.Calls.Select(c => c.Info.Stream).Distinct().Count());
    }

    [Fact]
    public async Task RunAsync_FirstAnswerAccepted_AsksForNoFeedback()
    {
        var model = Solving.Answers("42");
        var solution = await model.SolveAsync(new SelfRefine());
        Assert.Single(model.Calls);
        Assert.Equal(1, solution.Bill.Operations);
    }

    [Fact]
    public async Task RunAsync_Limit_StopsAtCapWithBestAnswer()
    {
        var model = new ScriptedChatClient(call => call.Task == PromptTask.Feedback ? "wrong" : $"Answer {(call.Number == 2 ? "4" : "3")}.");
        var solution = await model.SolveAsync(new SelfRefine(new() { Answers = 3 }), Solving.Tenths);
        Assert.Equal(5, model.Calls.Count);
        Assert.Equal((StopReason.Cap, 3m, 1), (solution.Stop, solution.Bill.Operations, solution.Best!.Index));
    }

    [Fact]
    public async Task RunAsync_CallsFail_RefinesTheLastAnswerThatCame()
    {
        var model = ScriptedChatClient.Replies(
            ScriptedReply.Failing(), "Answer 1.", ScriptedReply.Failing(), "feedback", ScriptedReply.Failing(), "feedback", "Answer 42.");
        var solution = await model.SolveAsync(new SelfRefine());
        Assert.Equal(StopReason.Threshold, solution.Stop);
        Assert.Equal([true, false, true, true, false], solution.Attempts.Select(a => a.Error is not null));
        Assert.Equal((2m, 3), (solution.Bill.Operations, solution.Failures.Count));
        Assert.Contains("Answer 1.", model.Calls[6].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_FeedbackFindsNothingWrong_Stops()
    {
        var model = ScriptedChatClient.Replies("Answer 1.", "fine");
        var options = Solving.Options(new SelfRefine()) with { Prompts = new SatisfiedPrompts() };
        var solution = await new Solver(model, options).SolveAsync(Solving.Question, default);
        Assert.Equal((StopReason.Threshold, false), (solution.Stop, solution.Accepted));
    }

    [Fact]
    public async Task RunAsync_BudgetEndsAtFeedback_ReturnsTheFirstAnswer()
    {
        var solution = await Solving.Answers("1").SolveAsync(new SelfRefine(), budget: new() { Calls = 1 });
        Assert.Equal((StopReason.Budget, "1"), (solution.Stop, solution.Best!.Final));
    }

    [Fact]
    public void Constructor_NoAnswers_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => new SelfRefine(new() { Answers = 0 }));
}
