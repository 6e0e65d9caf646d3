using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;
using SpeedupLlm.Prompts;

namespace SpeedupLlm.Worlds.Tests;

/// <summary>The longest piece at each place, as the tokenizer of the embedded reasoner splits; what no piece covers stays a single character.</summary>
internal sealed class PieceSplit(IReadOnlyList<string> pieces)
{
    private readonly HashSet<string> _pieces = [.. pieces];
    private readonly int _longest = pieces.Max(p => p.Length);

    public List<string> Of(string text)
    {
        var split = new List<string>();
        if (text.Length > 0 && text[0] != ' ')
            text = " " + text;
        for (var at = 0; at < text.Length;)
        {
            var length = Math.Min(_longest, text.Length - at);
            while (length > 1 && !_pieces.Contains(text.Substring(at, length)))
                length--;
            split.Add(text.Substring(at, length));
            at += length;
        }

        return split;
    }

    public IEnumerable<string> Unknown(string text) => Of(text).Where(p => !_pieces.Contains(p));

    /// <summary>The tokens of a prompt: a token each for a tag and the task.</summary>
    public int Tokens(Prompt prompt) => 1 + Sections(prompt).Sum(s => 1 + Of(s.Text).Count);

    /// <summary>The tagged sections of the user message.</summary>
    public static List<(string Tag, string Text)> Sections(Prompt prompt)
    {
        var text = prompt.Messages.Single(m => m.Role == ChatRole.User).Text;
        var tags = Regex.Matches(text, "<[a-z]+>");
        return [.. tags.Select((t, i) => (t.Value, text[(t.Index + t.Length)..(i + 1 < tags.Count ? tags[i + 1].Index : text.Length)].Trim()))];
    }
}
