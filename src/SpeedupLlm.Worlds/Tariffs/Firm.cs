using SpeedupLlm.Compute;

namespace SpeedupLlm.Worlds.Tariffs;

/// <summary>A firm: an invented name and, for many, a branch. All branches share the rates.</summary>
internal sealed record Firm(string Stem, string? Branch)
{
    /// <summary>What names are made of; all of two letters, so that a name splits in one way.</summary>
    public static IReadOnlyList<string> Syllables { get; } =
    [
        "or", "pi", "ka", "lo", "mu", "ve", "ta", "ri", "so", "ne", "bu", "fi", "da", "go", "he", "zu", "wa",
        "ji", "ko", "le", "mi", "no", "pa", "ru", "sa", "ti", "vo", "xe", "ya", "be",
    ];

    /// <summary>The branches.</summary>
    public static IReadOnlyList<string> Branches { get; } = ["North", "South", "East", "West", "Hill", "Lake", "Port", "Park"];

    /// <summary>Such as <c>Orpi North</c>.</summary>
    public string Name => Branch is null ? Stem : Stem + " " + Branch;

    /// <summary>Whether the name never occurs in training texts: about a tenth of all.</summary>
    public bool HeldOut => Hash % 10 == 0;

    /// <summary>The split that a held-out name belongs to.</summary>
    public Split Split => (Split)(Hash / 10 % 3);

    private ulong Hash => StableHash.Of("firm " + Stem);

    /// <summary>A firm of the trained names.</summary>
    public static Firm Draw(StreamRandom random) => Draw(random, f => !f.HeldOut);

    /// <summary>A firm of the held-out names of a split.</summary>
    public static Firm Draw(StreamRandom random, Split split) => Draw(random, f => f.HeldOut && f.Split == split);

    /// <summary>Another branch of this firm.</summary>
    public Firm Sibling(StreamRandom random) => this with { Branch = random.Pick([.. Branches.Where(b => !string.Equals(b, Branch, StringComparison.Ordinal))]) };

    private static Firm Draw(StreamRandom random, Predicate<Firm> wanted)
    {
        while (true)
        {
            var stem = random.Pick(Syllables);
            stem = char.ToUpperInvariant(stem[0]) + stem[1..];
            for (var more = random.Next(3) == 0 ? 2 : 1; more > 0; more--)
                stem += random.Pick(Syllables);
            var firm = new Firm(stem, random.Flip(.65) ? random.Pick(Branches) : null);
            if (wanted(firm))
                return firm;
        }
    }
}

/// <summary>What x or y counts.</summary>
internal sealed record Unit(string One, string Many)
{
    /// <summary>Such as <c>5 boxes</c>.</summary>
    public string Count(int n) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{n} {(n == 1 ? One : Many)}");
}

/// <summary>What a firm does, and what it charges by.</summary>
internal sealed record Service(string Does, Unit X, Unit Y)
{
    private static readonly Unit Km = new("km", "km"), Kg = new("kg", "kg"), Hour = new("hour", "hours"), Metre = new("metre", "metres");

    /// <summary>All services.</summary>
    public static IReadOnlyList<Service> All { get; } =
    [
        new("posts parcels", Km, Kg), new("drives taxis", Km, new("minute", "minutes")), new("prints books", new("page", "pages"), new("copy", "copies")),
        new("rents boats", Hour, new("seat", "seats")), new("cleans flats", new("room", "rooms"), Hour), new("sells cables", Metre, new("plug", "plugs")),
        new("cuts trees", new("tree", "trees"), Metre), new("stores boxes", new("box", "boxes"), new("day", "days")),
    ];
}
