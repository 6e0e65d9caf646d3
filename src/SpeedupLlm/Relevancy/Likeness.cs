namespace SpeedupLlm.Relevancy;

/// <summary>What two question texts share. No model call is spent; equal texts give the same in either order.</summary>
/// <param name="Numbers">The share of the numbers of one that the other has too, the smaller of the two, in [0, 1]; 1 if neither has any. Ones do not count.</param>
/// <param name="FewestNumbers">How many numbers the text states that states fewer, ones aside.</param>
/// <param name="Template">How alike the texts are with their numbers masked: Dice's coefficient of neighbouring words, in [0, 1].</param>
/// <param name="Words">Shared words, rare ones weighing more, in [0, 1].</param>
/// <param name="Names">Shared names over the names of the text that has fewer, rare ones weighing more, in [0, 1]; null if one has none.</param>
/// <param name="SameNames">Whether both have names, and the same.</param>
/// <param name="SameNumbers">Whether both state the same numbers, each as often, in any order. Ones do not count.</param>
/// <param name="Longer">How many times as many words the longer one has, at least 1.</param>
/// <param name="SameOrder">Whether they are the same in the same order.</param>
/// <param name="SameWords">Whether the words are the same in the same order, numbers aside.</param>
/// <param name="NamesConflict">Whether each names something that the other does not, or they share less than half of their names.</param>
/// <param name="Contradicts">Whether only one of them negates, or they measure in other units.</param>
internal readonly record struct Likeness(
    double Numbers, int FewestNumbers, double Template, double Words, double? Names, bool SameNames, bool SameNumbers, double Longer, bool SameOrder, bool SameWords, bool NamesConflict, bool Contradicts)
{
    private static readonly HashSet<string> Negations = new(
        (string[])[
            "not", "no", "never", "none", "without", "neither", "nor", "cannot", "cant", "dont", "doesnt", "didnt", "isnt", "arent", "wasnt", "werent",
            "wont", "wouldnt", "shouldnt", "couldnt", "hasnt", "havent", "hadnt", "unless", "不", "没", "沒", "无", "無", "非", "未", "别",
        ], StringComparer.Ordinal);

    /// <summary>Compares two texts; null if one of them has no content.</summary>
    public static Likeness? Of(string one, string other)
    {
        var (a, b) = (TextTokens.Of(one), TextTokens.Of(other));
        if (a.Count == 0 || b.Count == 0)
            return null;
        NumberSignature numbers = new(a), otherNumbers = new(b);
        Entities names = Entities.Of(one), otherNames = Entities.Of(other);
        var shared = names.Overlap(otherNames);
        List<string> stated = Quantities.Stated(a), otherStated = Quantities.Stated(b);
        return new(
            Math.Min(Share(stated, b), Share(otherStated, a)),
            Math.Min(stated.Count, otherStated.Count),
            Dice(Pairs(a), Pairs(b), _ => 1),
            Dice(Vocabulary(a), Vocabulary(b), w => FrequentWords.Rarity(w) is var rarity ? rarity * rarity : 0),
            shared,
            names.IsSameAs(otherNames),
            numbers.HasSameNumbers(otherNumbers)
                || stated.Order(StringComparer.Ordinal).SequenceEqual(otherStated.Order(StringComparer.Ordinal), StringComparer.Ordinal),
            Math.Max(a.Count, b.Count) / (double)Math.Min(a.Count, b.Count),
            numbers.Equals(otherNumbers),
            SameSequence(a, b),
            shared < 0.5 || names.ConflictsWith(otherNames),
            Count(a) != Count(b) || Units.Conflict(a, b));
    }

    private static double Share(List<string> stated, List<TextToken> others)
    {
        if (stated.Count == 0)
            return 1;
        var there = Quantities.Possible(others);
        return stated.Count(there.Contains) / (double)stated.Count;
    }

    private static HashSet<(string, string)> Pairs(List<TextToken> tokens)
    {
        static string Masked(TextToken t) => t.Kind == TokenKind.Number ? "#" : t.Text;
        return tokens.Count == 1 ? [(Masked(tokens[0]), "")] : [.. tokens.Zip(tokens.Skip(1)).Select(p => (Masked(p.First), Masked(p.Second)))];
    }

    private static HashSet<string> Vocabulary(List<TextToken> tokens) =>
        tokens.Where(t => t.Kind == TokenKind.Word).Select(t => t.Text).ToHashSet(StringComparer.Ordinal);

    private static double Dice<T>(HashSet<T> one, HashSet<T> other, Func<T, int> weight)
    {
        var all = one.Sum(weight) + other.Sum(weight);
        return all == 0 ? 0 : 2.0 * one.Where(other.Contains).Sum(weight) / all;
    }

    private static bool SameSequence(List<TextToken> one, List<TextToken> other) =>
        one.Count == other.Count && one.Zip(other).All(p =>
            p.First.Kind == p.Second.Kind && (p.First.Kind == TokenKind.Number || string.Equals(p.First.Text, p.Second.Text, StringComparison.Ordinal)));

    private static int Count(List<TextToken> tokens) => tokens.Count(t => t.Kind == TokenKind.Word && Negations.Contains(t.Text));
}
