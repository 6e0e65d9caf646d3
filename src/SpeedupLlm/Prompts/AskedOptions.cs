using Microsoft.Extensions.AI;

namespace SpeedupLlm.Prompts;

/// <summary>What the caller's options mean for the calls of a search.</summary>
internal static class AskedOptions
{
    /// <summary>A prompt bound by them. A step or an interim answer is no answer yet: format, stops and length are left out of its call, but no step is longer than the answer may be.</summary>
    public static Prompt Bind(Prompt prompt, ChatOptions? asked, bool isAnswer)
    {
        if (asked is null)
            return prompt;
        var options = asked.Clone();
        if (isAnswer)
            return prompt with { Options = options, MaxOutputTokens = asked.MaxOutputTokens ?? prompt.MaxOutputTokens };
        options.ResponseFormat = null;
        options.StopSequences = null;
        return prompt with { Options = options, MaxOutputTokens = Least(asked.MaxOutputTokens, prompt.MaxOutputTokens) };
    }

    private static int? Least(int? one, int? other) => one is { } a && other is { } b ? Math.Min(a, b) : one ?? other;
}
