using SpeedupLlm.Experience;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Tests.Memory;

public sealed class InContextTests
{
    [Fact]
    public async Task Recall_ManyCases_GivesTheMostSimilarLast()
    {
        var all = new Remembering();
        var memory = new InContext(new() { Cases = 2 });
        await all.LiveAsync(memory, all.Episode(1, "red green blue yellow"));
        await all.LiveAsync(memory, all.Episode(2, "red green black white"));
        await all.LiveAsync(memory, all.Episode(3, "one two three four"));
        var recalled = await all.RecallAsync(memory, "red green blue yellow");
        Assert.Equal(["episode-002", "episode-001"], recalled.Hints.Select(h => h.Source));
        Assert.All(recalled.Hints, h => Assert.Equal(HintKind.Case, h.Kind));
        Assert.Equal("Try mark1. Answer 1.", recalled.Hints[^1].Answer);
        Assert.Equal(SpeedupLlm.Relevancy.SimilarityLevel.S1, recalled.Relevance.Level);
        Assert.Empty(all.Asked);
    }

    [Fact]
    public async Task Recall_QuestionMetOften_StandsOnceVerifiedFirst()
    {
        var all = new Remembering();
        var memory = new InContext();
        for (var i = 1; i <= 40; i++)
            await all.LiveAsync(memory, all.Episode(i, "red green", i == 33 ? Verdict.Verified : Verdict.SelfJudged));
        await all.LiveAsync(memory, all.Episode(41, "red blue"));
        var recalled = await all.RecallAsync(memory, "red green");
        Assert.Equal(["episode-041", "episode-033"], recalled.Hints.Select(h => h.Source));
    }

    [Fact]
    public async Task Recall_MinimumSimilarity_LeavesOutTheRest()
    {
        var all = new Remembering();
        var memory = new InContext(new() { MinimumSimilarity = 0.9 });
        await all.LiveAsync(memory, all.Episode(1, "red green blue"));
        Assert.Empty((await all.RecallAsync(memory, "red green black")).Hints);
        Assert.Single((await all.RecallAsync(memory, "red green blue")).Hints);
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(100, 0)]
    public async Task Recall_ModelThatCounts_FitsByItsCount(int tokensAMessage, int hints)
    {
        var all = new Remembering { Counter = new PerMessage(tokensAMessage) };
        all.Model = all.Model with { ContextTokens = 2 * 140 + 150 };
        var memory = new InContext();
        for (var i = 1; i <= 3; i++)
            await all.LiveAsync(memory, all.Episode(i, $"red green {i}"));
        Assert.Equal(hints, (await all.RecallAsync(memory, "red green")).Hints.Count);
    }

    private sealed class PerMessage(int tokens) : SpeedupLlm.Compute.ITokenCounter
    {
        public int Count(IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages) => tokens * messages.Count();
    }

    [Theory]
    [InlineData(0, 0.0, 3)]
    [InlineData(3, 1.1, 3)]
    [InlineData(3, double.NaN, 3)]
    [InlineData(3, 0.0, 0)]
    public void New_OptionOutOfRange_Throws(int cases, double similarity, int harm) => Assert.Throws<ArgumentOutOfRangeException>(
        () => new InContext(new() { Cases = cases, MinimumSimilarity = similarity, HarmLimit = harm }));

    [Fact]
    public async Task Placebo_InsteadOfCases_IsAsLongAndIrrelevant()
    {
        var all = new Remembering();
        var placebo = new Placebo();
        var real = new InContext();
        for (var i = 1; i <= 3; i++)
            await all.LiveAsync(real, all.Episode(i));
        var expected = (await all.RecallAsync(real, "What do 2 parcels of firm2 cost?")).Hints;
        var hints = (await all.RecallAsync(placebo, "What do 2 parcels of firm2 cost?")).Hints;
        Assert.Equal(expected.Count, hints.Count);
        var longest = PlaceboOptions.DefaultText.Split(' ').Max(w => w.Length);
        foreach (var (hint, like) in hints.Zip(expected))
        {
            Assert.Equal((HintKind.Placebo, null), (hint.Kind, hint.Answer));
            var length = like.Text.Length + 1 + like.Answer!.Length;
            Assert.InRange(hint.Text.Length, length - longest, length);
            Assert.DoesNotContain("firm", hint.Text, StringComparison.Ordinal);
        }
        Assert.Equal(hints.Count, hints.Select(h => h.Text).Distinct().Count());
        Assert.Throws<ArgumentException>(() => new Placebo(new() { Text = " " }));
    }

    [Fact]
    public void Estimate_TextsOfAnyScript_IsNoLessThanWords()
    {
        Assert.Equal(0, HintWindow.Estimate(""));
        Assert.Equal(5, HintWindow.Estimate("A bag of 12"));
        Assert.Equal(4, HintWindow.Estimate("三百二十"));
        Assert.InRange(HintWindow.Estimate("internationalisation"), 4, 6);
    }
}
