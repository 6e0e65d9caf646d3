using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace SpeedupLlm.Scoring.Answers;

/// <summary>Brings an answer's writing to one form: NFKC, ASCII digits and signs, no LaTeX, no invisible characters. Meaning stays.</summary>
internal static partial class PlainForm
{
    private const string Superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

    private static readonly Dictionary<char, string> VulgarFractions = new()
    {
        ['¼'] = "1/4",
        ['½'] = "1/2",
        ['¾'] = "3/4",
        ['⅐'] = "1/7",
        ['⅑'] = "1/9",
        ['⅒'] = "1/10",
        ['⅓'] = "1/3",
        ['⅔'] = "2/3",
        ['⅕'] = "1/5",
        ['⅖'] = "2/5",
        ['⅗'] = "3/5",
        ['⅘'] = "4/5",
        ['⅙'] = "1/6",
        ['⅚'] = "5/6",
        ['⅛'] = "1/8",
        ['⅜'] = "3/8",
        ['⅝'] = "5/8",
        ['⅞'] = "7/8",
        ['↉'] = "0/3",
    };

    /// <summary>The plain form of a text. Never throws, whatever the text.</summary>
    public static string Of(string text)
    {
        text = Latex(text.Trim());
        // before NFKC, which turns 10³ into 103 and 1½ into 11/2
        text = Fractions(Powers(text));
        text = GroupingSpace().Replace(text, "");
        text = WellFormed(text).Normalize(NormalizationForm.FormKC);
        return Signs(text).Trim();
    }

    private static string Powers(string text)
    {
        if (text.AsSpan().IndexOfAny(Superscripts) < 0)
            return text;
        var plain = new StringBuilder();
        var inside = false;
        for (var i = 0; i < text.Length; i++)
        {
            var digit = Superscripts.IndexOf(text[i], StringComparison.Ordinal);
            var minus = text[i] == '⁻' && i + 1 < text.Length && Superscripts.Contains(text[i + 1], StringComparison.Ordinal);
            if ((digit >= 0 || minus) && !inside)
                plain.Append('^');
            inside = digit >= 0 || minus;
            plain.Append(digit >= 0 ? (char)('0' + digit) : minus ? '-' : text[i]);
        }
        return plain.ToString();
    }

    private static string Fractions(string text)
    {
        var plain = new StringBuilder();
        foreach (var c in text)
        {
            if (VulgarFractions.TryGetValue(c, out var fraction))
                plain.Append(plain.Length > 0 && char.IsDigit(plain[^1]) ? " " : "").Append(fraction);
            else
                plain.Append(c);
        }
        return plain.ToString();
    }

    private static string Latex(string text)
    {
        if (text.Contains('\\', StringComparison.Ordinal))
        {
            text = LatexFraction().Replace(text, m => (m.Index > 0 && char.IsDigit(text[m.Index - 1]) ? " " : "") + m.Groups["n"].Value + "/" + m.Groups["d"].Value);
            text = LatexText().Replace(text, " ${text}");
            text = LatexSpace().Replace(text, "");
            text = text.Replace("\\times", "×", StringComparison.Ordinal).Replace("\\cdot", "·", StringComparison.Ordinal)
                .Replace("^\\circ", "°", StringComparison.Ordinal).Replace("^{\\circ}", "°", StringComparison.Ordinal)
                .Replace("\\%", "%", StringComparison.Ordinal).Replace("\\$", "＄", StringComparison.Ordinal)
                .Replace("\\left", "", StringComparison.Ordinal).Replace("\\right", "", StringComparison.Ordinal)
                .Replace("\\pi", "π", StringComparison.Ordinal);
        }
        text = text.Replace("{,}", ",", StringComparison.Ordinal);
        return MathDollars().Replace(text, "${math}");
    }

    /// <summary>Without lone surrogates, which cannot be normalised, and without invisible characters (case 16).</summary>
    private static string WellFormed(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) != UnicodeCategory.Format)
                plain.Append(rune);
        }
        return plain.ToString();
    }

    private static string Signs(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            plain.Append(c switch
            {
                '−' or '‐' or '‑' or '‒' or '–' or '﹣' => '-',
                '⁄' or '∕' => '/',
                '‘' or '’' => '\'',
                '“' or '”' => '"',
                _ when char.IsAscii(c) => c,
                _ when char.IsWhiteSpace(c) && c != '\n' => ' ',
                _ when CharUnicodeInfo.GetDecimalDigitValue(c) is >= 0 and var digit => (char)('0' + digit),
                _ => c,
            });
        }
        return plain.ToString();
    }

    [GeneratedRegex(@"\\[dt]?frac\s*\{(?<n>[^{}]*)\}\s*\{(?<d>[^{}]*)\}", RegexOptions.CultureInvariant)]
    private static partial Regex LatexFraction();

    [GeneratedRegex(@"\\(?:text|textbf|textit|mathrm|mathbf|mbox|boxed|fbox)\s*\{(?<text>[^{}]*)\}", RegexOptions.CultureInvariant)]
    private static partial Regex LatexText();

    [GeneratedRegex(@"\\[,!;: ()\[\]]", RegexOptions.CultureInvariant)]
    private static partial Regex LatexSpace();

    // $18$ is mathematics, $18 is money, and so are $5 and $6
    [GeneratedRegex(@"\$(?<math>[^$\n]+)\$(?!\d)", RegexOptions.CultureInvariant)]
    private static partial Regex MathDollars();

    // thin and unbreakable spaces group digits; a plain one may stand between two numbers
    [GeneratedRegex(@"(?<=\d)[\u00A0\u2009\u202F](?=\d{3}(?!\d))", RegexOptions.CultureInvariant)]
    private static partial Regex GroupingSpace();
}
