using System.Text.RegularExpressions;

namespace SpeedupLlm.Relevancy;

/// <summary>The names in a text: capitalised words.</summary>
/// <param name="Sure">Capitalised inside a sentence.</param>
/// <param name="Possible">Those, and uncommon words at the beginning of a sentence.</param>
internal sealed partial record Entities(IReadOnlySet<string> Sure, IReadOnlySet<string> Possible)
{
    private static readonly HashSet<string> Connectives = new(
        """
        additionally afterwards although apart assuming besides calculate considering consequently currently determine during eventually finally following given
        hence however if initially instead later meanwhile moreover next originally otherwise previously similarly since subsequently suppose then therefore
        throughout thus unfortunately upon while
        """.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries), StringComparer.Ordinal);

    /// <summary>The names, case-folded and in the singular. None for texts without capitals, or in scripts that have none.</summary>
    public static Entities Of(string text)
    {
        HashSet<string> sure = new(StringComparer.Ordinal), possible = new(StringComparer.Ordinal);
        foreach (Match match in Capitalised().Matches(text))
        {
            var word = match.Value.ToLowerInvariant();
            var name = word.Length > 3 && word.EndsWith('s') ? word[..^1] : word;
            if (match.Index > 0 && !Opening().IsMatch(text.AsSpan(0, match.Index)))
            {
                if (FrequentWords.Rarity(word) > 0)
                    sure.Add(name);
            }
            else if (FrequentWords.Rarity(word) == 2 && !Connectives.Contains(word) && TextTokens.Of(word) is [{ Kind: TokenKind.Word }])
                possible.Add(name);
        }
        possible.UnionWith(sure);
        return new(sure, possible);
    }

    /// <summary>The share of the names of the text that has fewer which the other has too, uncommon ones weighing more; null if one has none.</summary>
    public double? Overlap(Entities other) => Possible.Count == 0 || other.Possible.Count == 0 ? null
        : Weight(Possible.Where(other.Possible.Contains)) / (double)Math.Min(Weight(Possible), Weight(other.Possible));

    /// <summary>Whether both have names, and the same.</summary>
    public bool IsSameAs(Entities other) => Possible.Count > 0 && Possible.SetEquals(other.Possible);

    /// <summary>Whether each surely names something that the other does not.</summary>
    public bool ConflictsWith(Entities other) => Sure.Any(n => !other.Possible.Contains(n)) && other.Sure.Any(n => !Possible.Contains(n));

    private static int Weight(IEnumerable<string> names) => names.Sum(n => FrequentWords.Rarity(n) is var rarity ? rarity * rarity : 0);

    [GeneratedRegex(@"\b\p{Lu}\p{L}+", RegexOptions.CultureInvariant)]
    private static partial Regex Capitalised();

    [GeneratedRegex(@"[.?!:;""“]\s*$", RegexOptions.CultureInvariant | RegexOptions.RightToLeft)]
    private static partial Regex Opening();
}
