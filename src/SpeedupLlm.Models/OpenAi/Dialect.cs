using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace SpeedupLlm.Models;

/// <summary>What a model was found not to understand, remembered from its first refusal on (case 14).</summary>
/// <remarks>
/// The cap of an answer has two names. Models that think at OpenAI refuse <c>max_tokens</c>; many other servers know nothing else and ignore
/// <c>max_completion_tokens</c> without a word (ollama/ollama#7125), which would leave answers uncapped. So OpenAI is greeted with the new name,
/// everybody else with the old one, and who refuses gets the other. Immutable.
/// </remarks>
internal sealed partial record Dialect(bool NewTokenCap, bool TokenCapSwitched, ImmutableSortedSet<string> Dropped)
{
    private const string OldCap = "max_tokens";
    private const string NewCap = "max_completion_tokens";

    /// <summary>Fields without which the question is still the same question.</summary>
    private static readonly string[] Optional =
    [
        "temperature", "top_p", "top_k", "min_p", "seed", "logprobs", "top_logprobs", "reasoning_effort", "stream_options",
        "frequency_penalty", "presence_penalty", "parallel_tool_calls",
    ];

    public static Dialect For(Uri endpoint) => new(
        endpoint.Host.EndsWith(".openai.com", StringComparison.OrdinalIgnoreCase) || endpoint.Host.EndsWith(".openai.azure.com", StringComparison.OrdinalIgnoreCase),
        false, []);

    public string TokenCap => NewTokenCap ? NewCap : OldCap;

    /// <summary>In words, for the response's additional properties.</summary>
    public IReadOnlyList<string> Changes =>
        [.. TokenCapSwitched ? [$"{TokenCap} instead of {(NewTokenCap ? OldCap : NewCap)}"] : Array.Empty<string>(), .. Dropped.Select(f => f + " left out")];

    /// <summary>Makes a request as this model understands it.</summary>
    public void Apply(JsonObject body)
    {
        foreach (var field in Dropped)
            body.Remove(field);
        if (body.Remove(NewTokenCap ? OldCap : NewCap, out var cap))
            body[TokenCap] = cap;
    }

    /// <summary>What is learnt from a refusal of <paramref name="body"/>, or null if it teaches nothing and the caller has to hear it.</summary>
    public Dialect? After(JsonObject body, ErrorBody error)
    {
        // "temperature must be at most 2" is the caller's mistake, and leaving the field out would hide it
        if (error.Code is not ("unsupported_parameter" or "unsupported_value" or "unknown_parameter") && !Unsupported().IsMatch(error.Message))
            return null;
        if (body.ContainsKey(TokenCap) && Names(error, TokenCap))
            return TokenCapSwitched ? null : this with { NewTokenCap = !NewTokenCap, TokenCapSwitched = true };
        var refused = Optional.Where(f => body.ContainsKey(f) && Names(error, f)).ToList();
        // alternatives make no sense without the log-probabilities themselves
        if (refused.Contains("logprobs", StringComparer.Ordinal))
            refused.Add("top_logprobs");
        return refused.Count == 0 ? null : this with { Dropped = Dropped.Union(refused) };
    }

    /// <summary>What two calls that ran at once have learnt.</summary>
    public Dialect And(Dialect other) => new(
        TokenCapSwitched ? NewTokenCap : other.NewTokenCap, TokenCapSwitched || other.TokenCapSwitched, Dropped.Union(other.Dropped));

    private static bool Names(ErrorBody error, string field) =>
        error.Parameter == field || (error.Parameter is null && Regex.IsMatch(error.Message, $@"(?<![\w]){Regex.Escape(field)}(?![\w])", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)));

    [GeneratedRegex(@"\b(unsupported|not support(ed)?|unknown|unrecogni[sz]ed|unexpected|extra (inputs|fields)|not (allowed|permitted|available)|only the default|deprecated|additional properties)\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Unsupported();
}
