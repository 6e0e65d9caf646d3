using System.Globalization;
using System.Text;
using SpeedupLlm.Scoring.Answers;

namespace SpeedupLlm.Relevancy;

/// <summary>What a token of a text is.</summary>
internal enum TokenKind
{
    /// <summary>A word, case-folded; in scripts without spaces a single character.</summary>
    Word,

    /// <summary>A number, its value in lowest terms: <c>1,000</c>, <c>1000.0</c> and <c>one thousand</c> are the same.</summary>
    Number,

    /// <summary>A sign or an emoji.</summary>
    Symbol,
}

/// <summary>A token of a normalised text.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">The normalised form.</param>
internal readonly record struct TextToken(TokenKind Kind, string Text);

/// <summary>Reads a text as relevancy sees it: canonical and compatibility forms unified (NFKC), case folded, spaces and punctuation gone, numbers read.</summary>
internal static class TextTokens
{
    /// <summary>The tokens in order. Never throws, whatever the text.</summary>
    public static List<TextToken> Of(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return NumberWords.Join(Split(Fold(text)));
    }

    /// <summary>NFKC and case folding; lone surrogates become U+FFFD, invisible format characters go.</summary>
    private static string Fold(string text)
    {
        if (Ascii.IsValid(text))
            return text.ToLowerInvariant(); // most questions; the rest changes nothing in them
        var plain = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.IsAscii || Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Format or UnicodeCategory.EnclosingMark) && !IsVariationSelector(rune.Value))
                plain.Append(rune);
        }
        text = plain.ToString().Normalize(NormalizationForm.FormKC);
        plain.Clear();
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value is 'ß' or 'ẞ')
                plain.Append("ss");
            else
                plain.Append(Rune.ToLowerInvariant(Rune.ToUpperInvariant(rune))); // by way of upper case σ and ς meet
        }
        return plain.ToString().Normalize(NormalizationForm.FormKC);
    }

    private static bool IsVariationSelector(int value) => value is (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0100 and <= 0xE01EF);

    private static List<TextToken> Split(string text)
    {
        var tokens = new List<TextToken>();
        Rune[] runes = [.. text.EnumerateRunes()];
        var word = new StringBuilder();
        for (var i = 0; i < runes.Length;)
        {
            if (Digit(runes[i]) >= 0)
                i = ReadNumber(runes, i, tokens);
            else if (IsChineseNumeral(runes[i]))
                i = ReadChineseNumeral(runes, i, tokens);
            else if (IsWordPart(runes[i]))
                i = ReadWord(runes, i, word, tokens);
            else
            {
                if (IsSymbol(runes[i]))
                    tokens.Add(new(TokenKind.Symbol, runes[i].ToString()));
                i++;
            }
        }
        return tokens;
    }

    private static int ReadWord(Rune[] runes, int from, StringBuilder word, List<TextToken> tokens)
    {
        if (StandsAlone(runes[from]))
        {
            tokens.Add(new(TokenKind.Word, runes[from].ToString()));
            return from + 1;
        }
        word.Clear();
        var to = from;
        for (; to < runes.Length; to++)
        {
            if (IsApostrophe(runes[to]) && to + 1 < runes.Length && IsWordPart(runes[to + 1]))
                continue; // don't is one word
            if (!IsWordPart(runes[to]) || StandsAlone(runes[to]))
                break;
            word.Append(runes[to]);
        }
        tokens.Add(new(TokenKind.Word, word.ToString()));
        return to;
    }

    /// <summary>Digits with thousands separators, a decimal point, a sign, or a fraction.</summary>
    private static int ReadNumber(Rune[] runes, int from, List<TextToken> tokens)
    {
        var (value, to) = Decimal(runes, from);
        if (to + 1 < runes.Length && runes[to].Value == '/' && Digit(runes[to + 1]) >= 0
            && Decimal(runes, to + 1) is { Value: { Numerator.IsZero: false } below } part && value is { } above
            && !(part.To + 1 < runes.Length && runes[part.To].Value == '/' && Digit(runes[part.To + 1]) >= 0))
        {
            value = Rational.Of(above.Numerator * below.Denominator, above.Denominator * below.Numerator);
            to = part.To;
        }
        var negative = from > 0 && runes[from - 1].Value is '-' or '−'
            && (from < 2 || !(IsWordPart(runes[from - 2]) || Digit(runes[from - 2]) >= 0 || runes[from - 2].Value is ')' or '-' or '−'));
        // a number of more digits than any question has is kept as it is written
        var written = value is { } number
            ? (negative ? -number : number).ToString()
            : string.Concat(runes[from..to].Select(r => Digit(r) is >= 0 and var d ? d.ToString(CultureInfo.InvariantCulture) : r.ToString()));
        tokens.Add(new(TokenKind.Number, written));
        return to;
    }

    private static (Rational? Value, int To) Decimal(Rune[] runes, int from)
    {
        var digits = new StringBuilder();
        var to = from;
        var point = false;
        for (; to < runes.Length; to++)
        {
            if (Digit(runes[to]) is >= 0 and var digit)
                digits.Append((char)('0' + digit));
            else if (!point && runes[to].Value is ',' or '\'' or 0x066C && digits.Length is > 0 && IsGroup(runes, to + 1))
                continue;
            else if (!point && runes[to].Value is '.' or 0x066B && to + 1 < runes.Length && Digit(runes[to + 1]) >= 0)
            {
                point = true;
                digits.Append('.');
            }
            else
                break;
        }
        return (Rational.Parse(digits.ToString()), to);
    }

    /// <summary>Whether exactly three digits follow, as behind a thousands separator.</summary>
    private static bool IsGroup(Rune[] runes, int from)
    {
        var count = 0;
        while (from + count < runes.Length && count <= 3 && Digit(runes[from + count]) >= 0)
            count++;
        return count == 3;
    }

    /// <summary>三百二十五 is a number; 一 alone is too common a syllable to be one.</summary>
    private static int ReadChineseNumeral(Rune[] runes, int from, List<TextToken> tokens)
    {
        var to = from;
        while (to < runes.Length && IsChineseNumeral(runes[to]))
            to++;
        var run = string.Concat(runes[from..to].Select(r => r.ToString()));
        if (run != "一" && ChineseNumerals.Parse(run) is { Percent: false } whole)
        {
            tokens.Add(new(TokenKind.Number, whole.Value.ToString()));
            return to;
        }
        foreach (var rune in runes[from..to])
        {
            var one = rune.ToString();
            tokens.Add(one != "一" && ChineseNumerals.Parse(one) is { Percent: false } value ? new(TokenKind.Number, value.Value.ToString()) : new(TokenKind.Word, one));
        }
        return to;
    }

    private static bool IsChineseNumeral(Rune rune) => !rune.IsAscii && rune.IsBmp && "零〇一二两兩三四五六七八九十百千万萬亿億".Contains((char)rune.Value, StringComparison.Ordinal);

    private static int Digit(Rune rune) =>
        rune.Value is >= '0' and <= '9' ? rune.Value - '0'
        : rune.IsAscii || Rune.GetUnicodeCategory(rune) != UnicodeCategory.DecimalDigitNumber ? -1
        : (int)Rune.GetNumericValue(rune);

    private static bool IsApostrophe(Rune rune) => rune.Value is '\'' or 0x2019 or 0x02BC;

    private static bool IsWordPart(Rune rune) => rune.IsAscii ? char.IsAsciiLetter((char)rune.Value) : Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter
        or UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.LetterNumber
        or UnicodeCategory.OtherNumber && !IsChineseNumeral(rune);

    private static bool IsSymbol(Rune rune) =>
        rune.Value is '%' or '*' or '/' or '&' or '@' or '#' or 0xFFFD
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.MathSymbol or UnicodeCategory.CurrencySymbol or UnicodeCategory.OtherSymbol or UnicodeCategory.ModifierSymbol;

    /// <summary>Scripts that write no spaces: Han, kana, Thai, Lao, Myanmar, Khmer.</summary>
    private static bool StandsAlone(Rune rune) => rune.Value is
        (>= 0x0E00 and <= 0x0EFF) or (>= 0x1000 and <= 0x109F) or (>= 0x1780 and <= 0x17FF) or (>= 0x3040 and <= 0x30FF)
        or (>= 0x3400 and <= 0x9FFF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x3FFFF);
}
