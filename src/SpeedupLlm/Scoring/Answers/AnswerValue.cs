using System.Text;
using System.Text.RegularExpressions;

namespace SpeedupLlm.Scoring.Answers;

/// <summary>What an answer says, whatever its writing: a number with or without a unit, a choice, or a text.</summary>
/// <param name="Number">The number, or null.</param>
/// <param name="Unit">Its unit if a known one is named.</param>
/// <param name="Choice">The choice: a capital letter, or a place such as <c>#1</c>; null if it is none.</param>
/// <param name="Text">The normalised text; for a choice, what stands beside it.</param>
internal sealed partial record AnswerValue(Rational? Number, string? Unit, string? Choice, string Text)
{
    private static readonly string[] Ordinals = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

    /// <summary>Reads a final answer. Never throws.</summary>
    public static AnswerValue Parse(string answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var plain = Strip(PlainForm.Of(answer));
        return ReadChoice(plain) ?? ReadNumber(plain) ?? new(null, null, null, Normalise(plain));
    }

    /// <summary>Whether two answers mean the same. A missing unit or option text contradicts nothing.</summary>
    public bool Means(AnswerValue other)
    {
        if (Number is { } number)
            return other.Number is { } its && number == its && (Unit is null || other.Unit is null || Unit == other.Unit);
        if (other.Number is not null || Choice != other.Choice)
            return false;
        return Text == other.Text || (Choice is not null && (Text.Length == 0 || other.Text.Length == 0));
    }

    /// <summary>Whether it is neither a number nor a choice.</summary>
    public bool IsText => Number is null && Choice is null;

    /// <summary>One writing of the value, such as <c>1/2</c>, <c>5 km</c>, <c>B</c> or <c>new york</c>.</summary>
    public override string ToString() => Number is { } number ? number + (Unit is null ? "" : " " + Unit) : Choice ?? Text;

    private static string Strip(string plain)
    {
        var text = plain.Trim();
        for (var before = ""; before != text;)
        {
            before = text;
            text = text.Trim(' ', '\n', '\t', '*', '_', '`', '"', '\'', '"').TrimEnd('.', ',', ';', ':', '。', '，', '、');
            if (text is ['(', .., ')'] && text.IndexOf(')', StringComparison.Ordinal) == text.Length - 1 && text.Length > 3)
                text = text[1..^1];
        }
        return text;
    }

    private static AnswerValue? ReadChoice(string plain)
    {
        if (LetterChoice().Match(plain) is { Success: true } letter)
            return new(null, null, letter.Groups["letter"].Value.ToUpperInvariant(), Normalise(letter.Groups["text"].Value));
        if (Place().Match(plain) is not { Success: true } place)
            return null;
        var word = place.Groups["word"].Value.ToLowerInvariant();
        var at = Array.IndexOf(Ordinals, word) is >= 0 and var index ? Rational.Of(index + 1)
            : word.Length > 0 ? Rational.Parse(word[..^2])
            : ChineseNumerals.Parse(place.Groups["chinese"].Value)?.Value;
        return at is { } number ? new(null, null, "#" + number, Normalise(place.Groups["text"].Value)) : null;
    }

    private static AnswerValue? ReadNumber(string plain)
    {
        var equals = plain.LastIndexOfAny(['=', '≈']);
        if (Relation().IsMatch(plain))
            return null;
        if (equals >= 0 && equals < plain.Length - 1)
            return ReadNumber(plain[(equals + 1)..].Trim());
        return ReadDigits(plain) ?? ReadWords(plain) ?? ReadChinese(plain);
    }

    private static AnswerValue? ReadDigits(string plain)
    {
        var numbers = NumberReader.Find(plain);
        if (numbers.Count == 0)
            return null;
        var number = numbers[0];
        var before = plain[..number.From];
        var after = plain[number.To..];
        // what stands in brackets after it must say the same: 1/2 (0.5), 18 (3 * 6 is not looked into)
        if (numbers.Count == 2 && Bracketed().Match(after).Groups["again"] is { Success: true } again && NumberReader.Find(again.Value) is [var same]
            && same.Value == number.Value && !Others(again.Value.Remove(same.From, same.To - same.From)))
            after = after.Remove(again.Index, again.Length);
        if (Others(before) || Others(UnitPower().Replace(after, "")) || IsLabel(before))
            return null;
        return new(number.Value, number.Unit ?? Units.After(after) ?? CodeBefore(before), null, "");
    }

    private static AnswerValue? ReadWords(string plain)
    {
        if (EnglishNumerals.Find(plain) is not var (from, to, value) || plain.Any(char.IsAsciiDigit))
            return null;
        var before = plain[..from];
        var after = plain[to..];
        // number words are everyday words: only an answer that begins with them, but for a lead-in, is a number
        if (LeadIn().Replace(before, "").Trim().Length > 0 || EnglishNumerals.Mentions(after) || after.Split(' ').Length > 6
            || EveryDay().IsMatch(after))
            return null;
        return new(value, Units.After(after), null, "");
    }

    private static AnswerValue? ReadChinese(string plain)
    {
        plain = ChineseLeadIn().Replace(plain, ""); // the 一 of 一共 counts nothing
        var numerals = ChineseNumerals.Find(plain).Where(m => m.Value.Any(c => c > 127)).ToList();
        if (numerals.Count != 1 || ChineseNumerals.Parse(numerals[0].Value) is not var (value, percent))
            return null;
        var before = plain[..numerals[0].Index];
        var after = plain[(numerals[0].Index + numerals[0].Length)..];
        if (before.Length > 0 || !Units.FollowsNumeral(after) || after.Any(char.IsAsciiDigit))
            return null;
        return new(value, percent ? Units.Percent : Units.After(after), null, "");
    }

    /// <summary>Whether text beside a number has digits or numbers of its own: then two answers could differ in them (case 41).</summary>
    private static bool Others(string beside) => beside.Any(char.IsDigit) || EnglishNumerals.Mentions(beside);

    /// <summary>Apollo 11, Room 5: a number that names something.</summary>
    private static bool IsLabel(string before) => Label().Match(before) is { Success: true } label && LeadIn().Replace(label.Value, "").Length > 0;

    private static string? CodeBefore(string before) => Code().Match(before) is { Success: true } code ? Units.After(code.Value) : null;

    /// <summary>NFKC, lower case, without articles and punctuation; signs that carry meaning beside digits and in formulas stay.</summary>
    private static string Normalise(string plain)
    {
        var text = new StringBuilder(plain.Length);
        for (var i = 0; i < plain.Length; i++)
        {
            var c = plain[i];
            var beforeDigit = i + 1 < plain.Length && char.IsDigit(plain[i + 1]);
            var afterDigit = i > 0 && char.IsDigit(plain[i - 1]);
            var joinsWords = i > 0 && char.IsLetter(plain[i - 1]) && i + 1 < plain.Length && char.IsLetter(plain[i + 1]);
            if (c == ',' && afterDigit && Thousands().IsMatch(plain, i))
                continue;
            if (c == '\'' && joinsWords)
                continue;
            if (c == '-' && joinsWords)
                text.Append(' ');
            else if (char.IsLetterOrDigit(c) || char.IsSurrogate(c) || char.IsSymbol(c) || "+-*/%^".Contains(c, StringComparison.Ordinal)
                || (c is '.' or ',' or ':' && afterDigit && beforeDigit) || (c == '.' && beforeDigit) || (c == '!' && afterDigit)
                || char.GetUnicodeCategory(c) is System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark)
                text.Append(char.ToLowerInvariant(c));
            else
                text.Append(' ');
        }
        var words = text.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var normal = string.Join(' ', words.Where(w => w is not ("a" or "an" or "the")));
        return normal.Length > 0 ? normal : words.Length > 0 ? string.Join(' ', words) : plain;
    }

    [GeneratedRegex(@"^(?:(?:(?i:option|choice|answer)\s*:?\s*)?(?:\((?<letter>[A-Ja-j])\)|(?<letter>[A-Ja-j])\)|(?<letter>[A-J])[.:](?=\s|$)|(?<letter>[A-J])$)|(?i:option|choice)\s+(?<letter>[A-Ja-j])\b)\s*[.:]?\s*(?<text>.*)$", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex LetterChoice();

    [GeneratedRegex(@"^(?:(?i:the)\s+)?(?:(?<word>(?i:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)|[0-9]+(?:st|nd|rd|th))(?:\s+(?<text>[A-Za-z]+))?|第(?<chinese>[0-9一二三四五六七八九十百]+)(?:个|種|种|项|項)?)$", RegexOptions.CultureInvariant)]
    private static partial Regex Place();

    // inequalities are texts: x <= 5 is not 5
    [GeneratedRegex(@"[<>≤≥≠!]\s?=|[<>≤≥≠]", RegexOptions.CultureInvariant)]
    private static partial Regex Relation();

    [GeneratedRegex(@"^[^()]*\((?<again>[^()]*)\)[^()]*$", RegexOptions.CultureInvariant)]
    private static partial Regex Bracketed();

    [GeneratedRegex(@"(?<=[A-Za-z])\^\{?[23]\}?", RegexOptions.CultureInvariant)]
    private static partial Regex UnitPower();

    [GeneratedRegex(@"\b[A-Z][A-Za-z]*[\s#]*$", RegexOptions.CultureInvariant)]
    private static partial Regex Label();

    [GeneratedRegex(@"(?:\b(?:the|final|answer|result|total|sum|price|cost|it|there|is|are|was|were|equals?|about|approximately|approx|around|roughly|exactly|only|just|of|in|all|a|usd|rmb|cny|eur|gbp|us)\b|[:~=≈*#\s])+", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex LeadIn();

    [GeneratedRegex(@"^(?:大约|大概|约|共|一共|总共|总计|合计|等于|是|为|答案|答|有|[:：\s])+", RegexOptions.CultureInvariant)]
    private static partial Regex ChineseLeadIn();

    // one of them, one by one, two-faced: what follows shows that no number is meant
    [GeneratedRegex(@"^\s*(?:-[A-Za-z]|(?:of|by|or|another|day|way|time)\b)", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex EveryDay();

    [GeneratedRegex(@"\b(?:USD|RMB|CNY|EUR|GBP|JPY|INR)\s*$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Code();

    [GeneratedRegex(@"\G(?<=(?<![0-9,.])[0-9]{1,3}(?:,[0-9]{2,3})*),[0-9]{3}(?![0-9])", RegexOptions.CultureInvariant)]
    private static partial Regex Thousands();
}
