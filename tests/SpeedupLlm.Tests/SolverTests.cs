using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests;

public sealed class SolverTests
{
    [Theory]
    [InlineData(double.NaN)]
    [InlineData(-0.1)]
    [InlineData(double.NegativeInfinity)]
    public void Constructor_ThresholdIsNoThreshold_Throws(double threshold) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Solver(Solving.Answers(), new() { Threshold = threshold }));

    [Fact]
    public async Task SolveAsync_JudgeOfTheModel_CountsItsCallsByPurpose()
    {
        var model = ScriptedApprentice.Create(p: 0.3);
        var solution = await model.SolveAsync(new BestOfN(), new JudgeScorer(), seed: 3);
        var bill = solution.Bill.ByPurpose().ToDictionary(b => b.Purpose, b => b.Calls);
        Assert.Equal((int)solution.Bill.Operations, bill[CallPurpose.Solve]);
        Assert.Equal(3 * (int)solution.Bill.Operations, bill[CallPurpose.Score]);
        Assert.Equal(bill[CallPurpose.Solve], model.Count(PromptTask.Compare));
        Assert.Equal("42", solution.Best!.Final);
        Assert.Equal(StopReason.Threshold, solution.Stop);
    }

    [Fact]
    public async Task SolveAsync_Cancelled_ThrowsWithTheBillAndTellsTheLedger()
    {
        using var source = new CancellationTokenSource();
        var ended = new List<Solution>();
        var model = new ScriptedChatClient(call =>
        {
            if (call.Number == 1)
                source.Cancel();
            return "Answer 1.";
        });
        var solver = new Solver(model, Solving.Options(new BestOfN()) with { Ended = ended.Add });
        var thrown = await Assert.ThrowsAsync<SolveCancelledException>(async () => await solver.SolveAsync(Solving.Question, source.Token));
        Assert.Equal(2, thrown.Solution.Bill.Charges.Count);
        Assert.True(thrown.Solution.Bill.Charges[1].Estimated);
        Assert.True(thrown.Solution.Bill.Charges[1].Input > 0);
        Assert.Equal(StopReason.Cancelled, thrown.Solution.Stop);
        Assert.Equal("1", thrown.Solution.Best!.Final);
        Assert.Same(thrown.Solution, Assert.Single(ended));
    }
}
