using SpeedupLlm.Scoring.Answers;

namespace SpeedupLlm.Relevancy;

/// <summary>Reads English number words among tokens, and scales behind digits: <c>twenty five</c>, <c>3 million</c>.</summary>
internal static class NumberWords
{
    private static readonly HashSet<string> Words = new(
        (string[])[
            "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen",
            "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred",
            "thousand", "dozen",
        ], StringComparer.Ordinal);

    private static readonly Dictionary<string, long> Scales = new(StringComparer.Ordinal)
    {
        ["hundred"] = 100,
        ["thousand"] = 1000,
        ["million"] = 1_000_000,
        ["billion"] = 1_000_000_000,
        ["dozen"] = 12,
    };

    /// <summary>The tokens with every run of number words as one number.</summary>
    public static List<TextToken> Join(List<TextToken> tokens)
    {
        var joined = new List<TextToken>(tokens.Count);
        for (var i = 0; i < tokens.Count; i++)
        {
            if (IsWord(tokens, i))
                i = ReadRun(tokens, i, joined) - 1;
            else if (tokens[i].Kind == TokenKind.Number && i + 1 < tokens.Count && tokens[i + 1].Kind == TokenKind.Word
                && Scales.TryGetValue(tokens[i + 1].Text, out var scale) && Value(tokens[i].Text) is { } value)
            {
                joined.Add(new(TokenKind.Number, (value * Rational.Of(scale)).ToString()));
                i++;
            }
            else
                joined.Add(tokens[i]);
        }
        return joined;
    }

    /// <summary>Reads the longest run from <paramref name="from"/> that is one number; returns where it ends.</summary>
    private static int ReadRun(List<TextToken> tokens, int from, List<TextToken> joined)
    {
        var to = from + 1;
        while (IsWord(tokens, to) || (to + 1 < tokens.Count && tokens[to] is { Kind: TokenKind.Word, Text: "and" }
            && tokens[to - 1].Text is "hundred" or "thousand" && IsWord(tokens, to + 1)))
            to++;
        for (; to > from; to--)
        {
            if (EnglishNumerals.Parse(string.Join(' ', tokens[from..to].Select(t => t.Text))) is { } value)
            {
                joined.Add(new(TokenKind.Number, value.ToString()));
                return to;
            }
        }
        joined.Add(tokens[from]); // "hundreds of" is a word
        return from + 1;
    }

    private static bool IsWord(List<TextToken> tokens, int at) => at < tokens.Count && tokens[at].Kind == TokenKind.Word && Words.Contains(tokens[at].Text);

    private static Rational? Value(string number)
    {
        var slash = number.IndexOf('/', StringComparison.Ordinal);
        var negative = number.StartsWith('-');
        var top = Rational.Parse(number[(negative ? 1 : 0)..(slash < 0 ? number.Length : slash)]);
        if (slash >= 0 && top is { } above)
            top = Rational.Parse(number[(slash + 1)..]) is { } below ? Rational.Of(above.Numerator, below.Numerator) : null;
        return negative && top is { } value ? -value : top;
    }
}
