using System.Globalization;
using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using SpeedupLlm.Compute;
using SpeedupLlm.Scoring;

namespace SpeedupLlm.Tests.Scoring;

/// <summary>Laws of answer equivalence on generated numbers in generated writings.</summary>
public sealed class AnswerProperties
{
    /// <summary>Always the same cases, so that a build fails for what it changes; 20,000 others were tried once.</summary>
    private static readonly Config Config = Config.QuickThrowOnFailure.WithMaxTest(400).WithReplay(2026, 11);

    private static readonly string[] Units = ["", " km", " 公里", " kilometers"];

    /// <summary>A fraction with a short decimal or any denominator, and a stream that picks its writings.</summary>
    private static Gen<(int Numerator, int Denominator, ulong Chance)> Numbers() =>
        from numerator in Gen.Choose(-2_000_000, 2_000_000)
        from denominator in Gen.Elements(1, 1, 1, 1, 2, 4, 8, 10, 100, 3, 7)
        from chance in Gen.Choose(0, int.MaxValue)
        select (numerator, denominator, (ulong)chance);

    [Fact]
    public void AreEquivalent_TwoWritingsOfOneNumber_IsTrue() => Prop.ForAll(Numbers().ToArbitrary(), number =>
    {
        var chance = new StreamRandom(new(number.Chance, 1));
        var (a, b, c) = (Write(number, chance), Write(number, chance), Write(number, chance));
        Assert.True(AnswerComparer.AreEquivalent(a, a), a);
        Assert.True(AnswerComparer.AreEquivalent(a, b), $"{a} and {b}: {AnswerComparer.Canonical(a)} and {AnswerComparer.Canonical(b)}");
        Assert.Equal(AnswerComparer.AreEquivalent(a, b), AnswerComparer.AreEquivalent(b, a));
        Assert.True(AnswerComparer.AreEquivalent(b, c) && AnswerComparer.AreEquivalent(a, c), $"{a}, {b}, {c}");
    }).Check(Config);

    [Fact]
    public void AreEquivalent_AnyThreeAnswers_IsAnEquivalence()
    {
        // few values, so that equal ones are common
        var some = from value in Gen.Choose(-3, 3) from denominator in Gen.Choose(1, 3) from chance in Gen.Choose(0, 10_000) select (value, denominator, (ulong)chance);
        Prop.ForAll(Gen.Three(some).ToArbitrary(), three =>
        {
            var (a, b, c) = (Write(three.Item1), Write(three.Item2), Write(three.Item3));
            Assert.Equal(AnswerComparer.AreEquivalent(a, b), AnswerComparer.AreEquivalent(b, a));
            Assert.Equal(Same(three.Item1, three.Item2), AnswerComparer.AreEquivalent(a, b));
            if (AnswerComparer.AreEquivalent(a, b) && AnswerComparer.AreEquivalent(b, c))
                Assert.True(AnswerComparer.AreEquivalent(a, c), $"{a}, {b}, {c}");
        }).Check(Config);

        static string Write((int Numerator, int Denominator, ulong Chance) number) => AnswerProperties.Write(number, new(new(number.Chance, 2)));
        static bool Same((int N, int D, ulong C) a, (int N, int D, ulong C) b) => a.N * b.D == b.N * a.D;
    }

    [Fact]
    public void AreEquivalent_OneDigitChanged_IsFalse() => Prop.ForAll(Numbers().ToArbitrary(), number =>
    {
        var chance = new StreamRandom(new(number.Chance, 3));
        var text = Write(number with { Denominator = number.Denominator is 3 or 7 ? 1 : number.Denominator }, chance);
        var digits = Enumerable.Range(0, text.Length).Where(i => char.IsAsciiDigit(text[i])).ToList();
        if (digits.Count == 0 || text.Contains('^', StringComparison.Ordinal) || text.Contains('/', StringComparison.Ordinal))
            return; // no digits of its value, or 0^1 and 0/1
        var at = chance.Pick(digits);
        var other = (char)('0' + (text[at] - '0' + chance.Between(1, 9)) % 10);
        var changed = text[..at] + other + text[(at + 1)..];
        if (BigInteger.Zero == Digits(text) && text.Contains('e', StringComparison.Ordinal))
            return; // 0e1 and 0e2
        Assert.False(AnswerComparer.AreEquivalent(text, changed), $"{text} and {changed}");
    }).Check(Config);

    [Fact]
    public void AreEquivalent_TextWithOneDigitChanged_IsFalse()
    {
        var texts = from words in Gen.ListOf(Gen.Elements("Apollo", "room", "and", "12", "1,234", "3.5", "-4", "v2", "(B)", "x=", "5:30", "the", "of", "七", "½", "%", "to"))
                    from chance in Gen.Choose(0, int.MaxValue)
                    select (string.Join(' ', words), (ulong)chance);
        Prop.ForAll(texts.ToArbitrary(), one =>
        {
            var (text, seed) = one;
            // what stands left of an equals sign is how, not what
            var from = text.LastIndexOf('=') + 1;
            var digits = Enumerable.Range(from, text.Length - from).Where(i => char.IsAsciiDigit(text[i])).ToList();
            if (digits.Count == 0)
                return;
            var chance = new StreamRandom(new(seed, 4));
            var at = chance.Pick(digits);
            var changed = text[..at] + (char)('0' + (text[at] - '0' + chance.Between(1, 9)) % 10) + text[(at + 1)..];
            Assert.False(AnswerComparer.AreEquivalent(text, changed), $"{text} and {changed}: {AnswerComparer.Canonical(text)}");
        }).Check(Config);
    }

    [Fact]
    public void AreEquivalent_AnyText_NeverThrowsAndIsReflexive() => Prop.ForAll(ArbMap.Default.ArbFor<string>(), text =>
    {
        text ??= "";
        Assert.True(AnswerComparer.AreEquivalent(text, text + " "));
        _ = FinalAnswer.Extract(text);
    }).Check(Config);

    [Fact]
    public void Extract_NumberBehindMarker_RoundTrips() => Prop.ForAll(Numbers().ToArbitrary(), number =>
    {
        var chance = new StreamRandom(new(number.Chance, 5));
        var answer = Write(number, chance);
        var text = chance.Pick(new[] { "2 + 2 = 4.\nAnswer: {0}", "#### {0}", "So \\boxed{{{0}}}.", "The answer is {0}.", "The final answer is: **{0}**." });
        var found = FinalAnswer.Extract(string.Format(CultureInfo.InvariantCulture, text, answer));
        Assert.True(found is not null && AnswerComparer.AreEquivalent(found, answer), $"{text} with {answer} gave {found}");
    }).Check(Config);

    /// <summary>One of the writings of a number.</summary>
    private static string Write((int Numerator, int Denominator, ulong Chance) number, StreamRandom chance)
    {
        var (n, d) = (number.Numerator, number.Denominator);
        var sign = n < 0 ? chance.Pick(new[] { "-", "−", "–" }) : "";
        var size = Math.Abs((decimal)n);
        var exact = d is not (3 or 7);
        var whole = n % d == 0;
        var plain = exact ? (size / d).ToString("0.########", CultureInfo.InvariantCulture) : "";
        var forms = new List<string> { string.Create(CultureInfo.InvariantCulture, $"{sign}{size}/{d}") };
        if (exact)
        {
            forms.Add(sign + plain);
            forms.Add(sign + (size / d).ToString("#,##0.########", CultureInfo.InvariantCulture));
            forms.Add(sign + plain + chance.Pick(Units));
            forms.Add(string.Concat((sign + plain).Select(c => char.IsAsciiDigit(c) ? (char)('０' + (c - '0')) : c)));
            forms.Add(string.Create(CultureInfo.InvariantCulture, $"{sign}{size}/{d}"));
            forms.Add(string.Create(CultureInfo.InvariantCulture, $"x = {sign}{plain}"));
            forms.Add(sign + plain + "e0");
            forms.Add(sign + (whole ? plain + ".0" : plain + "0"));
        }
        if (size / d > 1 && !whole)
            forms.Add(string.Create(CultureInfo.InvariantCulture, $"{sign}{(long)size / d} {(long)size % d}/{d}"));
        if (whole)
        {
            var integer = (long)size / d;
            forms.Add((n < 0 ? "负" : "") + Chinese(integer));
            if (integer < 1_000_000)
                forms.Add((n < 0 ? "minus " : "") + English((int)integer));
        }
        return chance.Pick(forms);
    }

    private static BigInteger Digits(string text) =>
        BigInteger.Parse("0" + string.Concat(text.TakeWhile(c => c != 'e').Where(char.IsAsciiDigit)), CultureInfo.InvariantCulture);

    private static string Chinese(long n)
    {
        if (n == 0)
            return "零";
        if (n >= 10_000)
        {
            var rest = n % 10_000;
            return Chinese(n / 10_000) + "万" + (rest == 0 ? "" : (rest < 1000 ? "零" : "") + Chinese(rest));
        }
        var text = "";
        var gap = false;
        foreach (var (power, unit) in new[] { (1000, "千"), (100, "百"), (10, "十"), (1, "") })
        {
            var digit = n / power % 10;
            if (digit == 0)
            {
                gap = text.Length > 0;
                continue;
            }
            text += (gap ? "零" : "") + "零一二三四五六七八九"[(int)digit] + unit;
            gap = false;
        }
        return text;
    }

    private static string English(int n)
    {
        string[] small = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"];
        string[] tens = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
        return n switch
        {
            < 20 => small[n],
            < 100 => tens[n / 10] + (n % 10 == 0 ? "" : "-" + small[n % 10]),
            < 1000 => small[n / 100] + " hundred" + (n % 100 == 0 ? "" : " and " + English(n % 100)),
            _ => English(n / 1000) + " thousand" + (n % 1000 == 0 ? "" : (n % 1000 < 100 ? " and " : " ") + English(n % 1000)),
        };
    }
}
