using SpeedupLlm.Compute;
using SpeedupLlm.Worlds.Riddles;

namespace SpeedupLlm.Worlds.Tests.Riddles;

public sealed class RiddleTests
{
    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Draw_AnyRule_IsOneAndIsDrawnFromItsShare(string name) => Laws.Hold(500, random =>
    {
        var book = Books.Of(name);
        foreach (var share in Enum.GetValues<Share>())
        {
            var rule = book.Draw(random, share);
            Assert.True(book.IsRule(rule), rule);
            Assert.True(book.IsRule(book.DrawKin(random, share, rule)), rule);
            Assert.True(share == Share.All || book.HeldOut(rule) == (share == Share.HeldOut), rule);
            Assert.False(book.IsRule(rule + " 1") || book.IsRule(rule + ".") || book.IsRule(""));
        }
    });

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void All_Rules_AreWhatIsDrawnAndATenthIsHeldOut(string name)
    {
        var (book, random) = (Books.Of(name), new StreamRandom(StreamKey.Root(1)));
        Assert.Equal(book.All.Count, book.All.Distinct(StringComparer.Ordinal).Count());
        Assert.All(book.All, rule => Assert.True(book.IsRule(rule), rule));
        Assert.All(Enumerable.Range(0, 3000), _ => Assert.Contains(book.Draw(random, Share.All), book.All));
        Assert.InRange(book.All.Count(book.HeldOut) / (double)book.All.Count, .05, .15);
    }

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Draw_AnyRiddle_IsAnsweredAlikeByAllRulesThatExplainItsClues(string name)
    {
        var book = Books.Of(name);
        Laws.Hold(60, r =>
        {
            var riddle = Riddle.Draw(r, book, Share.All);
            Assert.Equal([riddle.Answer], book.All.Where(riddle.Explains).Select(rule => riddle.Conclude(rule)?.Answer).Where(a => a is not null).Distinct(StringComparer.Ordinal));
        });
    }

    /// <summary>What the program offers as examples can be answered.</summary>
    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void HelpExamples_Any_HaveOneAnswer(string name)
    {
        var book = Books.Of(name);
        Assert.All(book.HelpExamples, e =>
        {
            var q = book.Wordings.Read(e)!;
            var explains = book.All.Where(rule => q.Pose.Clues.Zip(q.Given).All(c => book.Work(rule, RuleBook.Clue, c.First).Result == c.Second));
            Assert.Single(explains.Select(rule => book.Conclude(q.Kind, [.. q.Pose.Asked.Select(a => book.Work(rule, q.Kind, a))])?.Answer).Distinct(StringComparer.Ordinal));
        });
    }

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Text_AnyRiddleInAnyWording_ReadsBack(string name) => Laws.Hold(600, random =>
    {
        var riddle = Riddle.Draw(random, Books.Of(name), Share.All) with { ClueWording = random.Next(4), AskWording = random.Next(4) };
        var read = riddle.Book.Wordings.Read(riddle.Text);
        Assert.True(read is not null, riddle.Text);
        Assert.Equal((riddle.Name.Name, riddle.Kind, riddle.ClueWording, riddle.AskWording), (read.Name, read.Kind, read.ClueWording, read.AskWording));
        Assert.Equal(riddle.Pose.Clues, read.Pose.Clues);
        Assert.Equal(riddle.Pose.Asked, read.Pose.Asked);
        Assert.Equal(Enumerable.Range(0, riddle.Pose.Clues.Count).Select(riddle.Given), read.Given);
    });

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Reworded_AnyRiddle_HasOtherWordsAndTheSameAnswer(string name) => Laws.Hold(300, random =>
    {
        var riddle = Riddle.Draw(random, Books.Of(name));
        var other = riddle.Reworded(random);
        Assert.NotEqual(riddle.ClueWording, other.ClueWording);
        Assert.NotEqual(riddle.AskWording, other.AskWording);
        Assert.NotEqual(riddle.Text, other.Text);
        Assert.Equal((riddle.Pose, riddle.Answer), (other.Pose, other.Answer));
    });

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Draw_AKindThatIsRuledOut_NeverComes(string name) => Laws.Hold(200, random =>
    {
        var riddle = Riddle.Draw(random, Books.Of(name));
        Assert.NotEqual(riddle.Kind, Riddle.Draw(random, riddle.Book, riddle.Name, riddle.Rule, not: riddle.Kind).Kind);
        Assert.Equal(riddle.Kind, riddle.Again(random).Kind);
    });

    /// <summary>Whoever does not know the rule and answers what is asked most often is seldom right.</summary>
    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Answer_OfAKind_IsNotGuessedByItsFrequency(string name)
    {
        var (book, random) = (Books.Of(name), new StreamRandom(StreamKey.Root(4)));
        foreach (var kind in Enumerable.Range(0, 3000).Select(_ => Riddle.Draw(random, book)).GroupBy(r => r.Kind, StringComparer.Ordinal))
            Assert.True(kind.CountBy(r => r.Answer).Max(a => a.Value) <= .36 * kind.Count(), kind.Key);
    }

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Wordings_HeldOut_UseTrainedWordsOnly(string name)
    {
        var wordings = Books.Of(name).Wordings;
        Assert.Empty(wordings.Words(heldOut: true).Except(wordings.Words(heldOut: false), StringComparer.Ordinal));
    }
}
