using System.Globalization;
using System.Text;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Worlds.Tariffs;

/// <summary>Two quantities, each from 1 to 9.</summary>
internal readonly record struct Order(int X, int Y);

/// <summary>One step of a reckoning: <c>+ 5 = 22</c>, or <c>least 20</c> and <c>round 25</c>, which show the result only.</summary>
internal readonly record struct ReckoningStep(string Sign, int Operand, int Result);

/// <summary>A reckoning as it is written down: each step two numbers and their result, so that a small model can do it.</summary>
internal sealed record Reckoning(int Start, IReadOnlyList<ReckoningStep> Steps)
{
    /// <summary>The result.</summary>
    public int Total => Steps.Count == 0 ? Start : Steps[^1].Result;

    /// <summary>Such as <c>8 + 9 = 17 + 5 = 22</c>.</summary>
    public string Text
    {
        get
        {
            var text = new StringBuilder(Start.ToString(CultureInfo.InvariantCulture));
            foreach (var (sign, operand, result) in Steps)
            {
                if (sign is "least" or "round")
                    text.Append(CultureInfo.InvariantCulture, $" {sign} {result}");
                else
                    text.Append(CultureInfo.InvariantCulture, $" {sign} {operand} = {result}");
            }

            return text.ToString();
        }
    }

    /// <summary>What an order costs. A condition that changes nothing is not written.</summary>
    public static Reckoning Price(Tariff tariff, Order order)
    {
        Reckoning r;
        if (tariff.Product)
        {
            var product = order.X * order.Y;
            r = new(product, []);
            if (tariff.RateX > 1)
                r = r.Then("+", product * (tariff.RateX - 1));
        }
        else
        {
            var charged = tariff.Condition == Condition.Free ? Math.Max(0, order.X - tariff.Bound) : order.X;
            r = new Reckoning(tariff.RateX * charged, []).Then("+", tariff.RateY * order.Y);
        }

        if (tariff.Fee > 0)
            r = r.Then("+", tariff.Fee);
        return tariff.Condition switch
        {
            Condition.Over when order.X > tariff.Bound => r.Then("+", tariff.Extra),
            Condition.Least when r.Total < tariff.Bound => r.Then("least", tariff.Bound),
            Condition.Round when r.Total % tariff.Bound != 0 => r.Then("round", tariff.Bound),
            _ => r,
        };
    }

    /// <summary>How much x a total buys with a given y, reckoned backwards; null unless that gives the one x from 1 to 9 with this price.</summary>
    public static Reckoning? Quantity(Tariff tariff, int y, int total)
    {
        var found = Enumerable.Range(1, 9).Where(x => Price(tariff, new(x, y)).Total == total).ToList();
        if (found is not [var answer])
            return null;
        var r = new Reckoning(total, []);
        if (tariff.Fee > 0)
            r = r.Then("-", tariff.Fee);
        if (!tariff.Product)
            r = r.Then("-", tariff.RateY * y);
        if (tariff.Condition == Condition.Over && answer > tariff.Bound)
            r = r.Then("-", tariff.Extra);
        var rate = tariff.Product ? tariff.RateX * y : tariff.RateX;
        if (r.Total % rate != 0)
            return null;
        if (rate > 1)
            r = r.Then("/", rate);
        if (tariff.Condition == Condition.Free)
            r = r.Then("+", tariff.Bound);
        return r.Total == answer ? r : null;
    }

    /// <summary>This reckoning with one wrong result, from which the rest goes on correctly, and another total.</summary>
    public Reckoning Slip(StreamRandom random)
    {
        for (var tries = 0; tries < 8; tries++)
        {
            var at = random.Next(Steps.Count + 1);
            var result = at == 0 ? Start : Steps[at - 1].Result;
            var wrong = Wrong(random, result);
            var r = new Reckoning(at == 0 ? wrong : Start, [.. Steps.Take(at)]);
            if (at > 0)
                r = r with { Steps = [.. Steps.Take(at - 1), Steps[at - 1] with { Result = wrong }] };
            foreach (var (sign, operand, _) in Steps.Skip(at))
                r = r.Then(sign, operand);
            if (r.Total != Total)
                return r;
        }

        return Bent(Wrong(random, Total));
    }

    /// <summary>This reckoning with its last result replaced.</summary>
    public Reckoning Bent(int total) =>
        Steps.Count == 0 ? this with { Start = total } : this with { Steps = [.. Steps.SkipLast(1), Steps[^1] with { Result = total }] };

    /// <summary>A number that is easily taken for another: near it, or with one other digit; never negative.</summary>
    public static int Wrong(StreamRandom random, int number)
    {
        while (true)
        {
            var wrong = random.Next(5) switch
            {
                0 => number + 1,
                1 => number - 1,
                2 => number + (random.Flip(.5) ? 10 : -10),
                3 => number + random.Between(2, 9) * (random.Flip(.5) ? 1 : -1),
                _ => number - number % 10 + random.Next(10),
            };
            if (wrong >= 0 && wrong != number)
                return wrong;
        }
    }

    private Reckoning Then(string sign, int operand)
    {
        var result = sign switch
        {
            "+" => Total + operand,
            "-" => Total - operand,
            "/" => Total / operand,
            "least" => Math.Max(Total, operand),
            _ => (Total + operand - 1) / operand * operand,
        };
        return this with { Steps = [.. Steps, new(sign, operand, result)] };
    }
}
