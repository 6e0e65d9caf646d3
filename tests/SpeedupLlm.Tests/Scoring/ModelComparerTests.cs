using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests.Scoring;

/// <summary>Free texts compared by a model.</summary>
public sealed class ModelComparerTests
{
    private static readonly AnswerComparer Asking = new(new() { AskModel = true });

    private static (SolveContext Context, Meter Meter) Begin(ScriptedChatClient model, Budget? budget = null)
    {
        var meter = new Meter(model, budget ?? Budget.Unlimited, PriceSheet.Relative, TimeProvider.System);
        return (new(meter, FakeScorer.Right(), null)
        {
            Question = Question.FromText("Who wrote it?"),
            Recalled = Recalled.Nothing,
            Prompts = new ChatPrompts(),
            Model = model.Traits,
            Stream = StreamKey.Root(3),
            Threshold = 0.5,
            Answers = Asking,
            CacheScope = null,
        }, meter);
    }

    private static ValueTask<bool> CompareAsync(ISolveContext? context, string one, string other) =>
        Asking.AreEquivalentAsync(one, other, context, CancellationToken.None);

    [Theory]
    [InlineData("SAME", true)]
    [InlineData("DIFFERENT", false)]
    public async Task AreEquivalent_FreeTexts_AsksTheModelOnceWhicheverComesFirst(string reply, bool expected)
    {
        var model = new ScriptedChatClient(_ => reply);
        var (context, meter) = Begin(model);
        Assert.Equal(expected, await CompareAsync(context, "the bard of Avon", "Shakespeare"));
        Assert.Equal(expected, await CompareAsync(context, "Shakespeare", "the bard of Avon"));
        Assert.Equal(2, model.Calls.Count);
        Assert.Equal(model.Calls[0].Text, model.Calls[1].Text);
        Assert.Equal(model.Calls[0].Info.Stream, model.Calls[1].Info.Stream);
        Assert.All(meter.Charges, c => Assert.Equal(CallPurpose.Score, c.Purpose));
    }

    [Fact]
    public async Task AreEquivalent_ReplyIsProse_AsksOnceMore()
    {
        var model = ScriptedChatClient.Replies("They are the same person.", "SAME");
        Assert.True(await CompareAsync(Begin(model).Context, "the bard of Avon", "Shakespeare"));
        Assert.NotEqual(model.Calls[0].Info.Stream, model.Calls[1].Info.Stream);
        var prose = ScriptedChatClient.Replies("Hm.", "Well.");
        Assert.False(await CompareAsync(Begin(prose).Context, "the bard of Avon", "Shakespeare"));
        Assert.Equal(2, prose.Calls.Count);
    }

    [Theory]
    [InlineData("41", "42")]
    [InlineData("Apollo 11", "Apollo 12")]
    [InlineData("(A)", "(B)")]
    [InlineData("forty-one", "forty-two")]
    [InlineData("四十一", "四十二")]
    [InlineData("41 cats and 2 dogs", "42 cats and 2 dogs")]
    [InlineData("forty-one cats and two dogs", "forty-two cats and two dogs")]
    [InlineData("model v2", "model v3")]
    public async Task AreEquivalent_NumbersAndChoices_AreNeverLeftToTheModel(string one, string other)
    {
        var model = new ScriptedChatClient(_ => "SAME");
        Assert.False(await CompareAsync(Begin(model).Context, one, other));
        Assert.Empty(model.Calls);
    }

    [Fact]
    public async Task AreEquivalent_TextsWithTheSameNumbers_AreAskedAbout() =>
        Assert.True(await CompareAsync(Begin(new(_ => "SAME")).Context, "41 cats and 2 dogs", "41 felines and 2 dogs"));

    [Fact]
    public async Task AreEquivalent_SameWordsOrNoContext_SpendsNoCall()
    {
        var model = new ScriptedChatClient(_ => "SAME");
        var context = Begin(model).Context;
        Assert.True(await CompareAsync(context, "The Bard", "bard."));
        Assert.False(await CompareAsync(null, "the bard of Avon", "Shakespeare"));
        Assert.False(await new AnswerComparer().AreEquivalentAsync("the bard of Avon", "Shakespeare", context, CancellationToken.None));
        Assert.Empty(model.Calls);
    }

    [Fact]
    public async Task AreEquivalent_ModelFailsOrBudgetIsSpent_IsKnown()
    {
        Assert.False(await CompareAsync(Begin(new(_ => ScriptedReply.Failing())).Context, "the bard of Avon", "Shakespeare"));
        var (context, _) = Begin(new(_ => "SAME"), new() { Calls = 0 });
        await Assert.ThrowsAsync<BudgetExceededException>(async () => await CompareAsync(context, "the bard of Avon", "Shakespeare"));
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Asking.AreEquivalentAsync("a b", "c d", context, gone.Token));
    }
}
