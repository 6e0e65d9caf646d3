using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests.Scoring;

public sealed class JudgeScorerTests
{
    private static async Task<(Score Score, ScriptedChatClient Model)> JudgeAsync(IPromptSet prompts, params ScriptedReply[] replies)
    {
        var model = ScriptedChatClient.Replies(["Answer 42.", .. replies]);
        var options = Solving.Options(new BestOfN(new() { Samples = 1 }), new JudgeScorer()) with { Prompts = prompts };
        var solution = await new Solver(model, options).SolveAsync(Solving.Question, default);
        return (solution.Attempts[0].Score, model);
    }

    [Fact]
    public async Task ScoreAsync_Factored_RestatesVerifiesBlindAndCompares()
    {
        var (score, model) = await JudgeAsync(new CompactPrompts(), "40 + 2.", "40 + 2 = 42.", "answer yes, good.");
        Assert.Equal(1, score.Value);
        Assert.Equal([PromptTask.Restate, PromptTask.Verify, PromptTask.Compare], model.Calls.Skip(1).Select(c => c.Task!.Value));
        Assert.DoesNotContain("42", model.Calls[2].Text, StringComparison.Ordinal); // blind: neither question nor attempt
        Assert.Contains("40 + 2 = 42", model.Calls[3].Text, StringComparison.Ordinal);
        Assert.All(model.Calls.Skip(1), c => Assert.Equal(CallPurpose.Score, c.Info.Purpose));
    }

    [Theory]
    [InlineData("good.", 1.0)]
    [InlineData("answer no, bad", 0.0)]
    public async Task ScoreAsync_OneCall_ReadsTheVerdict(string verdict, double expected)
    {
        var (score, model) = await JudgeAsync(new SatisfiedPrompts(), verdict);
        Assert.Equal((expected, 2), (score.Value, model.Calls.Count));
    }

    [Theory]
    [InlineData("Score: 9/10")]
    [InlineData("92")]
    [InlineData("I think that it is quite right!")]
    [InlineData("")]
    public async Task ScoreAsync_VerdictCannotBeRead_AsksOnceMoreThenUnscored(string prose)
    {
        var (score, model) = await JudgeAsync(new SatisfiedPrompts(), prose, prose);
        Assert.Null(score.Value);
        Assert.NotNull(score.Reason);
        Assert.Equal(3, model.Calls.Count);
        Assert.NotEqual(model.Calls[1].Info.Stream, model.Calls[2].Info.Stream);
        Assert.NotEqual(model.Calls[1].Info.Draw, model.Calls[2].Info.Draw);
        Assert.Equal((0f, null), (model.Calls[1].Options!.Temperature, model.Calls[2].Options!.Temperature));
    }

    [Fact]
    public async Task ScoreAsync_SecondVerdictCanBeRead_Counts()
    {
        var (score, _) = await JudgeAsync(new SatisfiedPrompts(), "well…", "good.");
        Assert.Equal(1, score.Value);
    }

    [Fact]
    public async Task ScoreAsync_JudgeFails_IsUnscored()
    {
        var (score, _) = await JudgeAsync(new CompactPrompts(), "40 + 2.", ScriptedReply.Failing("judge down"));
        Assert.Equal(new Score(null, "judge down"), score);
    }

    [Fact]
    public async Task ScoreAsync_BudgetEnds_KeepsTheAttemptUnscored()
    {
        var model = ScriptedApprentice.Create(1);
        var solution = await model.SolveAsync(new BestOfN(), new JudgeScorer(), budget: new() { Calls = 3 });
        Assert.Equal((StopReason.Budget, "42", null), (solution.Stop, solution.Best!.Final, solution.Best.Score.Value));
        Assert.False(solution.Accepted);
    }
}
