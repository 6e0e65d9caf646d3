using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace SpeedupLlm.Worlds.Tariffs;

/// <summary>A question as it can be read from its text, without the hidden tariff: the totals are those of the bills; of a
/// <see cref="QuestionKind.Sum"/> question the order's x is 0, since it is asked for, and the given total is the sum (else 0).</summary>
internal sealed record ReadQuestion(
    string Firm,
    Service Service,
    QuestionKind Kind,
    IReadOnlyList<Order> Bills,
    IReadOnlyList<int> Totals,
    IReadOnlyList<Order> Orders,
    int Sum,
    int BillWording,
    int AskWording);

/// <summary>The words of questions. Of each list the first <see cref="Trained"/> occur in training texts; the last is held out (its words are not).</summary>
/// <remarks>
/// In a template <c>A</c> is the first order as "5 km and 5 kg", <c>a</c> the same as "5 km, 5 kg", <c>B</c> and <c>b</c> the second order,
/// <c>X</c> the unit of x, <c>Y</c> the given amount of y, <c>T</c> a total; all in braces.
/// </remarks>
internal static class Wordings
{
    /// <summary>How many wordings of each list are trained.</summary>
    public const int Trained = 3;

    /// <summary>The index of the held-out wording.</summary>
    public const int HeldOut = 3;

    private static readonly string[] Bills =
    [
        "{A} cost {T}.",
        "For {A} one paid {T}.",
        "Bill: {a}, total {T}.",
        "For {A} the bill is {T}.",
    ];

    private static readonly Dictionary<QuestionKind, string[]> Asks = new()
    {
        [QuestionKind.Price] =
        [
            "What do {A} cost?",
            "What is the price for {A}?",
            "Order: {a}, total?",
            "What is the bill for {A}?",
        ],
        [QuestionKind.Diff] =
        [
            "How much more do {A} cost than {B}?",
            "What is the difference of {A} and {B}?",
            "Orders: {a}; {b}. Difference?",
            "How much is the difference of {A} and {B}?",
        ],
        [QuestionKind.Cheaper] =
        [
            "Which is cheaper, first {A} or second {B}?",
            "First order {A}, second order {B}. Which costs less?",
            "Orders: {a}; {b}. First or second cheaper?",
            "Which order costs less, first {A} or second {B}?",
        ],
        [QuestionKind.Sum] =
        [
            "How many {X} with {Y} cost {T}?",
            "One paid {T} for {Y} and how many {X}?",
            "Order: {Y}, total {T}. How many {X}?",
            "How many {X} and {Y} cost {T}?",
        ],
    };

    // Made when a service is first read: 64 patterns each.
    private static readonly Dictionary<Service, Lazy<List<(Regex Pattern, QuestionKind Kind, int Bill, int Ask)>>> Readers =
        Service.All.ToDictionary(s => s, s => new Lazy<List<(Regex, QuestionKind, int, int)>>(() =>
        [
            .. from kind in Asks.Keys
               from bill in Enumerable.Range(0, Bills.Length)
               from ask in Enumerable.Range(0, Asks[kind].Length)
               select (Reader(s, kind, bill, ask), kind, bill, ask),
        ]));

    /// <summary>The text of a question.</summary>
    public static string Write(TariffQuestion q)
    {
        var text = new StringBuilder();
        text.Append(q.Firm.Name).Append(' ').Append(q.Service.Does).Append('.');
        for (var i = 0; i < q.Bills.Count; i++)
            text.Append(' ').Append(Fill(Bills[q.BillWording], q.Service, q.Bills[i], default, q.Bill(i)));
        var second = q.Orders.Count > 1 ? q.Orders[1] : default;
        text.Append(' ').Append(Fill(Asks[q.Kind][q.AskWording], q.Service, q.Orders[0], second, q.Kind == QuestionKind.Sum ? q.Sum : 0));
        return text.ToString();
    }

    /// <summary>Reads a text that <see cref="Write"/> could have made; null for any other.</summary>
    public static ReadQuestion? Read(string text)
    {
        if (Service.All.FirstOrDefault(s => text.Contains(s.Does, StringComparison.Ordinal)) is not { } service)
            return null;
        foreach (var (pattern, kind, bill, ask) in Readers[service].Value)
        {
            if (pattern.Match(text) is not { Success: true } m)
                continue;
            int[] Numbers(string name) => [.. m.Groups[name].Captures.Select(c => int.Parse(c.Value, CultureInfo.InvariantCulture))];
            int[] x = Numbers("x"), y = Numbers("y"), totals = Numbers("t");
            List<Order> orders = kind == QuestionKind.Sum ? [new(0, y[2])] : [.. x.Skip(2).Zip(y.Skip(2), (a, b) => new Order(a, b))];
            return new(m.Groups["firm"].Value, service, kind, [new(x[0], y[0]), new(x[1], y[1])], totals[..2], orders,
                kind == QuestionKind.Sum ? totals[2] : 0, bill, ask);
        }

        return null;
    }

    /// <summary>The words of all trained templates, and of the held-out ones.</summary>
    public static IEnumerable<string> Templates(bool heldOut) =>
        Asks.Values.Append(Bills).SelectMany(list => heldOut ? list[Trained..] : list[..Trained]);

    private static string Fill(string template, Service s, Order a, Order b, int total) => template
        .Replace("{A}", $"{s.X.Count(a.X)} and {s.Y.Count(a.Y)}", StringComparison.Ordinal)
        .Replace("{a}", $"{s.X.Count(a.X)}, {s.Y.Count(a.Y)}", StringComparison.Ordinal)
        .Replace("{B}", $"{s.X.Count(b.X)} and {s.Y.Count(b.Y)}", StringComparison.Ordinal)
        .Replace("{b}", $"{s.X.Count(b.X)}, {s.Y.Count(b.Y)}", StringComparison.Ordinal)
        .Replace("{X}", s.X.Many, StringComparison.Ordinal)
        .Replace("{Y}", s.Y.Count(a.Y), StringComparison.Ordinal)
        .Replace("{T}", total.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);

    private static Regex Reader(Service s, QuestionKind kind, int bill, int ask)
    {
        var x = $"(?<x>[1-9]) (?:{s.X.One}|{s.X.Many})";
        var y = $"(?<y>[1-9]) (?:{s.Y.One}|{s.Y.Many})";
        string Pattern(string template)
        {
            var escaped = Regex.Escape(template);
            foreach (var joint in new[] { (Name: "A", By: " and "), (Name: "a", By: ", "), (Name: "B", By: " and "), (Name: "b", By: ", ") })
                escaped = escaped.Replace(@"\{" + joint.Name + "}", x + joint.By + y, StringComparison.Ordinal);
            return escaped.Replace(@"\{X}", s.X.Many, StringComparison.Ordinal)
                .Replace(@"\{Y}", y, StringComparison.Ordinal)
                .Replace(@"\{T}", @"(?<t>\d{1,3})", StringComparison.Ordinal);
        }

        var bills = Pattern(Bills[bill]);
        return new($@"^(?<firm>[A-Z][a-z]+(?: [A-Z][a-z]+)?) {s.Does}\. {bills} {bills} {Pattern(Asks[kind][ask])}$",
            RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
    }
}
