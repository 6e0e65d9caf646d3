using System.Text.RegularExpressions;
using SpeedupLlm.Prompts;

namespace SpeedupLlm.Worlds.Riddles;

/// <summary>An attempt as it can be read from what a model wrote; looks at the last try.</summary>
/// <param name="Name">The subject that it names, or null.</param>
/// <param name="Rule">The rule that it tries, or null if there is none that can be read.</param>
/// <param name="Final">The final answer, or null.</param>
/// <param name="Holds">Whether it says that all clues fit, and answers.</param>
internal sealed record ReadAttempt(string? Name, string? Rule, string? Final, bool Holds)
{
    /// <summary>Reads a text.</summary>
    public static ReadAttempt Of(CompactPrompts prompts, string text, Riddle riddle)
    {
        var worked = prompts.Worked(text);
        var final = prompts.Final(worked);
        var opening = Regex.Match(worked, $@"^Try (?<name>.+?) {riddle.Book.Verb} (?<rule>[^.]+)\.", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
        var rule = opening.Success && riddle.Book.IsRule(opening.Groups["rule"].Value) ? opening.Groups["rule"].Value : null;
        return new(opening.Success ? opening.Groups["name"].Value : null, rule, final, final is not null && worked.Split(" ok.").Length - 1 == riddle.Pose.Clues.Count);
    }

    /// <summary>Whether the rule truly explains all clues and the answer follows from it.</summary>
    public bool Sound(Riddle riddle) =>
        Rule is not null && Final is not null && string.Equals(RiddleAttempt.TryWith(riddle, Rule)?.Final, Final, StringComparison.Ordinal);

    /// <summary>Whether the answer is right.</summary>
    public bool Right(Riddle riddle) => string.Equals(Final, riddle.Answer, StringComparison.Ordinal);
}
