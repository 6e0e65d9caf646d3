using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests.Reasoning;

public sealed class BestOfNTests
{
    private static BestOfN Method(int samples = 8, int width = 1) => new(new() { Samples = samples, Width = width });

    [Fact]
    public async Task RunAsync_ThirdSampleAccepted_MakesThreeCalls()
    {
        var model = Solving.Answers("1", "2", "42");
        var solution = await model.SolveAsync(Method());
        Assert.Equal(3, model.Calls.Count);
        Assert.Equal(StopReason.Threshold, solution.Stop);
        Assert.Equal(2, solution.Best!.Index);
        Assert.Equal(3, solution.Bill.Operations);
        Assert.True(solution.Accepted);
    }

    [Fact]
    public async Task RunAsync_NothingAccepted_StopsAtCapWithFirstOfEquals()
    {
        var model = Solving.Answers("1", "2", "3", "4");
        var solution = await model.SolveAsync(Method(4));
        Assert.Equal(4, model.Calls.Count);
        Assert.Equal(StopReason.Cap, solution.Stop);
        Assert.Equal(0, solution.Best!.Index);
        Assert.False(solution.Accepted);
        Assert.Equal([0, 1, 2, 3], solution.Attempts.Select(a => a.Index));
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 4)]
    [InlineData(8, 5)]
    public async Task RunAsync_Waves_CountWholeWaves(int width, int calls)
    {
        var model = Solving.Answers("1", "2", "42", "4", "5");
        var solution = await model.SolveAsync(Method(5, width));
        Assert.Equal(calls, model.Calls.Count);
        Assert.Equal(calls, solution.Bill.Operations);
        Assert.Equal("42", solution.Best!.Final);
        Assert.Equal(StopReason.Threshold, solution.Stop);
    }

    [Fact]
    public async Task RunAsync_WaveOfFour_IsOpenAtOnce()
    {
        var gate = new TaskCompletionSource();
        var model = new ScriptedChatClient(call =>
        {
            if (call.Number == 3)
                gate.SetResult();
            return new("Answer 1.") { Gate = gate.Task };
        });
        await model.SolveAsync(Method(4, 4)).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(4, model.MostAtOnce);
    }

    [Fact]
    public async Task RunAsync_ThresholdZero_AcceptsFirstScored()
    {
        var model = Solving.Answers("1", "42");
        var solution = await model.SolveAsync(Method(), threshold: 0);
        Assert.Single(model.Calls);
        Assert.True(solution.Accepted);
    }

    [Fact]
    public async Task RunAsync_ThresholdOne_AcceptsOnlyFullScore()
    {
        var model = Solving.Answers("7", "9", "10", "3");
        var solution = await model.SolveAsync(Method(), Solving.Tenths, threshold: 1);
        Assert.Equal(3, model.Calls.Count);
        Assert.Equal("10", solution.Best!.Final);
    }

    [Theory]
    [InlineData(1.0000001)]
    [InlineData(2)]
    [InlineData(double.PositiveInfinity)]
    public async Task RunAsync_ThresholdAboveOne_IsPlainBestOfN(double threshold)
    {
        var model = Solving.Answers("42", "42", "1");
        var solution = await model.SolveAsync(Method(3), threshold: threshold);
        Assert.Equal(3, model.Calls.Count);
        Assert.Equal(StopReason.Cap, solution.Stop);
        Assert.False(solution.Accepted);
        Assert.Equal(0, solution.Best!.Index);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(1.5)]
    [InlineData(-0.5)]
    public async Task RunAsync_InvalidScore_IsUnscoredAndNeverTheMaximum(double invalid)
    {
        var model = Solving.Answers("1", "2", "3");
        var scorer = new FakeScorer(a => new(a.Index == 1 ? invalid : 0.1));
        var solution = await model.SolveAsync(Method(3), scorer);
        Assert.Null(solution.Attempts[1].Score.Value);
        Assert.Equal(0, solution.Best!.Index);
        Assert.Equal(StopReason.Cap, solution.Stop);
    }

    [Fact]
    public async Task RunAsync_NoFinalAnswer_ScoresZeroWithoutTheScorer()
    {
        var asked = 0;
        var scorer = new FakeScorer(_ =>
        {
            asked++;
            return Score.Unscored("no idea");
        });
        var model = ScriptedChatClient.Replies("I do not know", "Answer 5.");
        var solution = await model.SolveAsync(Method(2), scorer);
        Assert.Equal(1, asked);
        Assert.Equal(0, solution.Attempts[0].Score.Value);
        Assert.Equal("5", solution.Best!.Final); // an unscored answer is better than none
    }

    [Fact]
    public async Task RunAsync_SomeCallsFail_GoesOnAndReports()
    {
        var model = ScriptedChatClient.Replies("Answer 1.", ScriptedReply.Failing("down"), "Answer 42.");
        var solution = await model.SolveAsync(Method());
        Assert.Equal(StopReason.Threshold, solution.Stop);
        Assert.Equal("down", solution.Attempts[1].Error);
        Assert.Equal("down", Assert.Single(solution.Failures).Message);
        Assert.Equal(2, solution.Bill.Operations); // a failed call sampled no answer
        Assert.Equal(3, solution.Bill.Charges.Count);
    }

    [Fact]
    public async Task RunAsync_AllCallsFail_IsExhausted()
    {
        var model = new ScriptedChatClient(_ => ScriptedReply.Failing());
        var solution = await model.SolveAsync(Method(3));
        Assert.Equal(3, model.Calls.Count);
        Assert.Equal(StopReason.Exhausted, solution.Stop);
        Assert.Null(solution.Best);
        Assert.Equal(3, solution.Failures.Count);
    }

    [Fact]
    public async Task RunAsync_ScorerFails_AttemptIsUnscoredAndSearchGoesOn()
    {
        var model = ScriptedChatClient.Replies("Answer 1.", "Answer 42.");
        var scorer = new FakeScorer(a => a.Index == 0 ? throw new ModelFailedException(CallPurpose.Score, new IOException("judge down")) : new(1));
        var solution = await model.SolveAsync(Method(), scorer);
        Assert.Equal(new Score(null, "judge down"), solution.Attempts[0].Score);
        Assert.Equal(1, solution.Best!.Index);
    }

    [Fact]
    public async Task RunAsync_Streams_DependOnQuestionMethodAndAttemptOnly()
    {
        var model = Solving.Answers("1", "2", "3");
        await model.SolveAsync(Method(3), seed: 5);
        var root = StreamKey.Root(5).Child("q").Child("best-of-n");
        Assert.Equal([root.Child(0), root.Child(1), root.Child(2)], model.Calls.Select(c => c.Info.Stream));
        Assert.Equal([0, 1, 2], model.Calls.Select(c => c.Info.Draw));
        Assert.All(model.Calls, c => Assert.Equal(CallPurpose.Solve, c.Info.Purpose));
        Assert.All(model.Calls, c => Assert.Equal(PromptTask.Guess, c.Task));
    }

    /// <summary>Theorem 1 of arXiv 2505.20643: E[answers] = (1-(1-p)^N)/p. The exact distribution of the count is known, so the bound is exact too.</summary>
    [Theory]
    [InlineData(0.05, 8)]
    [InlineData(0.17, 8)]
    [InlineData(0.5, 4)]
    [InlineData(0.9, 8)]
    public async Task RunAsync_KnownChance_DrawsAsManyAnswersAsTheoryExpects(double p, int n)
    {
        const int questions = 600;
        var model = ScriptedApprentice.Create(p);
        decimal answers = 0;
        for (var seed = 0; seed < questions; seed++)
            answers += (await model.SolveAsync(Method(n), seed: seed)).Bill.Operations;
        var (low, high) = TruncatedGeometric.Bound(p, n, questions, 0.99);
        Assert.InRange((int)answers, low, high);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    [InlineData(-3, 1)]
    public void Constructor_OptionOutOfRange_Throws(int samples, int width) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Method(samples, width));
}
