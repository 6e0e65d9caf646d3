using SpeedupLlm.Worlds.Facts;
using SpeedupLlm.Worlds.Riddles;

namespace SpeedupLlm.Worlds.Tests.Facts;

public sealed class FactBookTests
{
    private const string Table = "cook smith baker guard tailor miller";

    private static readonly FactBook Book = new();

    [Theory]
    [InlineData(RuleBook.Clue, "smith guard", "smith 2 guard 4 = 2 after", "2 after")]
    [InlineData(RuleBook.Clue, "guard smith", "guard 4 smith 2 = 2 before", "2 before")]
    [InlineData("place", "miller", "miller 6", "6")]
    [InlineData("who", "3", "3 baker", "baker")]
    [InlineData("next", "cook", "cook 1, 2 smith", "smith")]
    public void Work_AnyProbe_LooksUpTheTable(string kind, string probe, string text, string result) => Assert.Equal(new Working(text, result), Book.Work(Table, kind, probe));

    [Fact]
    public void Conclude_AfterTheLastHouse_GivesNoAnswer() => Assert.Null(Book.Conclude("next", [Book.Work(Table, "next", "miller")]));

    [Fact]
    public void TryPose_AnyClue_LeavesEveryTradeMoreThanOneHouse() => Laws.Hold(200, random =>
        Assert.All(Enumerable.Range(0, 3), i => Assert.Matches("^[123] after$", Riddle.Draw(random, Book).Given(i))));

    [Fact]
    public void Example_OfTheDocs_ReadsLikeThis()
    {
        var riddle = new Riddle(Book, new("Orpi", "North"), Table, "place", new(["cook guard", "guard miller", "baker guard"], ["baker"]), 0, 0);
        Assert.Equal(Book.HelpExamples[0], riddle.Text);
        Assert.Equal(
            "Try Orpi North hold cook smith baker guard tailor miller. cook 1 guard 4 = 3 after, clue 3 after ok. guard 4 miller 6 = 2 after, clue 2 after ok. "
            + "baker 3 guard 4 = 1 after, clue 1 after ok. baker 3. Answer 3.",
            RiddleAttempt.True(riddle).Text);
    }
}
