using SpeedupLlm.Compute;

namespace SpeedupLlm.Worlds;

/// <summary>An invented name of a firm or another subject, with a branch for many. Branches of one stem are kin: they share a part of their hidden rules.</summary>
internal sealed record InventedName(string Stem, string? Branch)
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

    // firms came first; the word stays, since what is held out hangs on it
    private ulong Hash => StableHash.Of("firm " + Stem);

    /// <summary>One of the trained names.</summary>
    public static InventedName Draw(StreamRandom random) => Draw(random, n => !n.HeldOut);

    /// <summary>One of the held-out names of a split.</summary>
    public static InventedName Draw(StreamRandom random, Split split) => Draw(random, n => n.HeldOut && n.Split == split);

    /// <summary>Another branch of this stem.</summary>
    public InventedName Sibling(StreamRandom random) => this with { Branch = random.Pick([.. Branches.Where(b => !string.Equals(b, Branch, StringComparison.Ordinal))]) };

    private static InventedName Draw(StreamRandom random, Predicate<InventedName> wanted)
    {
        while (true)
        {
            var stem = random.Pick(Syllables);
            stem = char.ToUpperInvariant(stem[0]) + stem[1..];
            for (var more = random.Next(3) == 0 ? 2 : 1; more > 0; more--)
                stem += random.Pick(Syllables);
            var name = new InventedName(stem, random.Flip(.65) ? random.Pick(Branches) : null);
            if (wanted(name))
                return name;
        }
    }
}
