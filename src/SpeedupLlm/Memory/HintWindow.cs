using System.Globalization;
using System.Text;
using SpeedupLlm.Prompts;

namespace SpeedupLlm.Memory;

/// <summary>Keeps hints within the model's context: memory is trimmed first, the user's text never (case 7).</summary>
internal static class HintWindow
{
    /// <summary>The hints that fit beside the question and the room that the answer needs. The first hints are the least similar and go first, whole: half a case misleads.</summary>
    public static IReadOnlyList<Hint> Fit(IReadOnlyList<Hint> hints, Question question, IMemoryContext context)
    {
        if (context.Model.ContextTokens <= 0)
            return hints;
        for (var dropped = 0; dropped < hints.Count; dropped++)
        {
            var kept = hints.Skip(dropped).ToList();
            if (Needed(kept, question, context) <= context.Model.ContextTokens)
                return kept;
        }
        return [];
    }

    /// <summary>Estimated tokens of a text, rather too many than too few: digits and symbols one each, four ASCII letters or two others a token.</summary>
    public static int Estimate(string text)
    {
        var tokens = 0;
        var letters = 0;
        var wide = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsLetter(rune) && Rune.GetUnicodeCategory(rune) != UnicodeCategory.OtherLetter)
            {
                letters++;
                wide += rune.IsAscii ? 0 : 1;
                continue;
            }
            tokens += Word(letters, wide);
            letters = wide = 0;
            tokens += rune.Value is ' ' ? 0 : 1;
        }
        return tokens + Word(letters, wide);
    }

    private static int Word(int letters, int wide) => (letters + wide + 3) / 4;

    private static int Needed(IReadOnlyList<Hint> hints, Question question, IMemoryContext context)
    {
        var prompt = context.Entry switch
        {
            PromptTask.Propose => context.Prompts.Propose(question, hints, ""),
            PromptTask.Think => context.Prompts.Solve(PromptTask.Think, question, hints),
            _ => context.Prompts.Solve(PromptTask.Guess, question, hints),
        };
        var output = question.Options?.MaxOutputTokens ?? prompt.MaxOutputTokens ?? context.Model.ContextTokens / 4;
        // a path grows and a refinement repeats the attempt in its prompt: room for the text twice, a long thought is written once
        var room = context.Entry == PromptTask.Think ? output : 2 * output;
        return (context.Counter?.Count(prompt.Messages) ?? prompt.Messages.Sum(m => 4 + Estimate(m.Text))) + room;
    }
}
