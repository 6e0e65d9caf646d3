using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace SpeedupLlm.Worlds.Riddles;

/// <summary>A riddle as it can be read from its text, without the hidden rule.</summary>
internal sealed record ReadRiddle(string Name, string Kind, Pose Pose, IReadOnlyList<string> Given, int ClueWording, int AskWording);

/// <summary>The words of a world's questions. Of each list the first <see cref="Trained"/> occur in training texts; the last is held out (its words are not).</summary>
/// <remarks>In a clue's template <c>{0}</c>, <c>{1}</c>… are the words of its probe and <c>{r}</c> its result; in a question's, <c>{0}</c>, <c>{1}</c>… are the probes that are asked.</remarks>
/// <param name="intro">What follows the subject's name in the first sentence, such as <c>has six houses</c>.</param>
/// <param name="probeWords">How many words the probe of a clue has.</param>
/// <param name="clues">Templates of clues.</param>
/// <param name="asks">Templates of questions by kind.</param>
internal sealed partial class Wordings(string intro, int probeWords, IReadOnlyList<string> clues, IReadOnlyDictionary<string, string[]> asks)
{
    /// <summary>How many wordings of each list are trained.</summary>
    public const int Trained = 3;

    /// <summary>The index of the held-out wording.</summary>
    public const int HeldOut = 3;

    private const string Piece = "[a-z0-9]+(?: [a-z0-9]+)*";

    private readonly Lazy<IReadOnlyList<Regex>> _clues = new(() => [.. clues.Select(c => Reader(c, $"^(?<name>[A-Z][a-z]+(?: [A-Z][a-z]+)?) {Regex.Escape(intro)}\\.(?: ", ")+ (?<ask>.+)$"))]);

    private readonly Lazy<IReadOnlyList<(string Kind, int Ask, Regex Pattern)>> _asks = new(() =>
        [.. asks.SelectMany(k => k.Value.Select((template, i) => (k.Key, i, Reader(template, "^", "$"))))]);

    /// <summary>The words of all templates, trained or held out.</summary>
    public IEnumerable<string> Words(bool heldOut) =>
        asks.Values.Append(clues).SelectMany(list => heldOut ? list.Skip(Trained) : list.Take(Trained)).Append(intro)
            .SelectMany(template => Word().Matches(template).Select(m => m.Value));

    /// <summary>The text of a riddle.</summary>
    public string Write(Riddle riddle)
    {
        var text = new StringBuilder().Append(riddle.Name.Name).Append(' ').Append(intro).Append('.');
        for (var i = 0; i < riddle.Pose.Clues.Count; i++)
            text.Append(' ').Append(Fill(clues[riddle.ClueWording], riddle.Pose.Clues[i].Split(' ')).Replace("{r}", riddle.Given(i), StringComparison.Ordinal));
        return text.Append(' ').Append(Fill(asks[riddle.Kind][riddle.AskWording], riddle.Pose.Asked)).ToString();
    }

    /// <summary>Reads a text that <see cref="Write"/> could have made; null for any other.</summary>
    public ReadRiddle? Read(string text)
    {
        for (var clue = 0; clue < clues.Count; clue++)
        {
            if (_clues.Value[clue].Match(text) is not { Success: true } m)
                continue;
            foreach (var (kind, ask, pattern) in _asks.Value)
            {
                if (pattern.Match(m.Groups["ask"].Value) is not { Success: true } a)
                    continue;
                var given = m.Groups["r"].Captures.Select(c => c.Value).ToList();
                var probes = given.Select((_, i) => string.Join(' ', Enumerable.Range(0, probeWords).Select(w => m.Groups[Group(w)].Captures[i].Value)));
                var asked = Enumerable.Range(0, 9).Select(i => a.Groups[Group(i)]).Where(g => g.Success).Select(g => g.Value);
                return new(m.Groups["name"].Value, kind, new([.. probes], [.. asked]), given, clue, ask);
            }
        }

        return null;
    }

    private static string Fill(string template, IReadOnlyList<string> values)
    {
        for (var i = 0; i < values.Count; i++)
            template = template.Replace(string.Create(CultureInfo.InvariantCulture, $"{{{i}}}"), values[i], StringComparison.Ordinal);
        return template;
    }

    private static string Group(int index) => string.Create(CultureInfo.InvariantCulture, $"p{index}");

    private static Regex Reader(string template, string before, string after)
    {
        var pattern = Regex.Escape(template).Replace(@"\{r}", $"(?<r>{Piece})", StringComparison.Ordinal);
        for (var i = 0; i < 9; i++)
            pattern = pattern.Replace(string.Create(CultureInfo.InvariantCulture, $@"\{{{i}}}"), $"(?<{Group(i)}>{Piece}?)", StringComparison.Ordinal);
        return new(before + pattern + after, RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
    }

    [GeneratedRegex(@"(?<!\{)\b[A-Za-z]+\b(?!\})", RegexOptions.CultureInvariant)]
    private static partial Regex Word();
}
