using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Worlds.Tariffs;

/// <summary>The irregular part of a tariff.</summary>
internal enum Condition
{
    None,

    /// <summary>The first <see cref="Tariff.Bound"/> of x are free.</summary>
    Free,

    /// <summary>More than <see cref="Tariff.Bound"/> of x cost <see cref="Tariff.Extra"/> on top.</summary>
    Over,

    /// <summary>The total is at least <see cref="Tariff.Bound"/>.</summary>
    Least,

    /// <summary>The total is rounded up to a multiple of <see cref="Tariff.Bound"/>.</summary>
    Round,
}

/// <summary>What a firm charges for x and y: <c>a x + c y</c> or <c>a x y</c>, a fee, and a condition. All numbers are integers.</summary>
internal sealed partial record Tariff(bool Product, int RateX, int RateY, int Fee, Condition Condition, int Bound, int Extra)
{
    // A skewed prior, so that a first guess is not hopeless.
    private static readonly (int, double)[] Rates = [(1, .40), (2, .30), (3, .20), (4, .10)];
    private static readonly (int, double)[] Fees = [(0, .45), (5, .20), (10, .15), (2, .08), (3, .07), (4, .05)];
    private static readonly ((Condition Kind, int Bound, int Extra), double)[] Conditions =
    [
        ((Condition.None, 0, 0), .62), ((Condition.Free, 2, 0), .06), ((Condition.Free, 3, 0), .05), ((Condition.Over, 4, 5), .06),
        ((Condition.Over, 6, 2), .05), ((Condition.Least, 20, 0), .07), ((Condition.Least, 15, 0), .05), ((Condition.Round, 5, 0), .04),
    ];

    /// <summary>The tariff as attempts and lessons write it, such as <c>2 x + 3 y + 5 over 4 add 5</c>.</summary>
    public string Text
    {
        get
        {
            var text = new StringBuilder();
            text.Append(CultureInfo.InvariantCulture, $"{RateX} x");
            if (Product)
                text.Append(" y");
            else
                text.Append(CultureInfo.InvariantCulture, $" + {RateY} y");
            if (Fee > 0)
                text.Append(CultureInfo.InvariantCulture, $" + {Fee}");
            if (Condition != Condition.None)
                text.Append(CultureInfo.InvariantCulture, $" {Word(Condition)} {Bound}");
            if (Condition == Condition.Over)
                text.Append(CultureInfo.InvariantCulture, $" add {Extra}");
            return text.ToString();
        }
    }

    /// <summary>Whether this tariff never occurs in training texts: about a tenth of all.</summary>
    public bool HeldOut => StableHash.Of("tariff " + Text) % 10 == 0;

    /// <summary>A tariff of the prior; with <paramref name="rates"/>, one that shares form and rates with it (another branch of the firm).</summary>
    public static Tariff Draw(StreamRandom random, Share share, Tariff? rates = null)
    {
        while (true)
        {
            var product = rates?.Product ?? random.Flip(.15);
            var a = rates?.RateX ?? random.Weighted(Rates);
            var c = product ? 0 : rates?.RateY ?? random.Weighted(Rates);
            var fee = random.Weighted(Fees);
            var (kind, bound, extra) = random.Weighted(Conditions);
            var tariff = new Tariff(product, a, c, fee, kind, bound, extra);
            if (tariff.Exists && (share == Share.All || tariff.HeldOut == (share == Share.HeldOut)))
                return tariff;
        }
    }

    /// <summary>Reads <see cref="Text"/>; null if it is not exactly a tariff's text.</summary>
    public static Tariff? Parse(string text)
    {
        if (Form().Match(text) is not { Success: true } m)
            return null;
        int Number(string name) => m.Groups[name] is { Success: true } g ? int.Parse(g.Value, CultureInfo.InvariantCulture) : 0;
        var condition = m.Groups["condition"].Value switch
        {
            "free" => Condition.Free,
            "over" => Condition.Over,
            "least" => Condition.Least,
            "round" => Condition.Round,
            _ => Condition.None,
        };
        var tariff = new Tariff(!m.Groups["c"].Success, Number("a"), Number("c"), Number("fee"), condition, Number("bound"), Number("extra"));
        return string.Equals(tariff.Text, text, StringComparison.Ordinal) ? tariff : null;
    }

    /// <summary>Whether the prior knows this tariff: products stay small, and a least total must not swallow the prices.</summary>
    private bool Exists =>
        (!Product || (RateX <= 2 && Condition != Condition.Free)) && (Condition != Condition.Least || 3 * OrdersAbove(Bound) >= 81);

    private int OrdersAbove(int total)
    {
        var above = 0;
        for (var x = 1; x <= 9; x++)
            for (var y = 1; y <= 9; y++)
                above += (Product ? RateX * x * y : RateX * x + RateY * y) + Fee > total ? 1 : 0;
        return above;
    }

    private static string Word(Condition condition) => condition switch
    {
        Condition.Free => "free",
        Condition.Over => "over",
        Condition.Least => "least",
        Condition.Round => "round",
        _ => throw new ArgumentOutOfRangeException(nameof(condition), condition, "No word."),
    };

    [GeneratedRegex(@"^(?<a>\d{1,3}) x(?: y| \+ (?<c>\d{1,3}) y)(?: \+ (?<fee>\d{1,3}))?(?: (?<condition>free|over|least|round) (?<bound>\d{1,3})(?: add (?<extra>\d{1,3}))?)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
