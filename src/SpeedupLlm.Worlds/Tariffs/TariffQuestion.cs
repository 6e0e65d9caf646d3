using System.Globalization;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Worlds.Tariffs;

/// <summary>What is asked about a firm.</summary>
internal enum QuestionKind
{
    /// <summary>What an order costs.</summary>
    Price,

    /// <summary>How much more the first of two orders costs; always positive.</summary>
    Diff,

    /// <summary>Which of two orders costs less; never equal.</summary>
    Cheaper,

    /// <summary>How much x a total buys with a given y; exactly one x from 1 to 9.</summary>
    Sum,
}

/// <summary>Two past bills of a firm with a hidden tariff, and what is asked. All totals of the bills and orders are below 100.</summary>
internal sealed record TariffQuestion(
    InventedName Firm,
    Service Service,
    Tariff Tariff,
    QuestionKind Kind,
    IReadOnlyList<Order> Bills,
    IReadOnlyList<Order> Orders,
    int BillWording,
    int AskWording)
{
    private static readonly (QuestionKind, double)[] Kinds =
        [(QuestionKind.Price, .55), (QuestionKind.Diff, .17), (QuestionKind.Cheaper, .12), (QuestionKind.Sum, .16)];

    /// <summary>The text that is asked.</summary>
    public string Text => Wordings.Write(this);

    /// <summary>The final answer.</summary>
    public string Answer
    {
        get
        {
            var prices = Orders.Select(o => Reckoning.Price(Tariff, o).Total).ToList();
            return Kind switch
            {
                QuestionKind.Price => prices[0].ToString(CultureInfo.InvariantCulture),
                QuestionKind.Diff => (prices[0] - prices[1]).ToString(CultureInfo.InvariantCulture),
                QuestionKind.Cheaper => prices[0] < prices[1] ? "first" : "second",
                _ => Orders[0].X.ToString(CultureInfo.InvariantCulture),
            };
        }
    }

    /// <summary>The total of a bill, by number.</summary>
    public int Bill(int index) => Reckoning.Price(Tariff, Bills[index]).Total;

    /// <summary>The given total of a <see cref="QuestionKind.Sum"/> question.</summary>
    public int Sum => Reckoning.Price(Tariff, Orders[0]).Total;

    /// <summary>How many of the two bills a tariff explains.</summary>
    public int Fits(Tariff tariff) => Enumerable.Range(0, Bills.Count).Count(i => Reckoning.Price(tariff, Bills[i]).Total == Bill(i));

    /// <summary>A question about a firm; a kind that the tariff does not allow becomes another.</summary>
    public static TariffQuestion Draw(StreamRandom random, InventedName firm, Service service, Tariff tariff, QuestionKind? kind = null, QuestionKind? not = null)
    {
        while (true)
        {
            var asked = kind ?? random.Weighted(Kinds);
            if (asked == not)
                continue;
            for (var tries = 0; tries < 400; tries++)
            {
                var first = DrawOrder(random, tariff);
                var second = DrawOrder(random, tariff);
                if (first == second || DrawOrders(random, tariff, asked) is not { } orders || orders.Contains(first) || orders.Contains(second))
                    continue;
                return new(firm, service, tariff, asked, [first, second], orders, random.Next(Wordings.Trained), random.Next(Wordings.Trained));
            }

            kind = null;
        }
    }

    /// <summary>A question of the training distribution, or with a held-out tariff.</summary>
    public static TariffQuestion Draw(StreamRandom random, Share tariffs = Share.Trained) =>
        Draw(random, InventedName.Draw(random), random.Pick(Service.All), Tariff.Draw(random, tariffs));

    /// <summary>The same firm and kind, other bills and orders.</summary>
    public TariffQuestion Again(StreamRandom random) => Draw(random, Firm, Service, Tariff, Kind);

    /// <summary>The same in other words of the trained ones.</summary>
    public TariffQuestion Reworded(StreamRandom random) => this with
    {
        BillWording = (BillWording + random.Between(1, Wordings.Trained - 1)) % Wordings.Trained,
        AskWording = (AskWording + random.Between(1, Wordings.Trained - 1)) % Wordings.Trained,
    };

    /// <summary>An order below 100.</summary>
    public static Order DrawOrder(StreamRandom random, Tariff tariff)
    {
        while (true)
        {
            var order = new Order(random.Between(1, 9), random.Between(1, 9));
            if (Reckoning.Price(tariff, order).Total < 100)
                return order;
        }
    }

    private static List<Order>? DrawOrders(StreamRandom random, Tariff tariff, QuestionKind kind)
    {
        var first = DrawOrder(random, tariff);
        var price = Reckoning.Price(tariff, first).Total;
        if (kind == QuestionKind.Price)
            return [first];
        if (kind == QuestionKind.Sum)
            return tariff.Condition != Condition.Round && Reckoning.Quantity(tariff, first.Y, price) is not null ? [first] : null;
        var second = DrawOrder(random, tariff);
        var other = Reckoning.Price(tariff, second).Total;
        return price == other ? null : kind == QuestionKind.Diff && price < other ? [second, first] : [first, second];
    }
}
