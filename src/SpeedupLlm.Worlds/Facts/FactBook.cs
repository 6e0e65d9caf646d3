using System.Globalization;
using SpeedupLlm.Compute;
using SpeedupLlm.Worlds.Riddles;

namespace SpeedupLlm.Worlds.Facts;

/// <summary>Fact World (repeated question answering over invented facts): who lives in which of the six houses of an invented street. Clues say how far two trades are apart.</summary>
/// <remarks>A rule is the table of facts: the trades of houses 1 to 6, such as <c>cook smith baker guard tailor miller</c>. In another branch two of them have changed houses.</remarks>
internal sealed class FactBook : RuleBook
{
    private const string Place = "place", Who = "who", Next = "next", Nobody = "nobody";

    private const int Clues = 3;

    // one clue alone must not fix a house: who is 5 after another is in the last
    private const int Farthest = 3;

    private static readonly string[] Trades = ["cook", "smith", "baker", "guard", "tailor", "miller"];

    private static readonly Lazy<IReadOnlyList<string>> Tables = new(() => [.. Ordered(Trades).Select(t => string.Join(' ', t))]);

    // house numbers from 0 by table and trade
    private static readonly Lazy<int[][]> Houses = new(() => [.. Tables.Value.Select(HousesOf)]);

    /// <inheritdoc/>
    public override string Name => "fact";

    /// <inheritdoc/>
    public override string Help =>
        "I answer questions about streets of six houses, in which a cook, a smith, a baker, a guard, a tailor and a miller live: "
        + "name a street, say of three pairs how many houses one comes after the other, and ask for somebody's house, for who is in a house, or for who comes next.";

    /// <inheritdoc/>
    public override IReadOnlyList<string> HelpExamples { get; } =
    [
        "Orpi North has six houses. The guard is 3 after the cook. The miller is 2 after the guard. The guard is 1 after the baker. In which house is the baker?",
        "Kalo has six houses. From cook to smith: 2 after. From smith to guard: 1 after. From guard to tailor: 2 after. House 4: who?",
    ];

    /// <inheritdoc/>
    public override string Verb => "hold";

    /// <inheritdoc/>
    public override Wordings Wordings { get; } = new(
        "has six houses",
        2,
        ["The {1} is {r} the {0}.", "From {0} to {1}: {r}.", "{r} the {0} is the {1}.", "The {1} comes {r} the {0}."],
        new Dictionary<string, string[]>
        {
            [Place] = ["In which house is the {0}?", "Which house is of the {0}?", "The {0}: which house?", "The house of the {0} is which?"],
            [Who] = ["Who is in house {0}?", "House {0} is of whom?", "House {0}: who?", "Which is in house {0}?"],
            [Next] = ["Who comes next after the {0}?", "After the {0} is who?", "The next from the {0}: who?", "Who is next from the {0}?"],
        });

    /// <inheritdoc/>
    public override IReadOnlyList<(string Kind, double Weight)> Kinds { get; } = [(Place, .4), (Who, .3), (Next, .3)];

    /// <inheritdoc/>
    public override IEnumerable<string> Words { get; } = [.. Trades, "after", "before", Nobody];

    /// <inheritdoc/>
    public override IReadOnlyList<string> All => Tables.Value;

    /// <inheritdoc/>
    public override bool IsRule(string text) => text.Split(' ').Order(StringComparer.Ordinal).SequenceEqual(Trades.Order(StringComparer.Ordinal), StringComparer.Ordinal);

    /// <inheritdoc/>
    public override Working Work(string rule, string kind, string probe)
    {
        var table = rule.Split(' ');
        string HouseOf(string trade) => Number(Array.IndexOf(table, trade) + 1);
        switch (kind)
        {
            case Place:
                return new($"{probe} {HouseOf(probe)}", HouseOf(probe));
            case Who:
                var there = table[int.Parse(probe, CultureInfo.InvariantCulture) - 1];
                return new($"{probe} {there}", there);
            case Next:
                var at = Array.IndexOf(table, probe) + 1;
                var next = at < table.Length ? table[at] : Nobody;
                return new($"{probe} {Number(at)}, {Number(at + 1)} {next}", next);
            default:
                var pair = probe.Split(' ');
                var distance = Distance(Array.IndexOf(table, pair[1]) - Array.IndexOf(table, pair[0]));
                return new($"{pair[0]} {HouseOf(pair[0])} {pair[1]} {HouseOf(pair[1])} = {distance}", distance);
        }
    }

    /// <inheritdoc/>
    public override (string Sentence, string Answer)? Conclude(string kind, IReadOnlyList<Working> asked) =>
        asked[0].Result == Nobody ? null : ("", asked[0].Result);

    /// <inheritdoc/>
    public override string WrongResult(StreamRandom random, string kind, string result)
    {
        while (true)
        {
            var wrong = kind switch
            {
                Place => Number(random.Between(1, Trades.Length)),
                RuleBook.Clue => Distance(random.Between(1, Trades.Length - 1) * (random.Flip(.8) ? 1 : -1)),
                _ => random.Pick(Trades),
            };
            if (!string.Equals(wrong, result, StringComparison.Ordinal))
                return wrong;
        }
    }

    /// <inheritdoc/>
    public override Pose? TryPose(StreamRandom random, string rule, string kind)
    {
        var houses = HousesOf(rule);
        for (var tries = 0; tries < 200; tries++)
        {
            // the first of a pair comes first in the street: a clue says how far the second is after it
            var pairs = new List<(int First, int Second)>();
            while (pairs.Count < Clues)
            {
                var (one, other) = (random.Next(Trades.Length), random.Next(Trades.Length));
                if (houses[other] - houses[one] is >= 1 and <= Farthest && !pairs.Contains((one, other)))
                    pairs.Add((one, other));
            }

            var asked = random.Next(Trades.Length);
            if (Answer(houses, kind, asked) is >= 0 and var answer && IsOnly(answer, houses, pairs, kind, asked))
                return new([.. pairs.Select(p => $"{Trades[p.First]} {Trades[p.Second]}")], [kind == Who ? Number(asked + 1) : Trades[asked]]);
        }

        return null;
    }

    /// <inheritdoc/>
    /// <remarks>House by house among the trades that are left, earlier ones of the list with more weight.</remarks>
    protected override string Draw(StreamRandom random)
    {
        var left = Trades.Select((trade, i) => (trade, (double)(Trades.Length - i))).ToList();
        var table = new List<string>();
        while (left.Count > 0)
        {
            table.Add(random.Weighted(left));
            left.RemoveAll(l => l.trade == table[^1]);
        }

        return string.Join(' ', table);
    }

    /// <inheritdoc/>
    protected override string DrawKin(StreamRandom random, string rule)
    {
        var table = rule.Split(' ');
        var (one, other) = (random.Next(table.Length), random.Next(table.Length));
        (table[one], table[other]) = (table[other], table[one]);
        return string.Join(' ', table);
    }

    /// <summary>Whether no table that explains the clues gives another answer.</summary>
    private static bool IsOnly(int answer, int[] houses, List<(int First, int Second)> pairs, string kind, int asked)
    {
        foreach (var table in Houses.Value)
        {
            var explains = true;
            foreach (var (first, second) in pairs)
                explains &= table[second] - table[first] == houses[second] - houses[first];
            if (explains && Answer(table, kind, asked) is var other && other != answer && other >= 0)
                return false;
        }

        return true;
    }

    /// <summary>A number that stands for the answer; -1 if there is none.</summary>
    private static int Answer(int[] houses, string kind, int asked) => kind switch
    {
        Place => houses[asked],
        Who => Array.IndexOf(houses, asked),
        _ => Array.IndexOf(houses, houses[asked] + 1),
    };

    private static int[] HousesOf(string table)
    {
        var trades = table.Split(' ');
        return [.. Trades.Select(t => Array.IndexOf(trades, t))];
    }

    private static string Distance(int houses) => string.Create(CultureInfo.InvariantCulture, $"{Math.Abs(houses)} {(houses > 0 ? "after" : "before")}");

    private static string Number(int n) => n.ToString(CultureInfo.InvariantCulture);

    private static IEnumerable<IEnumerable<string>> Ordered(IReadOnlyList<string> trades) =>
        trades.Count == 0 ? [[]] : trades.SelectMany(t => Ordered([.. trades.Where(o => o != t)]).Select(rest => rest.Prepend(t)));
}
