namespace SpeedupLlm.Relevancy;

/// <summary>What comparing needs of a text, read once: one asked question is compared with many remembered ones. Immutable.</summary>
internal sealed class TextReading
{
    private static readonly HashSet<string> Negating = new(
        (string[])[
            "not", "no", "never", "none", "without", "neither", "nor", "cannot", "cant", "dont", "doesnt", "didnt", "isnt", "arent", "wasnt", "werent",
            "wont", "wouldnt", "shouldnt", "couldnt", "hasnt", "havent", "hadnt", "unless", "不", "没", "沒", "无", "無", "非", "未", "别",
        ], StringComparer.Ordinal);

    private readonly HashSet<(string, string)> _pairs;
    private readonly Dictionary<string, int> _words = new(StringComparer.Ordinal);

    private TextReading(string text)
    {
        var tokens = TextTokens.Of(text);
        Tokens = tokens;
        Numbers = new(tokens);
        Names = Entities.Of(text);
        Stated = Quantities.Stated(tokens);
        StatedInOrder = [.. Stated.Order(StringComparer.Ordinal)];
        Possible = Quantities.Possible(tokens);
        Units = Relevancy.Units.Of(tokens);
        _pairs = PairsOf(tokens);
        foreach (var token in tokens)
        {
            if (token.Kind == TokenKind.Word && FrequentWords.Rarity(token.Text) is var rarity && _words.TryAdd(token.Text, rarity * rarity))
                WordsWeight += rarity * rarity;
        }
        Negations = tokens.Count(t => t.Kind == TokenKind.Word && Negating.Contains(t.Text));
    }

    /// <summary>Whether there is nothing to compare.</summary>
    public bool IsEmpty => Tokens.Count == 0;

    /// <summary>All tokens in order.</summary>
    public IReadOnlyList<TextToken> Tokens { get; }

    /// <summary>The numbers in order.</summary>
    public NumberSignature Numbers { get; }

    /// <summary>The names.</summary>
    public Entities Names { get; }

    /// <summary>The numbers that the text states, in digits or words, ones aside.</summary>
    public IReadOnlyList<string> Stated { get; }

    /// <summary><see cref="Stated"/>, sorted.</summary>
    public string[] StatedInOrder { get; }

    /// <summary>The numbers that it may be said to contain.</summary>
    public IReadOnlySet<string> Possible { get; }

    /// <summary>The units that it measures in.</summary>
    public IReadOnlySet<(string Dimension, string Unit)> Units { get; }

    /// <summary>How many different pairs of neighbouring words it has, numbers masked.</summary>
    public int Pairs => _pairs.Count;

    /// <summary>The weight of all words, each once: the squares of their rarities.</summary>
    public int WordsWeight { get; }

    /// <summary>How often it negates.</summary>
    public int Negations { get; }

    /// <summary>How many of the pairs another text has too.</summary>
    public int PairsSharedWith(TextReading other)
    {
        var shared = 0;
        foreach (var pair in _pairs)
            shared += other._pairs.Contains(pair) ? 1 : 0;
        return shared;
    }

    /// <summary>The weight of the words that another text has too.</summary>
    public int WeightSharedWith(TextReading other)
    {
        var shared = 0;
        foreach (var (word, weight) in _words)
            shared += other._words.ContainsKey(word) ? weight : 0;
        return shared;
    }

    /// <summary>Reads a text.</summary>
    public static TextReading Of(string text) => new(text);

    private static HashSet<(string, string)> PairsOf(IReadOnlyList<TextToken> tokens)
    {
        static string Masked(TextToken t) => t.Kind == TokenKind.Number ? "#" : t.Text;
        var pairs = new HashSet<(string, string)>(tokens.Count);
        if (tokens.Count == 1)
            pairs.Add((Masked(tokens[0]), ""));
        for (var i = 1; i < tokens.Count; i++)
            pairs.Add((Masked(tokens[i - 1]), Masked(tokens[i])));
        return pairs;
    }
}
