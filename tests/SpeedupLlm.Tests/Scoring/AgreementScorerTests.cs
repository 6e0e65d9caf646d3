using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests.Scoring;

public sealed class AgreementScorerTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public async Task ScoreAsync_Attempts_ScoreTheShareOfEarlierOnes(int width)
    {
        var model = Solving.Answers("7", "8", "7", "7", "8");
        var solution = await model.SolveAsync(new BestOfN(new() { Samples = 5, Width = width }), new AgreementScorer(), threshold: 2);
        Assert.Equal([null, 0, 0.5, 2.0 / 3, 0.25], solution.Attempts.Select(a => a.Score.Value));
        Assert.Equal(3, solution.Best!.Index);
    }

    [Fact]
    public async Task ScoreAsync_OneDigitApart_NeverAgrees() // case 41
    {
        var model = Solving.Answers("1234567", "1234568");
        var solution = await model.SolveAsync(new BestOfN(new() { Samples = 2 }), new AgreementScorer());
        Assert.Equal(0, solution.Attempts[1].Score.Value);
    }

    [Fact]
    public async Task ScoreAsync_EarlierFailuresAndMissingAnswers_AgreeWithNobody()
    {
        var model = ScriptedChatClient.Replies(ScriptedReply.Failing(), "no idea", "Answer 7.", "Answer 7.");
        var solution = await model.SolveAsync(new BestOfN(new() { Samples = 4 }), new AgreementScorer(), threshold: 2);
        Assert.Equal([null, 0, 0, 0.5], solution.Attempts.Select(a => a.Score.Value));
    }

    [Theory]
    [InlineData("42", 1.0)]
    [InlineData("43", 0.0)]
    public async Task Oracle_ReferenceKnown_Compares(string reference, double score)
    {
        var oracle = new OracleScorer(new() { Reference = q => q.Id == "q" ? reference : null });
        var solution = await Solving.Answers("42").SolveAsync(new BestOfN(new() { Samples = 1 }), oracle);
        Assert.Equal(score, solution.Best!.Score.Value);
        Assert.True(((IScorer)oracle).Flagged);
        Assert.False(((IScorer)new AgreementScorer()).Flagged);
    }

    [Fact]
    public async Task Oracle_NoReference_IsUnscored()
    {
        var solution = await Solving.Answers("42").SolveAsync(new BestOfN(new() { Samples = 1 }), new OracleScorer());
        Assert.Null(solution.Best!.Score.Value);
    }
}
