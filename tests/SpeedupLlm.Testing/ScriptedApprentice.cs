using System.Globalization;
using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;

namespace SpeedupLlm.Testing;

/// <summary>A scripted stand-in for the embedded reasoner: it understands every task of <see cref="CompactPrompts"/>, and is right with a known chance for each stream.</summary>
public static class ScriptedApprentice
{
    /// <summary>Right with chance <paramref name="p"/> an attempt, and with <paramref name="pWithMemory"/> if the prompt carries a case or a lesson. Its judge never errs.</summary>
    /// <param name="p">The chance that an attempt (a guess, a path's last step, a refinement) is right.</param>
    /// <param name="pWithMemory">The chance with memory in the prompt; null: the same.</param>
    /// <param name="answer">The right answer to a question's text; default 42.</param>
    public static ScriptedChatClient Create(double p, double? pWithMemory = null, Func<string, string>? answer = null) => new(Script(p, pWithMemory, answer));

    /// <summary>The script of <see cref="Create"/>, for tests that do something else at some calls.</summary>
    public static Func<ScriptedCall, ScriptedReply> Script(double p, double? pWithMemory = null, Func<string, string>? answer = null) =>
        call => Reply(call, p, pWithMemory ?? p, answer ?? (_ => "42"));

    private static ScriptedReply Reply(ScriptedCall call, double p, double pWithMemory, Func<string, string> answer)
    {
        var remembers = call.Text.Contains(CompactPrompts.Past, StringComparison.Ordinal) || call.Text.Contains(CompactPrompts.Lesson, StringComparison.Ordinal);
        var right = answer(Section(call.Text, CompactPrompts.QuestionTag));
        var attempt = Section(call.Text, CompactPrompts.AttemptTag);
        var chance = call.Chance();
        string Answer() => chance.NextDouble() < (remembers ? pWithMemory : p) ? right : Wrong(right, chance);
        return call.Task switch
        {
            PromptTask.Guess => $"Try it. Answer {Answer()}.",
            PromptTask.Think => Think(),
            PromptTask.Propose => Depth(attempt) < 3
                ? string.Create(CultureInfo.InvariantCulture, $"Step {Depth(attempt) + 1} way {chance.Next(3)}.")
                : $"Answer {Answer()}.",
            PromptTask.Value => "maybe.",
            PromptTask.Restate => "40 + 2.",
            PromptTask.Verify => "40 + 2 = 42.",
            PromptTask.Compare => attempt.Contains($"Answer {right}.", StringComparison.Ordinal) ? "answer yes, good." : "answer no, bad.",
            PromptTask.Feedback => "The answer is wrong.",
            PromptTask.Refine => $"Try again. Answer {Answer()}.",
            PromptTask.Reflect or PromptTask.ReflectSeveral or PromptTask.Update => $"The answer is {answer(Section(call.Text, CompactPrompts.Past))}.",
            _ => throw new InvalidOperationException($"No script for {call.Task}: {call.Text}"),
        };

        string Think()
        {
            var tries = 1;
            while (tries < 6 && chance.NextDouble() >= (remembers ? pWithMemory : p))
                tries++;
            var slips = string.Concat(Enumerable.Repeat("Try it. It fails: no. ", tries - 1));
            return $"{slips}Try it. Answer {(tries < 6 ? right : Wrong(right, chance))}.";
        }
    }

    private static int Depth(string path) => path.Split('.', StringSplitOptions.RemoveEmptyEntries).Length;

    private static string Wrong(string right, StreamRandom chance) => "1" + chance.Next(5).ToString(CultureInfo.InvariantCulture) + right;

    /// <summary>The text of the last section with a tag.</summary>
    private static string Section(string text, string tag)
    {
        var from = text.LastIndexOf(tag, StringComparison.Ordinal);
        if (from < 0)
            return "";
        from += tag.Length;
        var to = text.IndexOf('<', from);
        return (to < 0 ? text[from..] : text[from..to]).Trim();
    }
}
