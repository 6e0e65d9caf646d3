using System.Text.RegularExpressions;

namespace SpeedupLlm.Scoring.Answers;

/// <summary>English number words below a million: twenty-five, one hundred and five, three thousand, two thirds, a half, a dozen, three point five.</summary>
internal static partial class EnglishNumerals
{
    private static readonly string[] Small =
    [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
        "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    ];

    private static readonly string[] Tens = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

    private static readonly string[] Parts = ["half", "third", "quarter", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

    /// <summary>The first run of number words in a text that is a number, or null.</summary>
    public static (int From, int To, Rational Value)? Find(string text)
    {
        var match = Run().Match(text);
        return match.Success && Parse(match.Value) is { } value ? (match.Index, match.Index + match.Length, value) : null;
    }

    /// <summary>Whether a text has number words; "one" and "a" are too common to count.</summary>
    public static bool Mentions(string text) => Run().Matches(text).Any(m => !m.Value.Equals("one", StringComparison.OrdinalIgnoreCase));

    /// <summary>A run of number words as a whole, or null.</summary>
    public static Rational? Parse(string text)
    {
        var words = text.ToLowerInvariant().Split([' ', '-'], StringSplitOptions.RemoveEmptyEntries).Where(w => w != "and").ToList();
        if (words.Count == 0)
            return null;
        var negative = words[0] is "minus" or "negative";
        if (negative)
            words.RemoveAt(0);
        if (Value(words) is not { } value)
            return null;
        return negative ? -value : value;
    }

    private static Rational? Value(List<string> words)
    {
        if (words is [.., "a", "half"] && words.Count > 2)
            return Cardinal(words[..^2]) is { } whole ? whole + Rational.Of(1, 2)!.Value : null;
        if (words.Count > 0 && PartOf(words[^1]) is { } part)
        {
            var count = words.Count == 1 || words is ["a", _] ? Rational.Of(1) : Cardinal(words[..^1]);
            return count is { } number ? number * Rational.Of(1, part)!.Value : null;
        }
        var point = words.IndexOf("point");
        if (point < 0)
            return Cardinal(words);
        var digits = words[(point + 1)..].Select(w => Array.IndexOf(Small, w)).ToList();
        return digits.Count > 0 && digits.All(d => d is >= 0 and <= 9) && (point == 0 ? Rational.Of(0) : Cardinal(words[..point])) is { } before
            && Rational.Parse("0." + string.Concat(digits)) is { } after
            ? before + after
            : null;
    }

    /// <summary>"third" alone is a place, not a part: the words before it must count.</summary>
    private static int? PartOf(string word)
    {
        var at = Array.IndexOf(Parts, word is "halves" ? "half" : word.TrimEnd('s'));
        return at < 0 ? null : at + 2;
    }

    private static Rational? Cardinal(List<string> words)
    {
        if (words.Count == 0)
            return null;
        int total = 0, section = 0;
        var open = true; // whether a small number may follow
        foreach (var (i, word) in words.Index())
        {
            var small = Array.IndexOf(Small, word);
            var ten = Array.IndexOf(Tens, word);
            if (small >= 0 && (open || (section % 100 >= 20 && section % 10 == 0 && small is > 0 and < 10)))
                (section, open) = (section + small, false);
            else if (ten >= 0 && open)
                (section, open) = (section + 10 * (ten + 2), false);
            else if (word == "a" && i == 0 && words.Count > 1)
                (section, open) = (1, false);
            else if (word == "hundred" && section is > 0 and < 100)
                (section, open) = (100 * section, true);
            else if (word == "thousand" && section is > 0 and < 1000 && total == 0)
                (total, section, open) = (1000 * section, 0, true);
            else if (word == "dozen" && i == words.Count - 1 && total == 0 && section is >= 0 and < 100)
                section = 12 * Math.Max(1, section);
            else
                return null;
        }
        return Rational.Of(total + section);
    }

    [GeneratedRegex(
        @"(?<![\w'])(?:(?:minus|negative)\s+)?(?:(?:a\s+(?=half\b|third\b|quarter\b|hundred\b|thousand\b|dozen\b))?(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|dozen|half)(?:[\s-]+(?:and\s+)?(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|dozen|point|a\s+half|half|halves|thirds?|quarters?|fifths?|sixths?|sevenths?|eighths?|ninths?|tenths?))*|a\s+(?:third|quarter)\b)(?![\w'])",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Run();
}
