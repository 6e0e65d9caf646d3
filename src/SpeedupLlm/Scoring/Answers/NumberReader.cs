using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace SpeedupLlm.Scoring.Answers;

/// <summary>A number in a text.</summary>
/// <param name="From">Where it begins, its sign and currency included.</param>
/// <param name="To">Where it ends, percent included.</param>
/// <param name="Value">The number.</param>
/// <param name="Unit">Currency or percent that belongs to the number's writing; other units follow it.</param>
internal readonly record struct ReadNumber(int From, int To, Rational Value, string? Unit);

/// <summary>Finds numbers written with digits in the plain form of a text.</summary>
internal static partial class NumberReader
{
    /// <summary>All numbers, in order. A text with digits that belong to none (dates, times, versions, 1,5) gives fewer numbers than it has digit groups.</summary>
    public static IReadOnlyList<ReadNumber> Find(string plain)
    {
        var found = new List<ReadNumber>();
        foreach (Match match in Number().Matches(plain))
        {
            if (Read(match) is { } number)
                found.Add(number);
        }
        return found;
    }

    private static ReadNumber? Read(Match match)
    {
        if (Value(match) is not { } value)
            return null;
        if (match.Groups["half"].Success)
            value += Rational.Of(1, 2)!.Value;
        if (match.Groups["scale"].Success && Scale(match.Groups["scale"].Value) is { } scale)
            value *= Rational.Of(scale);
        if (match.Groups["minus"].Captures.Any(c => c.Value.StartsWith('-')))
            value = -value;
        var unit = match.Groups["percent"].Success ? Units.Percent : Units.Before(match.Groups["money"].Value);
        return new(match.Index, match.Index + match.Length, value, unit);
    }

    private static Rational? Value(Match match)
    {
        if (match.Groups["over"].Success)
        {
            var numerator = Whole(match.Groups["top"].Value);
            var denominator = Whole(match.Groups["over"].Value);
            if (numerator is null || denominator is null || Rational.Of(numerator.Value, denominator.Value) is not { } fraction)
                return null;
            return match.Groups["whole"].Success ? Whole(match.Groups["whole"].Value) is { } whole ? Rational.Of(whole) + fraction : null : fraction;
        }
        var exponent = 0;
        if (match.Groups["exponent"].Success
            && !int.TryParse(match.Groups["exponent"].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent))
            return null;
        if (Rational.Parse(match.Groups["digits"].Value, exponent) is not { } value)
            return null;
        if (!match.Groups["power"].Success)
            return value;
        // 2^10; a tower that does not fit a line is a text
        return int.TryParse(match.Groups["power"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var power)
            && power * (long)match.Groups["digits"].Length <= 1000 && value.Denominator.IsOne
            ? Rational.Of(BigInteger.Pow(value.Numerator, power))
            : null;
    }

    private static BigInteger? Whole(string digits) => Rational.Parse(digits) is { Denominator.IsOne: true } value ? value.Numerator : null;

    private static BigInteger? Scale(string word) => word.Trim() switch
    {
        "K" or "k" => 1000,
        "M" => 1_000_000,
        "B" => 1_000_000_000,
        "百" => 100,
        "千" => 1000,
        "万" or "萬" => 10_000,
        "亿" or "億" => 100_000_000,
        var other => other.ToLowerInvariant() switch
        {
            "hundred" => 100,
            "thousand" => 1000,
            "million" => 1_000_000,
            "billion" => 1_000_000_000,
            "trillion" => 1_000_000_000_000,
            "dozen" => 12,
            _ => null,
        },
    };

    // digits never continue before or after: 3.4.5, 12:30, 1,5, x2 and 3/4/2024 are no numbers
    [GeneratedRegex(
        """
        (?<![A-Za-z0-9_^]|[0-9][.,:/])
        (?<minus>(?<![0-9A-Za-z)\]%])[-+]\s?(?=[$€£¥₹.0-9])|)
        (?<money>(?:US)?[$€£¥₹]\s?|)
        (?<minus>-|)
        (?>
          (?:(?<whole>[0-9]+)(?:\ +|-|\ and\ ))?(?<top>[0-9]+)\ ?/\ ?(?<over>[0-9]+)(?![0-9]|[.,:/][0-9]|\ ?/\ ?[0-9])
          |
          (?<digits>[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3}(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?![0-9]|[.,:/][0-9])
          (?:[eE](?<exponent>[-+]?[0-9]{1,4})(?![A-Za-z0-9.])
            |\ ?[×x*·]\ ?10\ ?\^\ ?\{?(?<exponent>[-+]?[0-9]{1,4})\}?(?![0-9.])
            |\^\{?(?<power>[0-9]{1,4})\}?(?![0-9.]))?
        )
        (?<half>\ and\ a\ half\b)?
        (?<scale>[KkMB](?![A-Za-z0-9])|\s?(?:hundred|thousand|million|billion|trillion|dozen)\b|\s?[百千万萬亿億])?
        (?<percent>\s?(?:%|percent\b|per\ cent\b|pct\b))?
        """, RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace | RegexOptions.ExplicitCapture)]
    private static partial Regex Number();
}
