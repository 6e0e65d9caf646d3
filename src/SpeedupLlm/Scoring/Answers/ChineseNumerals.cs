using System.Numerics;
using System.Text.RegularExpressions;

namespace SpeedupLlm.Scoring.Answers;

/// <summary>Chinese numerals: 三百二十五, 一万二千, 三点五, 三分之二, 百分之五, 半, 3万.</summary>
internal static partial class ChineseNumerals
{
    private const string Digits = "零一二三四五六七八九";

    /// <summary>A numeral as a whole text, or null.</summary>
    public static (Rational Value, bool Percent)? Parse(string text)
    {
        var negative = text.StartsWith('负') || text.StartsWith('負');
        var rest = negative ? text[1..] : text;
        if (rest is "半" or "一半")
            return Signed(Rational.Of(1, 2)!.Value, negative, false);
        var of = rest.IndexOf("分之", StringComparison.Ordinal);
        if (of < 0)
            return Number(rest) is { } number ? Signed(number, negative, false) : null;
        if (Number(rest[(of + 2)..]) is not { } part)
            return null;
        if (rest[..of] == "百")
            return Signed(part, negative, true);
        return Number(rest[..of]) is { } whole && Rational.Of(part.Numerator * whole.Denominator, part.Denominator * whole.Numerator) is { } fraction
            ? Signed(fraction, negative, false)
            : null;
    }

    /// <summary>The numerals in a text: at most a sign, a fraction, a point; never only a point.</summary>
    public static MatchCollection Find(string text) => Numeral().Matches(text);

    private static (Rational, bool)? Signed(Rational value, bool negative, bool percent) => (negative ? -value : value, percent);

    private static Rational? Number(string text)
    {
        var point = text.IndexOfAny(['点', '點']);
        if (point < 0)
            return Whole(text);
        var decimals = string.Concat(text[(point + 1)..].Select(c => Digit(c) is >= 0 and var d ? (char)('0' + d) : '?'));
        return decimals.Length > 0 && Whole(text[..point]) is { } whole && Rational.Parse("0." + decimals) is { } part ? whole + part : null;
    }

    private static Rational? Whole(string text)
    {
        if (text.Length == 0)
            return null;
        if (text.All(c => Digit(c) >= 0))
            return Rational.Parse(string.Concat(text.Select(c => (char)('0' + Digit(c))))); // 二〇二六
        Rational total = Rational.Of(0), section = total, current = total;
        var hasDigit = false;
        var smallest = BigInteger.Zero; // the unit that the last digit follows, for 一万二
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsAsciiDigit(c))
            {
                var run = Arabic().Match(text, i).Value;
                if (hasDigit || Rational.Parse(run) is not { } arabic)
                    return null;
                (current, hasDigit) = (arabic, true);
                i += run.Length - 1;
            }
            else if (Digit(c) is >= 0 and var digit)
            {
                if (digit == 0)
                {
                    smallest = BigInteger.Zero; // 一万零二 is not colloquial
                    continue;
                }
                if (hasDigit)
                    return null;
                (current, hasDigit) = (Rational.Of(digit), true);
            }
            else if (Power(c) is { } unit)
            {
                if (unit > 10_000 && !hasDigit && section.Numerator.IsZero && total.Numerator > 0)
                {
                    total *= Rational.Of(unit); // 三万亿
                    continue;
                }
                if (!hasDigit && !(unit == 10 && i == 0) && !(unit >= 10_000 && section.Numerator > 0) && !(unit == 100 && text.Length == 1) && !(unit == 10 && section.Numerator > 0))
                    return null;
                if (unit < 10_000)
                    section += (hasDigit ? current : Rational.Of(1)) * Rational.Of(unit);
                else
                {
                    section = (section + current) * Rational.Of(unit);
                    // 一亿二千万: what is below 亿 so far belongs to 万 only
                    total += section;
                    section = Rational.Of(0);
                }
                (current, hasDigit, smallest) = (Rational.Of(0), false, unit);
            }
            else
            {
                return null;
            }
        }
        if (hasDigit && smallest >= 100 && current.Denominator.IsOne && Digit(text[^1]) > 0)
            current *= Rational.Of(smallest / 10); // 一万二, 三百五
        return total + section + current;
    }

    private static int Digit(char c) => c switch
    {
        '两' or '兩' => 2,
        '〇' => 0,
        _ => Digits.IndexOf(c, StringComparison.Ordinal),
    };

    private static BigInteger? Power(char c) => c switch
    {
        '十' => 10,
        '百' => 100,
        '千' => 1000,
        '万' or '萬' => 10_000,
        '亿' or '億' => 100_000_000,
        _ => null,
    };

    [GeneratedRegex(@"[负負]?(?:一?半|[零〇一二两兩三四五六七八九十百千万萬亿億0-9.]+(?:[点點][零〇一二三四五六七八九]+)?(?:分之[零〇一二两兩三四五六七八九十百千万萬亿億0-9.]+(?:[点點][零〇一二三四五六七八九]+)?)?)", RegexOptions.CultureInvariant)]
    private static partial Regex Numeral();

    [GeneratedRegex(@"\G\d+(?:\.\d+)?", RegexOptions.CultureInvariant)]
    private static partial Regex Arabic();
}
