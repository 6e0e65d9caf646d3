using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests.Scoring;

public sealed class PTrueScorerTests
{
    private static TokenLogProb Token(string text, double p, params (string Text, double P)[] others) =>
        new(text, Math.Log(p), [.. others.Select(o => KeyValuePair.Create(o.Text, Math.Log(o.P)))]);

    private static async Task<(Score Score, ScriptedChatClient Model)> ScoreAsync(IPromptSet prompts, IReadOnlyList<TokenLogProb>? logProbs, bool promised = true)
    {
        var model = new ScriptedChatClient(call => call.Number == 0 ? "Answer 42." : new ScriptedReply("good") { LogProbs = call.Info.TopLogProbs is null ? null : logProbs })
        {
            Traits = new("scripted", 0, LogProbs: promised, Seed: true, Adapters: false, Prompts: "compact"),
        };
        var options = Solving.Options(new BestOfN(new() { Samples = 1 }), new PTrueScorer()) with { Prompts = prompts };
        var solution = await new Solver(model, options).SolveAsync(Solving.Question, default);
        return (solution.Attempts[0].Score, model);
    }

    [Fact]
    public async Task ScoreAsync_Factored_ReadsTheProbabilityAtTheLastWord()
    {
        var (score, model) = await ScoreAsync(new CompactPrompts(),
            [Token(" yes", 0.6, (" good", 0.3)), Token(" good", 0.8, (" good", 0.8), (" bad", 0.2)), Token(".", 1, (".", 1)), Token("<end>", 1)]);
        Assert.Equal(0.8, score.Value!.Value, 1e-12);
        Assert.Equal([null, null, null, 5], model.Calls.Select(c => c.Info.TopLogProbs));
    }

    [Fact]
    public async Task ScoreAsync_ModelSaysFalse_FindsTrueAmongTheAlternatives()
    {
        var (score, _) = await ScoreAsync(new CompactPrompts(), [Token(" bad", 0.9, (" bad", 0.9), (" good", 0.1))]);
        Assert.Equal(0.1, score.Value!.Value, 1e-12);
    }

    [Fact]
    public async Task ScoreAsync_SeveralWaysToSayTrue_AddUp()
    {
        var (score, _) = await ScoreAsync(new SatisfiedPrompts(), [Token("True", 0.5, ("True", 0.5), (" True", 0.2), ("Yes", 0.1), ("true", 0.05), ("No", 0.15))]);
        Assert.Equal(0.8, score.Value!.Value, 1e-12);
    }

    [Fact]
    public async Task ScoreAsync_TrueIsNotAmongTheAlternatives_IsZero()
    {
        var (score, _) = await ScoreAsync(new CompactPrompts(), [Token(" bad", 0.99, (" bad", 0.99), (" no", 0.005))]);
        Assert.Equal(0, score.Value);
    }

    [Theory]
    [InlineData(true, 4)]
    [InlineData(false, 1)]
    public async Task ScoreAsync_NoLogProbabilities_IsUnscoredWithReason(bool promised, int calls)
    {
        var (score, model) = await ScoreAsync(new CompactPrompts(), null, promised);
        Assert.Null(score.Value);
        Assert.Contains("log-probabilities", score.Reason, StringComparison.Ordinal);
        Assert.Equal(calls, model.Calls.Count); // nothing is asked of a model that is known to give none
    }

    [Fact]
    public async Task ScoreAsync_NothingSaid_IsUnscored()
    {
        var (score, _) = await ScoreAsync(new CompactPrompts(), [Token(".", 1), Token("<end>", 1)]);
        Assert.Null(score.Value);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(21)]
    public void Constructor_OptionOutOfRange_Throws(int top) => Assert.Throws<ArgumentOutOfRangeException>(() => new PTrueScorer(new() { TopLogProbs = top }));
}
