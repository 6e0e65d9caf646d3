using System.Globalization;
using System.Text.RegularExpressions;
using SpeedupLlm.Compute;
using SpeedupLlm.Worlds.Tariffs;

namespace SpeedupLlm.Worlds.Tests.Tariffs;

public sealed class TariffQuestionTests
{
    [Fact]
    public void Draw_AnyQuestion_HasItsBounds() => Laws.Hold(1000, random =>
    {
        var q = TariffQuestion.Draw(random, Share.All);
        var prices = q.Orders.Select(o => Reckoning.Price(q.Tariff, o).Total).ToList();
        Assert.All(prices.Append(q.Bill(0)).Append(q.Bill(1)), p => Assert.InRange(p, 0, 99));
        Assert.Equal(q.Orders.Count + 2, q.Orders.Concat(q.Bills).Distinct().Count());
        Assert.Equal(2, q.Fits(q.Tariff));
        switch (q.Kind)
        {
            case QuestionKind.Diff:
                Assert.True(int.Parse(q.Answer, CultureInfo.InvariantCulture) > 0);
                break;
            case QuestionKind.Cheaper:
                Assert.Equal(prices[0] < prices[1] ? "first" : "second", q.Answer);
                Assert.NotEqual(prices[0], prices[1]);
                break;
            case QuestionKind.Sum:
                Assert.Equal(prices[0], q.Sum);
                Assert.InRange(int.Parse(q.Answer, CultureInfo.InvariantCulture), 1, 9);
                break;
        }
    });

    [Fact]
    public void Text_AnyQuestionInAnyWording_ReadsBack() => Laws.Hold(1000, random =>
    {
        var q = TariffQuestion.Draw(random, Share.All) with { BillWording = random.Next(4), AskWording = random.Next(4) };
        var read = Wordings.Read(q.Text);
        Assert.NotNull(read);
        Assert.Equal((q.Firm.Name, q.Service, q.Kind), (read.Firm, read.Service, read.Kind));
        Assert.Equal((q.BillWording, q.AskWording), (read.BillWording, read.AskWording));
        Assert.Equal(q.Bills, read.Bills);
        Assert.Equal([q.Bill(0), q.Bill(1)], read.Totals);
        Assert.Equal(q.Kind == QuestionKind.Sum ? [new(0, q.Orders[0].Y)] : q.Orders, read.Orders);
        Assert.Equal(q.Kind == QuestionKind.Sum ? q.Sum : 0, read.Sum);
    });

    [Fact]
    public void Reworded_AnyQuestion_HasOtherWordsAndTheSameNumbers() => Laws.Hold(500, random =>
    {
        var q = TariffQuestion.Draw(random);
        var other = q.Reworded(random);
        Assert.NotEqual(q.BillWording, other.BillWording);
        Assert.NotEqual(q.AskWording, other.AskWording);
        Assert.NotEqual(q.Text, other.Text);
        // a question for a sum names its numbers in another order
        Assert.Equal(Numbers(q.Text).Order(), Numbers(other.Text).Order());
        Assert.Equal(q.Answer, other.Answer);
    });

    [Fact]
    public void Draw_AKindThatIsRuledOut_NeverComes() => Laws.Hold(200, random =>
    {
        var q = TariffQuestion.Draw(random);
        Assert.NotEqual(q.Kind, TariffQuestion.Draw(random, q.Firm, q.Service, q.Tariff, not: q.Kind).Kind);
        Assert.Equal(q.Kind, q.Again(random).Kind);
    });

    [Fact]
    public void Wordings_HeldOut_UseTrainedWordsOnly()
    {
        var trained = Wordings.Templates(heldOut: false).SelectMany(Words).ToHashSet(StringComparer.Ordinal);
        trained.Add("bill"); // of attempts
        Assert.All(Wordings.Templates(heldOut: true).SelectMany(Words), word => Assert.Contains(word, trained));
        Assert.Empty(Wordings.Templates(heldOut: true).Intersect(Wordings.Templates(heldOut: false)));
    }

    [Fact]
    public void Firms_TrainedAndSplits_AreDisjointByName()
    {
        var random = new StreamRandom(StreamKey.Root(5));
        var trained = Enumerable.Range(0, 5000).Select(_ => InventedName.Draw(random).Stem).ToHashSet(StringComparer.Ordinal);
        var splits = Enum.GetValues<Split>().Select(s => Enumerable.Range(0, 2000).Select(_ => InventedName.Draw(random, s).Stem).ToHashSet(StringComparer.Ordinal)).Append(trained).ToList();
        for (var a = 0; a < splits.Count; a++)
            for (var b = 0; b < a; b++)
                Assert.Empty(splits[a].Intersect(splits[b], StringComparer.Ordinal));
        Assert.All(splits, names => Assert.True(names.Count > 300, names.Count.ToString(CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void Firms_AnyName_SplitsIntoItsSyllables()
    {
        var split = new PieceSplit(WorldCatalogue.Find("tariff")!.Pieces);
        Laws.Hold(1000, random =>
        {
            var name = InventedName.Draw(random).Stem;
            Assert.Equal(name.Length / 2, split.Of(name).Count);
        });
    }

    private static IEnumerable<string> Words(string template) => Regex.Matches(template, @"(?<!\{)\b[A-Za-z]+\b(?!\})").Select(m => m.Value);

    private static IEnumerable<string> Numbers(string text) => Regex.Matches(text, @"\d+").Select(m => m.Value);
}
