using System.Text.RegularExpressions;
using SpeedupLlm.Scoring.Answers;

namespace SpeedupLlm.Scoring;

/// <summary>Finds the final answer in the text of an attempt. Pure; thread-safe.</summary>
/// <remarks>
/// The last of these that is there: <c>Answer: …</c> (and "The answer is …", 答案是…), <c>#### …</c>, <c>\boxed{…}</c>; without any of them the last
/// number in the text; without a number a text that is one short line. What stands before <c>&lt;/think&gt;</c> is not looked at.
/// </remarks>
public static partial class FinalAnswer
{
    /// <summary>A longer line without a marker is no answer.</summary>
    private const int LongestBareLine = 80;

    /// <summary>The final answer as it is written, without the marker and without emphasis, or null if there is none.</summary>
    public static string? Extract(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        var thought = text.LastIndexOf("</think>", StringComparison.Ordinal);
        if (thought >= 0)
            text = text[(thought + "</think>".Length)..];
        return Marked(text) ?? LastNumber(text) ?? BareLine(text);
    }

    /// <summary>The answer after a marker, or null if there is none: whether a text says that it is finished.</summary>
    public static string? Marked(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        foreach (var marker in Marker().Matches(text).Reverse())
        {
            var rest = text[(marker.Index + marker.Length)..];
            var answer = Clean(marker.Groups["boxed"].Success ? Braced(rest) : Sentence(rest));
            if (marker.ValueSpan is "####")
                answer = LeadingNumber(answer);
            if (answer.Length > 0)
                return answer;
        }
        return null;
    }

    /// <summary>GSM8K's marker stands before a number; models go on: #### 18 miles in 6 hours.</summary>
    private static string LeadingNumber(string answer)
    {
        var plain = PlainForm.Of(answer);
        var numbers = NumberReader.Find(plain);
        return numbers is [{ From: 0 } first, _, ..] ? plain[..first.To] + FirstWord().Match(plain[first.To..]).Value : answer;
    }

    private static string? LastNumber(string text)
    {
        // the last lines are enough, and keep this linear in the length of the text
        var plain = PlainForm.Of(text.Length > 4000 ? text[^4000..] : text);
        var numbers = NumberReader.Find(plain);
        return numbers.Count == 0 ? null : plain[numbers[^1].From..numbers[^1].To].Trim();
    }

    private static string? BareLine(string text)
    {
        var line = text.Trim();
        return line.Length <= LongestBareLine && !Marker().IsMatch(line) && !line.Contains('\n', StringComparison.Ordinal) && Clean(line) is { Length: > 0 } answer ? answer : null;
    }

    /// <summary>Up to the end of the line (the next one if this is empty) or sentence.</summary>
    private static string Sentence(string rest)
    {
        var line = rest.TrimStart(' ', '\t', ':', '：', '*', '_').TrimStart();
        var end = line.IndexOf('\n', StringComparison.Ordinal);
        if (end >= 0)
            line = line[..end];
        return SentenceEnd().Match(line) is { Success: true } stop ? line[..stop.Index] : line;
    }

    /// <summary>What stands before the brace that closes one opened before.</summary>
    private static string Braced(string rest)
    {
        var depth = 1;
        for (var i = 0; i < rest.Length; i++)
        {
            depth += rest[i] switch { '{' => 1, '}' => -1, _ => 0 };
            if (depth == 0)
                return rest[..i];
        }
        return ""; // cut off
    }

    private static string Clean(string answer)
    {
        var text = answer.Trim();
        for (var before = ""; before != text;)
        {
            before = text;
            text = text.Trim(' ', '\t', '\r', '\n', '*', '_', '`', '"', '“', '”').TrimEnd('.', ',', ';', ':', '。', '，');
            if (Boxed().Match(text) is { Success: true } boxed && Braced(text[boxed.Length..]) is { Length: > 0 } inner)
                text = inner;
            if (Mathematics().Match(text) is { Success: true } mathematics)
                text = mathematics.Groups["text"].Value.Trim();
        }
        return text;
    }

    [GeneratedRegex(@"####|(?<boxed>\\(?:boxed|fbox)\s*\{)|\b(?:final\s+)?answer(?:\s+to\s+[^.\n]{1,80}?)?\s*[*_]*\s*(?:is\b\s*:?|:|：|=)|(?:最终|最後|最后)?答案?\s*(?:是|为|為|：|:)", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Marker();

    // a point inside a number or after an initial ends nothing
    [GeneratedRegex(@"[.!?](?=\s)(?<!\b(?:No|Mr|Mrs|Ms|Dr|St|approx|vs)\.)|[。！？；]|;\s|,?\s(?:because|since)\s", RegexOptions.CultureInvariant)]
    private static partial Regex SentenceEnd();

    [GeneratedRegex(@"^\s[A-Za-z]+", RegexOptions.CultureInvariant)]
    private static partial Regex FirstWord();

    [GeneratedRegex(@"^\$?\\(?:boxed|fbox)\s*\{", RegexOptions.CultureInvariant)]
    private static partial Regex Boxed();

    [GeneratedRegex(@"^(?:\$\$?(?<text>[^$]+)\$\$?|\\\((?<text>.*)\\\)|\\\[(?<text>.*)\\\])$", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Mathematics();
}
