using FsCheck;
using FsCheck.Fluent;
using SpeedupLlm.Compute;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests.Reasoning;

public sealed class SelfConsistencyTests
{
    private static SelfConsistency Method(string stop, int samples = 12, int width = 1) =>
        new(new() { Samples = samples, Width = width, Stop = ConsistencyStop.Parse(stop) });

    /// <summary>v₁ of 4 to nothing gives 31/32, of 3 to nothing 15/16 (arXiv 2305.11860).</summary>
    [Theory]
    [InlineData("adaptive-consistency", "1 1 1 1 1", 4)]
    [InlineData("adaptive-consistency:0.9", "1 1 1 1 1", 3)]
    [InlineData("adaptive-consistency:0.97", "1 1 1 1 1 1", 5)]
    [InlineData("adaptive-consistency", "1 2 1 1 1 1 1 1", 7)]
    [InlineData("esc", "1 1 1 1 1", 4)]
    [InlineData("esc", "1 2 2 2 2 2 2 2 2", 8)]
    [InlineData("esc:2", "1 2 2 1 3 3 3", 6)]
    [InlineData("esc:3", "1 1 1 1", 3)]
    public async Task RunAsync_RuleSatisfied_StopsAtOnce(string stop, string answers, int read)
    {
        var model = Solving.Answers(answers.Split(' '));
        var solution = await model.SolveAsync(Method(stop));
        Assert.Equal(read, model.Calls.Count);
        Assert.Equal(read, solution.Bill.Operations);
        Assert.Equal(StopReason.Threshold, solution.Stop);
    }

    [Theory]
    [InlineData("none", "1 1 1 1 1 1")]
    [InlineData("adaptive-consistency", "1 2 3 4 5 6")]
    [InlineData("esc", "1 1 1 2 2 2")]
    public async Task RunAsync_RuleNotSatisfied_DrawsAll(string stop, string answers)
    {
        var model = Solving.Answers(answers.Split(' '));
        var solution = await model.SolveAsync(Method(stop, samples: 6));
        Assert.Equal(6, model.Calls.Count);
        Assert.Equal(StopReason.Cap, solution.Stop);
    }

    [Fact]
    public async Task RunAsync_ThresholdAboveOne_IsPlainSelfConsistency()
    {
        var model = Solving.Answers([.. Enumerable.Repeat("1", 6)]);
        var solution = await model.SolveAsync(Method("adaptive-consistency", samples: 6), threshold: 1.01);
        Assert.Equal(6, model.Calls.Count);
        Assert.False(solution.Accepted);
    }

    [Theory]
    [InlineData("2 1 1 2 3", "2", 0)]
    [InlineData("3 1 1 2 2", "1", 1)]
    [InlineData("1 2 2", "2", 1)]
    public async Task RunAsync_Majority_WinsAndOfEqualsTheFirst(string answers, string best, int index)
    {
        var list = answers.Split(' ');
        var solution = await Solving.Answers(list).SolveAsync(Method("none", list.Length));
        Assert.Equal((best, index), (solution.Best!.Final, solution.Best.Index));
        Assert.Equal(list.Count(a => a == best) / (double)list.Length, solution.Best.Score.Value);
    }

    [Fact]
    public async Task RunAsync_MissingAnswersAndFailures_HaveNoVote()
    {
        var model = ScriptedChatClient.Replies("no idea", ScriptedReply.Failing(), "no idea", "Answer 7.");
        var solution = await model.SolveAsync(Method("none", 4));
        Assert.Equal("7", solution.Best!.Final);
        Assert.Equal(1.0 / 3, solution.Best.Score.Value);
        Assert.Equal(3, solution.Bill.Operations);
        Assert.Equal(StopReason.Cap, solution.Stop);
    }

    /// <summary>One answer that came before the budget ended agrees with nobody: it must not pass as unanimous.</summary>
    [Fact]
    public async Task RunAsync_SingleAnswer_IsUnscored()
    {
        var model = Solving.Answers("1", "1");
        var solution = await model.SolveAsync(Method("adaptive-consistency"), budget: new() { Calls = 1 });
        Assert.Equal(StopReason.Budget, solution.Stop);
        Assert.Null(solution.Best!.Score.Value);
        Assert.False(solution.Accepted);
    }

    [Fact]
    public async Task RunAsync_Scorer_IsNeverAsked()
    {
        var scorer = new FakeScorer(_ => throw new InvalidOperationException("asked"));
        await Solving.Answers("1", "1", "1", "1").SolveAsync(Method("adaptive-consistency"), scorer);
    }

    /// <summary>Against the definition, by numerical integration of the Beta density.</summary>
    [Fact]
    public void StaysAhead_AnyVotes_IsTheUpperHalfOfTheBetaDistribution()
    {
        for (var v1 = 0; v1 <= 8; v1++)
        {
            for (var v2 = 0; v2 <= 8; v2++)
            {
                const int steps = 20_000;
                double upper = 0, all = 0;
                for (var i = 0; i < steps; i++)
                {
                    var x = (i + 0.5) / steps;
                    var density = Math.Pow(x, v1) * Math.Pow(1 - x, v2);
                    all += density;
                    upper += x > 0.5 ? density : 0;
                }
                Assert.Equal(upper / all, AdaptiveConsistency.StaysAhead(v1, v2), 1e-6);
            }
        }
    }

    [Fact]
    public void StaysAhead_SwappedVotes_AddUpToOne() => Prop.ForAll(
        Gen.Choose(0, 200).Two().ToArbitrary(),
        v => Math.Abs(AdaptiveConsistency.StaysAhead(v.Item1, v.Item2) + AdaptiveConsistency.StaysAhead(v.Item2, v.Item1) - 1) < 1e-9)
        .QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("")]
    [InlineData("majority")]
    [InlineData("esc:1")]
    [InlineData("esc:x")]
    [InlineData("esc:99999999999")]
    [InlineData("adaptive-consistency:1")]
    [InlineData("adaptive-consistency:NaN")]
    [InlineData("none:3")]
    public void Parse_UnknownRule_SaysWhatIsValid(string text) =>
        Assert.Contains("esc[:W]", Assert.Throws<FormatException>(() => ConsistencyStop.Parse(text)).Message, StringComparison.Ordinal);
}
