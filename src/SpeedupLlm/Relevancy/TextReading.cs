namespace SpeedupLlm.Relevancy;

/// <summary>What comparing needs of a text, read once: one asked question is compared with many remembered ones. Immutable.</summary>
internal sealed class TextReading
{
    private static readonly HashSet<string> Negating = new(
        (string[])[
            "not", "no", "never", "none", "without", "neither", "nor", "cannot", "cant", "dont", "doesnt", "didnt", "isnt", "arent", "wasnt", "werent",
            "wont", "wouldnt", "shouldnt", "couldnt", "hasnt", "havent", "hadnt", "unless", "不", "没", "沒", "无", "無", "非", "未", "别",
        ], StringComparer.Ordinal);

    private readonly Dictionary<string, int> _words = new(StringComparer.Ordinal);

    private TextReading(string text)
    {
        var tokens = TextTokens.Of(text);
        Tokens = tokens;
        Numbers = new(tokens);
        Names = Entities.Of(text);
        Stated = Quantities.Stated(tokens);
        Possible = Quantities.Possible(tokens);
        Units = Relevancy.Units.Of(tokens);
        Pairs = PairsOf(tokens);
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

    /// <summary>The numbers that it may be said to contain.</summary>
    public IReadOnlySet<string> Possible { get; }

    /// <summary>The units that it measures in.</summary>
    public IReadOnlySet<(string Dimension, string Unit)> Units { get; }

    /// <summary>Neighbouring words, numbers masked.</summary>
    public IReadOnlySet<(string, string)> Pairs { get; }

    /// <summary>The words, each with its weight: the square of its rarity.</summary>
    public IReadOnlyDictionary<string, int> Words => _words;

    /// <summary>The weight of all words.</summary>
    public int WordsWeight { get; }

    /// <summary>How often it negates.</summary>
    public int Negations { get; }

    /// <summary>Reads a text.</summary>
    public static TextReading Of(string text) => new(text);

    private static HashSet<(string, string)> PairsOf(IReadOnlyList<TextToken> tokens)
    {
        static string Masked(TextToken t) => t.Kind == TokenKind.Number ? "#" : t.Text;
        return tokens.Count == 1 ? [(Masked(tokens[0]), "")] : [.. tokens.Zip(tokens.Skip(1)).Select(p => (Masked(p.First), Masked(p.Second)))];
    }
}
