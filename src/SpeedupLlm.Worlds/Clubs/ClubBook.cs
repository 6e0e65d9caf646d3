using System.Globalization;
using SpeedupLlm.Compute;
using SpeedupLlm.Worlds.Riddles;

namespace SpeedupLlm.Worlds.Clubs;

/// <summary>Club World (logic): an invented club wants four things of a guest, gives a point for each that the guest has, and admits whoever has enough. Clues say what past guests had.</summary>
/// <remarks>
/// A rule is what the club wants and the points that are enough, such as <c>red owl pen tea 3</c>. Another branch wants one thing else, or other points.
/// Who is admitted is asked of four guests: yes or no would be right by chance.
/// </remarks>
internal sealed class ClubBook : RuleBook
{
    private const string Which = "which", Stays = "stays", Wish = "wish";

    private const int Clues = 3, LeastPoints = 2, MostPoints = 3;

    private static readonly string[] Things = ["colour", "pet", "tool", "drink"];

    private static readonly string[][] Values =
        [["red", "blue", "green", "white"], ["cat", "dog", "owl", "hen"], ["axe", "pen", "net", "rope"], ["tea", "milk", "juice", "beer"]];

    private static readonly string[] Places = ["first", "second", "third", "fourth"];

    private static readonly Lazy<IReadOnlyList<Wanted>> Clubs = new(() =>
    [
        .. from points in Enumerable.Range(LeastPoints, MostPoints - LeastPoints + 1)
           from code in Enumerable.Range(0, 256)
           select new Wanted([code / 64, code / 16 % 4, code / 4 % 4, code % 4], points),
    ]);

    private static readonly Lazy<IReadOnlyList<string>> Texts = new(() => [.. Clubs.Value.Select(w => w.Text)]);

    // of each sort of thing the first are the most usual
    private static readonly (int, double)[] Usual = [(0, .4), (1, .3), (2, .2), (3, .1)];

    /// <inheritdoc/>
    public override string Name => "club";

    /// <inheritdoc/>
    public override string Help =>
        "I answer questions about clubs that want a colour, a pet, a tool and a drink of a guest, give a point for each, and let in whoever has enough: "
        + "name a club, say of three guests what they had, their points and whether they were in or out, and ask who of four is in or out, or what the club wants.";

    /// <inheritdoc/>
    public override IReadOnlyList<string> HelpExamples { get; } =
    [
        "Orpi North is a club. A guest with red, owl, net, milk had points 2 out. A guest with red, dog, pen, tea had points 3 in. A guest with blue, owl, pen, beer had points 2 out. "
            + "Who is in: first blue dog pen tea, second red owl net tea, third green cat pen milk or fourth red hen axe beer?",
        "Kalo is a club. Guest red owl pen milk: points 3 in. Guest red owl net beer: points 2 in. Guest blue hen pen tea: points 2 in. They want which pet?",
    ];

    /// <inheritdoc/>
    public override string Verb => "want";

    /// <inheritdoc/>
    public override Wordings Wordings { get; } = new(
        "is a club",
        Things.Length,
        [
            "A guest with {0}, {1}, {2}, {3} had points {r}.", "Guest {0} {1} {2} {3}: points {r}.", "Points {r} for a guest with {0}, {1}, {2}, {3}.",
            "A guest {0} {1} {2} {3} had points {r}.",
        ],
        new Dictionary<string, string[]>
        {
            [Which] = Asks("in"),
            [Stays] = Asks("out"),
            [Wish] = ["Which {0} do they want?", "The {0} that they want is?", "They want which {0}?", "The {0} they want is which?"],
        });

    /// <inheritdoc/>
    public override IReadOnlyList<(string Kind, double Weight)> Kinds { get; } = [(Which, .45), (Stays, .25), (Wish, .30)];

    /// <inheritdoc/>
    public override IEnumerable<string> Words { get; } = [.. Things, .. Values.SelectMany(v => v), .. Places, "in", "out"];

    /// <inheritdoc/>
    public override IReadOnlyList<string> All => Texts.Value;

    /// <inheritdoc/>
    public override bool IsRule(string text) => Wanted.Parse(text) is not null;

    /// <inheritdoc/>
    public override Working Work(string rule, string kind, string probe)
    {
        var wanted = rule.Split(' ');
        if (kind == Wish)
            return new($"{probe} {wanted[Array.IndexOf(Things, probe)]}", wanted[Array.IndexOf(Things, probe)]);
        // the points so far stand behind each word, so that none has to be counted at once
        var guest = probe.Split(' ');
        var (points, said) = (0, new List<string>());
        for (var i = 0; i < guest.Length; i++)
        {
            points += guest[i] == wanted[i] ? 1 : 0;
            said.Add($"{guest[i]} {Number(points)}");
        }

        var verdict = points >= Digit(wanted[^1]) ? "in" : "out";
        return new($"{string.Join(' ', said)} {verdict}", $"{Number(points)} {verdict}");
    }

    /// <inheritdoc/>
    public override (string Sentence, string Answer)? Conclude(string kind, IReadOnlyList<Working> asked)
    {
        if (kind == Wish)
            return ("", asked[0].Result);
        var verdicts = asked.Select(w => w.Result.Split(' ')[1]).ToList();
        var wanted = kind == Which ? "in" : "out";
        return verdicts.Count(v => v == wanted) == 1 && Places[verdicts.IndexOf(wanted)] is var place ? ($"{string.Join(", ", verdicts)} {place}.", place) : null;
    }

    /// <inheritdoc/>
    public override string WrongResult(StreamRandom random, string kind, string result) => Other(result, () =>
        kind == Wish ? random.Pick(Values.Single(v => v.Contains(result, StringComparer.Ordinal))) : $"{Number(random.Next(Things.Length + 1))} {(random.Flip(.5) ? "in" : "out")}");

    /// <inheritdoc/>
    public override string WrongAnswer(StreamRandom random, string kind, string answer) =>
        kind == Wish ? WrongResult(random, kind, answer) : Other(answer, () => random.Pick(Places));

    /// <inheritdoc/>
    public override Pose? TryPose(StreamRandom random, string rule, string kind)
    {
        var wanted = Wanted.Parse(rule) ?? throw new ArgumentException("Not a rule of clubs.", nameof(rule));
        for (var tries = 0; tries < 100; tries++)
        {
            var guests = Enumerable.Range(0, Clues).Select(_ => Guest(random, wanted, .5)).ToList();
            var explains = Clubs.Value.Where(w => guests.TrueForAll(g => w.Points(g) == wanted.Points(g) && w.Admits(g) == wanted.Admits(g))).ToList();
            for (var more = 0; more < 10; more++)
                if (TryAsk(random, wanted, kind, explains) is { } asked)
                    return new([.. guests.Select(Text)], asked);
        }

        return null;
    }

    /// <inheritdoc/>
    protected override string Draw(StreamRandom random) =>
        new Wanted([.. Things.Select(_ => random.Weighted(Usual))], random.Between(LeastPoints, MostPoints)).Text;

    /// <inheritdoc/>
    protected override string DrawKin(StreamRandom random, string rule)
    {
        var words = rule.Split(' ');
        var at = random.Next(words.Length);
        words[at] = at < Things.Length ? random.Pick(Values[at]) : Number(random.Between(LeastPoints, MostPoints));
        return string.Join(' ', words);
    }

    private static string[]? TryAsk(StreamRandom random, Wanted wanted, string kind, List<Wanted> explains)
    {
        if (kind == Wish)
        {
            var thing = random.Next(Things.Length);
            return explains.TrueForAll(w => w.Things[thing] == wanted.Things[thing]) ? [Things[thing]] : null;
        }

        // one guest is unlike the three others
        var at = random.Next(Places.Length);
        var guests = Enumerable.Range(0, Places.Length).Select(i => Guest(random, wanted, (i == at) == (kind == Which) ? .8 : .25)).ToList();
        return guests.Select(Text).Distinct(StringComparer.Ordinal).Count() == Places.Length && One(wanted, guests, kind) == at
            && explains.TrueForAll(w => (One(w, guests, kind) ?? at) == at) ? [.. guests.Select(Text)] : null;
    }

    /// <summary>The only guest that is in (or stays out); null if there is none or more than one.</summary>
    private static int? One(Wanted wanted, List<int[]> guests, string kind)
    {
        int? one = null;
        for (var i = 0; i < guests.Count; i++)
        {
            if (wanted.Admits(guests[i]) != (kind == Which))
                continue;
            if (one is not null)
                return null;
            one = i;
        }

        return one;
    }

    /// <summary>A guest who has each thing that is wanted with probability <paramref name="likeness"/>, or by chance.</summary>
    private static int[] Guest(StreamRandom random, Wanted wanted, double likeness) =>
        [.. wanted.Things.Select(thing => random.Flip(likeness) ? thing : random.Weighted(Usual))];

    private static string Text(int[] guest) => string.Join(' ', guest.Select((value, thing) => Values[thing][value]));

    private static string Other(string than, Func<string> draw)
    {
        while (true)
        {
            var other = draw();
            if (!string.Equals(other, than, StringComparison.Ordinal))
                return other;
        }
    }

    private static string[] Asks(string verdict) =>
    [
        $"Who is {verdict}: first {{0}}, second {{1}}, third {{2}} or fourth {{3}}?", $"First {{0}}, second {{1}}, third {{2}}, fourth {{3}}: who is {verdict}?",
        $"Guests: {{0}}; {{1}}; {{2}}; {{3}}. Who of them is {verdict}?", $"Who of first {{0}}, second {{1}}, third {{2}}, fourth {{3}} is {verdict}?",
    ];

    private static string Number(int n) => n.ToString(CultureInfo.InvariantCulture);

    private static int Digit(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>A rule by the places of its words in <see cref="Values"/>.</summary>
    private sealed record Wanted(int[] Things, int Enough)
    {
        public string Text => $"{ClubBook.Text(Things)} {Number(Enough)}";

        public int Points(int[] guest)
        {
            var points = 0;
            for (var i = 0; i < guest.Length; i++)
                points += guest[i] == Things[i] ? 1 : 0;
            return points;
        }

        public bool Admits(int[] guest) => Points(guest) >= Enough;

        public static Wanted? Parse(string text)
        {
            var words = text.Split(' ');
            if (words.Length != Values.Length + 1 || words[^1] is not ("2" or "3"))
                return null;
            int[] things = [.. Values.Select((values, i) => Array.IndexOf(values, words[i]))];
            return things.All(t => t >= 0) ? new(things, Digit(words[^1])) : null;
        }
    }
}
