using System.Globalization;
using System.Text.RegularExpressions;
using SpeedupLlm.Compute;
using SpeedupLlm.Worlds.Tariffs;

namespace SpeedupLlm.Worlds.Tests.Tariffs;

public sealed class ReckoningTests
{
    [Fact]
    public void Price_AnyTariffAndOrder_IsWhatItsTextSays() => Laws.Hold(400, random =>
    {
        var tariff = Tariff.Draw(random, Share.All);
        for (var x = 1; x <= 9; x++)
            for (var y = 1; y <= 9; y++)
                Assert.Equal(PlainPrice(tariff.Text, x, y), Reckoning.Price(tariff, new(x, y)).Total);
    });

    [Fact]
    public void Text_AnyReckoning_IsAChainOfRightEquations() => Laws.Hold(400, random =>
    {
        var tariff = Tariff.Draw(random, Share.All);
        var order = new Order(random.Between(1, 9), random.Between(1, 9));
        var price = Reckoning.Price(tariff, order);
        Assert.Equal(price.Total, Follow(price.Text));
        if (tariff.Condition != Condition.Round && Reckoning.Quantity(tariff, order.Y, price.Total) is { } quantity)
            Assert.Equal(quantity.Total, Follow(quantity.Text));
    });

    [Fact]
    public void Quantity_WhereGiven_IsTheOnlyAmountOfThatPrice() => Laws.Hold(400, random =>
    {
        var tariff = Tariff.Draw(random, Share.All);
        var (x, y) = (random.Between(1, 9), random.Between(1, 9));
        var total = Reckoning.Price(tariff, new(x, y)).Total;
        var others = Enumerable.Range(1, 9).Count(other => other != x && PlainPrice(tariff.Text, other, y) == total);
        if (Reckoning.Quantity(tariff, y, total) is { } quantity)
            Assert.Equal((x, 0), (quantity.Total, others));
        else
            Assert.True(others > 0 || tariff.Condition is Condition.Least or Condition.Round or Condition.Free, tariff.Text);
    });

    [Fact]
    public void Slip_AnyReckoning_HasAnotherTotalAndOneWrongResult() => Laws.Hold(400, random =>
    {
        var tariff = Tariff.Draw(random, Share.All);
        var right = Reckoning.Price(tariff, new(random.Between(1, 9), random.Between(1, 9)));
        var slipped = right.Slip(random);
        Assert.NotEqual(right.Total, slipped.Total);
        Assert.Equal(right.Steps.Count, slipped.Steps.Count);
        var wrong = 0;
        var running = slipped.Start;
        foreach (var (sign, operand, result) in slipped.Steps)
        {
            wrong += Apply(sign, running, operand) == result ? 0 : 1;
            running = result;
        }

        Assert.Equal(slipped.Start == right.Start ? 1 : 0, wrong);
    });

    [Fact]
    public void Bent_AnyReckoning_EndsAtTheGivenTotal() => Laws.Hold(100, random =>
        Assert.Equal(77, Reckoning.Price(Tariff.Draw(random, Share.All), new(random.Between(1, 9), random.Between(1, 9))).Bent(77).Total));

    /// <summary>Reads a tariff's text word by word and charges by it: written without looking at the real thing.</summary>
    internal static int PlainPrice(string text, int x, int y)
    {
        var words = text.Split(' ').ToList();
        int After(string word) => words.IndexOf(word) is >= 0 and var at ? int.Parse(words[at + 1], CultureInfo.InvariantCulture) : -1;
        var charged = Math.Max(0, x - Math.Max(0, After("free")));
        double total = 0;
        var terms = Regex.Split(Regex.Replace(text, " (free|over|least|round).*", ""), @" \+ ");
        foreach (var term in terms)
            total += term.Split(' ').Aggregate(1, (product, word) => product * (word == "x" ? charged : word == "y" ? y : int.Parse(word, CultureInfo.InvariantCulture)));
        if (words.Contains("over") && x > After("over"))
            total += After("add");
        total = Math.Max(total, After("least"));
        return words.Contains("round") ? (int)Math.Ceiling(total / After("round")) * After("round") : (int)total;
    }

    private static int Follow(string text)
    {
        var words = text.Split(' ');
        var running = int.Parse(words[0], CultureInfo.InvariantCulture);
        for (var i = 1; i < words.Length;)
        {
            var operand = int.Parse(words[i + 1], CultureInfo.InvariantCulture);
            if (words[i] is "least" or "round")
            {
                Assert.True(operand > running, text);
                running = operand;
                i += 2;
                continue;
            }

            Assert.Equal("=", words[i + 2]);
            Assert.Equal(Apply(words[i], running, operand), int.Parse(words[i + 3], CultureInfo.InvariantCulture));
            if (words[i] == "/")
                Assert.Equal(0, running % operand);
            running = int.Parse(words[i + 3], CultureInfo.InvariantCulture);
            i += 4;
        }

        return running;
    }

    private static int Apply(string sign, int running, int operand) => sign switch
    {
        "+" => running + operand,
        "-" => running - operand,
        "/" => running / operand,
        "least" => Math.Max(running, operand),
        _ => (int)Math.Ceiling(running / (double)operand) * operand,
    };
}
