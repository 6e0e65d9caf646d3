namespace SpeedupLlm.Relevancy;

/// <summary>Words that say a number without being one (<c>twice</c>, <c>half</c>, <c>a decade</c>), and numbers that paraphrases write in two ways (<c>50 %</c> and one half).</summary>
internal static class Quantities
{
    private static readonly Dictionary<string, string> Words = Read(
        ("2", "twice double doubled doubles"),
        ("3", "thrice triple tripled triples"),
        ("4", "quadruple quadruples"),
        ("10", "decade decades"),
        ("100", "century"),
        ("1/2", "half halves halved"),
        ("1/3", "third thirds"),
        ("1/4", "quarter quarters"));

    // say a number now and then, and something else as often
    private static readonly Dictionary<string, string> Vague = Read(
        ("2", "couple pair both second"),
        ("1/4", "fourth"),
        ("5", "nickel fifth"),
        ("7", "week weekly"),
        ("10", "dime tenth"),
        ("12", "dozens"),
        ("60", "hour minute"));

    // half an hour, a half, 50 %
    private static readonly Dictionary<string, string[]> Written = new(StringComparer.Ordinal)
    {
        ["1/2"] = ["50", "30"],
        ["50"] = ["1/2"],
        ["30"] = ["1/2"],
        ["1/4"] = ["25", "15"],
        ["25"] = ["1/4"],
        ["15"] = ["1/4"],
    };

    /// <summary>The numbers that a text states, in digits or words, in order. Ones are left out: "one" is a pronoun as often as a number.</summary>
    public static List<string> Stated(IReadOnlyList<TextToken> tokens) => [.. tokens.Select(Number).OfType<string>().Where(n => n != "1")];

    /// <summary>What numbers a text may be said to contain: those that it states, those that its words may mean, and their other spellings.</summary>
    public static HashSet<string> Possible(IReadOnlyList<TextToken> tokens)
    {
        var all = new HashSet<string>(StringComparer.Ordinal);
        foreach (var token in tokens)
        {
            if ((Number(token) ?? (token.Kind == TokenKind.Word ? Vague.GetValueOrDefault(token.Text) : null)) is not { } number || !all.Add(number))
                continue;
            foreach (var other in Written.GetValueOrDefault(number, []))
                all.Add(other);
        }
        return all;
    }

    private static string? Number(TextToken token) =>
        token.Kind == TokenKind.Number ? token.Text : token.Kind == TokenKind.Word ? Words.GetValueOrDefault(token.Text) : null;

    private static Dictionary<string, string> Read(params ReadOnlySpan<(string Number, string Words)> entries)
    {
        var words = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (number, list) in entries)
        {
            foreach (var word in list.Split(' '))
                words.TryAdd(word, number);
        }
        return words;
    }
}
