using Microsoft.Extensions.AI;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Compute;

/// <summary>What a model call is for.</summary>
public enum CallPurpose
{
    /// <summary>Drawing, expanding or refining an attempt.</summary>
    Solve,

    /// <summary>Scoring an attempt: judges, values, verification.</summary>
    Score,

    /// <summary>Looking something up in memory with the help of a model.</summary>
    Recall,

    /// <summary>Writing lessons.</summary>
    Learn,

    /// <summary>Fine-tuning.</summary>
    Train,
}

/// <summary>What <see cref="IChatClient"/> has no field for; travels in <see cref="ChatOptions.AdditionalProperties"/> and is stripped at the wire.</summary>
/// <param name="Purpose">What the call is for.</param>
/// <param name="Stream">The stream of chance of this call; the same key and the same prompt give the same text on the embedded reasoner.</param>
/// <param name="Draw">The number of this sample among the samples of the same prompt: what a recording is keyed by.</param>
/// <param name="QuestionId">The question that the call serves.</param>
/// <param name="Adapter">Adapted weights to use, or null for the model's own.</param>
/// <param name="TopLogProbs">How many log-probabilities a token are wanted, or null for none.</param>
/// <param name="CacheScope">Calls of the same scope may share prompt prefixes; cached input tokens are counted within it, and within scopes that enclose it (<c>a</c> encloses <c>a/b</c>). Null shares with nobody.</param>
public sealed record CallInfo(
    CallPurpose Purpose,
    StreamKey Stream,
    int Draw,
    string QuestionId,
    AdapterRef? Adapter = null,
    int? TopLogProbs = null,
    string? CacheScope = null)
{
    /// <summary>The key in <see cref="ChatOptions.AdditionalProperties"/>.</summary>
    public const string Key = "speedup.call";

    /// <summary>The call info of <paramref name="options"/>, if there is one.</summary>
    public static CallInfo? Of(ChatOptions? options) =>
        options?.AdditionalProperties is { } properties && properties.TryGetValue(Key, out var value) ? value as CallInfo : null;
}

/// <summary>One generated token with its log-probability and the most probable alternatives.</summary>
/// <param name="Text">The token's text; may be an incomplete UTF-8 sequence, then with replacement characters.</param>
/// <param name="LogProb">Natural logarithm of its probability at temperature 1, ≤ 0.</param>
/// <param name="Top">The most probable tokens at this place, best first, at most <see cref="CallInfo.TopLogProbs"/>.</param>
public sealed record TokenLogProb(string Text, double LogProb, IReadOnlyList<KeyValuePair<string, double>> Top)
{
    /// <summary>The key in the response's additional properties; the value is an <c>IReadOnlyList&lt;TokenLogProb&gt;</c>, absent when the model gives none.</summary>
    public const string Key = "speedup.logprobs";
}

/// <summary>What a model can do; from <see cref="IChatClient.GetService"/>.</summary>
/// <param name="Fingerprint">Changes when the model's answers may change: weights hash, or endpoint and model name.</param>
/// <param name="ContextTokens">Prompt and answer together, in tokens.</param>
/// <param name="LogProbs">Whether log-probabilities are given.</param>
/// <param name="Seed">Whether a seed is obeyed.</param>
/// <param name="Adapters">Whether <see cref="IAdapterTrainer"/> is there.</param>
/// <param name="Prompts">The name of the prompt set that it understands best: <c>compact</c> or <c>chat</c>.</param>
public sealed record ModelTraits(string Fingerprint, int ContextTokens, bool LogProbs, bool Seed, bool Adapters, string Prompts = "chat");
