using System.Text;
using Microsoft.Extensions.AI;
using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Memory;

/// <summary>What of a model's reply may be kept as a lesson.</summary>
internal static class LessonText
{
    private static readonly string[] NoLesson = ["none", "no lesson", "n/a", "nothing"];

    /// <summary>The lesson, at most <paramref name="maximumCharacters"/> long; null if the reply is cut off, empty, garbled, or speaks to the model.</summary>
    public static string? Read(Reply reply, int maximumCharacters)
    {
        // a reply that was cut off ends in the middle of a rule, and half a rule is a wrong one (case 5)
        if (reply.Finish is { } finish && finish != ChatFinishReason.Stop)
            return null;
        var text = Clean(reply.Text);
        return IsGarbled(text) || SuspiciousText.Find(text) is not null ? null : Bound(text, maximumCharacters);
    }

    /// <summary>At most that many characters, ending with a whole sentence if there is one, else with a whole word; null if neither fits.</summary>
    public static string? Bound(string text, int maximumCharacters)
    {
        if (text.Length <= maximumCharacters)
            return text;
        var head = text.AsSpan(0, maximumCharacters);
        for (var i = head.Length - 1; i > 0; i--)
        {
            // a point inside a number ends no sentence
            if (head[i] is '。' or '！' or '？' or '\n' || (head[i] is '.' or '!' or '?' && char.IsWhiteSpace(text[i + 1])))
                return head[..(i + 1)].TrimEnd().ToString();
        }
        var space = char.IsWhiteSpace(text[maximumCharacters]) ? maximumCharacters : head.LastIndexOf(' ');
        return space > 0 ? head[..space].TrimEnd().ToString() : null;
    }

    private static string Clean(string text)
    {
        var end = text.LastIndexOf("</think>", StringComparison.Ordinal);
        if (end >= 0)
            text = text[(end + "</think>".Length)..];
        var clean = new StringBuilder(text.Length);
        foreach (var c in text.ReplaceLineEndings("\n"))
        {
            if (c == '\n' || !char.IsControl(c))
                clean.Append(c);
        }
        return clean.ToString().Trim();
    }

    private static bool IsGarbled(string text)
    {
        if (text.Count(char.IsLetter) < 3 || text.Contains('\uFFFD') || NoLesson.Contains(text.TrimEnd('.').ToLowerInvariant(), StringComparer.Ordinal))
            return true;
        // a model that fell into a loop
        var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return words.Length >= 20 && words.Distinct(StringComparer.Ordinal).Count() * 5 < words.Length;
    }
}
