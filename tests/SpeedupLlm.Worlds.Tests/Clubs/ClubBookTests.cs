using SpeedupLlm.Worlds.Clubs;
using SpeedupLlm.Worlds.Riddles;

namespace SpeedupLlm.Worlds.Tests.Clubs;

public sealed class ClubBookTests
{
    private const string Rule = "red owl pen tea 3";

    private static readonly ClubBook Book = new();

    [Theory]
    [InlineData("red owl pen tea", "red 1 owl 2 pen 3 tea 4 in", "4 in")]
    [InlineData("red dog pen tea", "red 1 dog 1 pen 2 tea 3 in", "3 in")]
    [InlineData("red owl net milk", "red 1 owl 2 net 2 milk 2 out", "2 out")]
    [InlineData("blue cat axe beer", "blue 0 cat 0 axe 0 beer 0 out", "0 out")]
    public void Work_AnyGuest_CountsPointsAndJudges(string guest, string text, string result) => Assert.Equal(new Working(text, result), Book.Work(Rule, RuleBook.Clue, guest));

    [Fact]
    public void Work_OfAWish_LooksUpTheRule() => Assert.Equal(new Working("tool pen", "pen"), Book.Work(Rule, "wish", "tool"));

    [Theory]
    [InlineData("which", "0 out, 3 in, 2 out, 1 out", "out, in, out, out second.", "second")]
    [InlineData("stays", "4 in, 3 in, 2 out, 3 in", "in, in, out, in third.", "third")]
    [InlineData("which", "3 in, 3 in, 2 out, 1 out", null, null)]
    [InlineData("which", "0 out, 0 out, 2 out, 1 out", null, null)]
    public void Conclude_Verdicts_NamesTheOnlyOne(string kind, string results, string? sentence, string? answer)
    {
        var concluded = Book.Conclude(kind, [.. results.Split(", ").Select(r => new Working(r, r))]);
        Assert.Equal((sentence, answer), (concluded?.Sentence, concluded?.Answer));
    }

    [Fact]
    public void Example_OfTheDocs_ReadsLikeThis()
    {
        var riddle = new Riddle(Book, new("Orpi", "North"), Rule, "which", new(
            ["red owl net milk", "red dog pen tea", "blue owl pen beer"], ["blue dog pen tea", "red owl net tea", "green cat pen milk", "red hen axe beer"]), 0, 0);
        Assert.Equal(Book.HelpExamples[0], riddle.Text);
        Assert.Equal(
            "Try Orpi North want red owl pen tea 3. red 1 owl 2 net 2 milk 2 out, clue 2 out ok. red 1 dog 1 pen 2 tea 3 in, clue 3 in ok. blue 0 owl 1 pen 2 beer 2 out, clue 2 out ok. "
            + "blue 0 dog 0 pen 1 tea 2 out. red 1 owl 2 net 2 tea 3 in. green 0 cat 0 pen 1 milk 1 out. red 1 hen 1 axe 1 beer 1 out. out, in, out, out second. Answer second.",
            RiddleAttempt.True(riddle).Text);
    }
}
