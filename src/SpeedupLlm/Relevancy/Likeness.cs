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
    /// <summary>Compares two texts; null if one of them has no content.</summary>
    public static Likeness? Of(TextReading one, TextReading other)
    {
        if (one.IsEmpty || other.IsEmpty)
            return null;
        var shared = one.Names.Overlap(other.Names);
        return new(
            Math.Min(Share(one, other), Share(other, one)),
            Math.Min(one.Stated.Count, other.Stated.Count),
            Dice(one.PairsSharedWith(other), one.Pairs, other.Pairs),
            Dice(one.WeightSharedWith(other), one.WordsWeight, other.WordsWeight),
            shared,
            one.Names.IsSameAs(other.Names),
            one.Numbers.HasSameNumbers(other.Numbers)
                || one.StatedInOrder.AsSpan().SequenceEqual(other.StatedInOrder),
            Math.Max(one.Tokens.Count, other.Tokens.Count) / (double)Math.Min(one.Tokens.Count, other.Tokens.Count),
            one.Numbers.Equals(other.Numbers),
            SameSequence(one.Tokens, other.Tokens),
            shared < 0.5 || one.Names.ConflictsWith(other.Names),
            one.Negations != other.Negations || Units.Conflict(one.Units, other.Units));
    }

    private static double Share(TextReading one, TextReading other) =>
        one.Stated.Count == 0 ? 1 : one.Stated.Count(other.Possible.Contains) / (double)one.Stated.Count;

    private static double Dice(int shared, int one, int other) => one + other == 0 ? 0 : 2.0 * shared / (one + other);

    private static bool SameSequence(IReadOnlyList<TextToken> one, IReadOnlyList<TextToken> other) =>
        one.Count == other.Count && one.Zip(other).All(p =>
            p.First.Kind == p.Second.Kind && (p.First.Kind == TokenKind.Number || string.Equals(p.First.Text, p.Second.Text, StringComparison.Ordinal)));
}
