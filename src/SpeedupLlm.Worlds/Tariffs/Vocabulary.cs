namespace SpeedupLlm.Worlds.Tariffs;

/// <summary>The pieces of Tariff World. A piece that begins a word carries the space before it.</summary>
internal static class Vocabulary
{
    private const string Punctuation = ". , ? ; :";

    private static readonly string[] Digits = "0 1 2 3 4 5 6 7 8 9".Split(' ');

    private const string Words =
        "x y + - = / free over add least round Try charge bill ok no Answer first second is sure maybe none "
        + "price diff cheaper sum answer good bad "
        + "and cost For one paid Bill total the What do for Order How much more than difference of Orders Difference Which or order costs less First Second many with One how";

    /// <summary>Every piece once, in a fixed order.</summary>
    public static IReadOnlyList<string> Pieces { get; } =
    [
        .. new[]
        {
            Punctuation.Split(' '),
            Digits.Select(Leading),
            Digits,
            Words.Split(' ').Select(Leading),
            InventedName.Syllables.Select(s => Leading(char.ToUpperInvariant(s[0]) + s[1..])),
            InventedName.Syllables,
            InventedName.Branches.Select(Leading),
            Service.All.SelectMany(s => s.Does.Split(' ').Append(s.X.One).Append(s.X.Many).Append(s.Y.One).Append(s.Y.Many)).Select(Leading),
            Filler.Sentences.SelectMany(s => s.TrimEnd('.').Split(' ')).Select(Leading),
        }.SelectMany(pieces => pieces).Distinct(StringComparer.Ordinal),
    ];

    private static string Leading(string word) => " " + word;
}
