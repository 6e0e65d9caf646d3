using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Models;

/// <summary>Reads one answer, whole or in chunks. One call each; not thread-safe.</summary>
internal sealed class WireResponse(bool logProbsAsked)
{
    private readonly SurrogateJoiner _text = new();
    private readonly SurrogateJoiner _reasoning = new();
    private readonly List<TokenLogProb> _logProbs = [];
    private readonly SortedDictionary<long, ToolCall> _calls = [];
    private UsageDetails? _usage;

    public string? Id { get; private set; }

    public string? Model { get; private set; }

    public DateTimeOffset? CreatedAt { get; private set; }

    public ChatFinishReason? Finish { get; private set; }

    /// <summary>Whether a choice was in it at all.</summary>
    public bool Answered { get; private set; }

    public bool LogProbsGiven => _logProbs.Count > 0;

    public bool LogProbsMissing => logProbsAsked && _logProbs.Count == 0;

    /// <summary>Takes a whole answer (<paramref name="field"/> is <c>message</c>) or a chunk (<c>delta</c>); gives what can be shown of it.</summary>
    public List<AIContent> Read(JsonElement root, string field)
    {
        Id ??= root.Text("id");
        Model ??= root.Text("model");
        CreatedAt ??= root.Count("created") is { } created and < 250_000_000_000 ? DateTimeOffset.FromUnixTimeSeconds(created) : null;
        if (root.Get("usage") is { ValueKind: JsonValueKind.Object } usage)
            _usage = Usage(usage) ?? _usage;
        var contents = new List<AIContent>();
        // upstream may send more choices than one; one call is one sample (case 9)
        foreach (var choice in root.Items("choices").Where(c => c.Count("index") is null or 0).Take(1))
        {
            if (choice.Get(field) is { } message)
            {
                Answered = true;
                Message(message, contents);
            }
            if (choice.Text("finish_reason") is { Length: > 0 } finish)
            {
                Answered = true;
                Finish = Reason(finish);
            }
            if (logProbsAsked && choice.Get("logprobs") is { } logProbs)
                _logProbs.AddRange(logProbs.Items("content").Select(LogProb).OfType<TokenLogProb>());
        }
        return contents;
    }

    /// <summary>What comes after the last chunk: halves of characters, tool calls.</summary>
    public List<AIContent> End()
    {
        var contents = new List<AIContent>();
        if (_reasoning.End() is { Length: > 0 } thought)
            contents.Add(new TextReasoningContent(thought));
        if (_text.End() is { Length: > 0 } text)
            contents.Add(new TextContent(text));
        contents.AddRange(_calls.Values.Select(c => c.ToContent()));
        return contents;
    }

    public UsageDetails? TotalUsage => _usage;

    /// <summary>What has no field of its own: the log-probabilities, or that they were asked for and not given (case 10), and what was adapted (case 14).</summary>
    public AdditionalPropertiesDictionary? Properties(Dialect dialect)
    {
        var properties = new AdditionalPropertiesDictionary();
        if (_logProbs.Count > 0)
            properties[TokenLogProb.Key] = (IReadOnlyList<TokenLogProb>)_logProbs;
        if (LogProbsMissing)
            properties[OpenAiChatClient.LogProbsMissingKey] = true;
        if (dialect.Changes is { Count: > 0 } changes)
            properties[OpenAiChatClient.AdaptedKey] = changes;
        return properties.Count == 0 ? null : properties;
    }

    private void Message(JsonElement message, List<AIContent> contents)
    {
        var reasoning = message.Text("reasoning_content") ?? message.Text("reasoning");
        var text = message.Text("content");
        // a few servers send a list of parts
        foreach (var part in message.Items("content"))
        {
            if (part.Text("type") is "thinking" or "reasoning")
                reasoning += part.Text("thinking") ?? part.Text("text") ?? string.Concat(part.Items("thinking").Select(t => t.Text("text")));
            else
                text += part.Text("text");
        }
        if (reasoning is not null && _reasoning.Push(reasoning) is { Length: > 0 } thought)
            contents.Add(new TextReasoningContent(thought));
        if (text is not null && _text.Push(text) is { Length: > 0 } shown)
            contents.Add(new TextContent(shown));
        if (message.Text("refusal") is { Length: > 0 } refusal)
            contents.Add(new ErrorContent(SurrogateJoiner.Whole(refusal)) { ErrorCode = "refusal" });
        var position = 0;
        foreach (var call in message.Items("tool_calls"))
        {
            var index = call.Count("index") ?? position;
            if (!_calls.TryGetValue(index, out var known))
                _calls[index] = known = new();
            known.Read(call);
            position++;
        }
    }

    private static ChatFinishReason Reason(string finish) => finish switch
    {
        "stop" => ChatFinishReason.Stop,
        "length" => ChatFinishReason.Length,
        "content_filter" => ChatFinishReason.ContentFilter,
        "tool_calls" or "function_call" => ChatFinishReason.ToolCalls,
        _ => new(finish),
    };

    private static TokenLogProb? LogProb(JsonElement token) => Pair(token) is { } pair
        ? new(pair.Key, pair.Value, [.. token.Items("top_logprobs").Select(Pair).OfType<KeyValuePair<string, double>>().OrderByDescending(p => p.Value)])
        : null;

    private static KeyValuePair<string, double>? Pair(JsonElement token) =>
        token.Text("token") is { } text && token.Number("logprob") is { } logProb ? new(SurrogateJoiner.Whole(text), Math.Min(0, logProb)) : null;

    private static UsageDetails? Usage(JsonElement usage)
    {
        var (input, output, total) = (usage.Count("prompt_tokens"), usage.Count("completion_tokens"), usage.Count("total_tokens"));
        if (input is null && output is null)
            return null;
        var reasoning = usage.Get("completion_tokens_details")?.Count("reasoning_tokens");
        // some count hidden thoughts beside the completion instead of in it; then only the total tells
        if (reasoning > 0 && total == input + output + reasoning)
            output += reasoning;
        return new()
        {
            InputTokenCount = input,
            OutputTokenCount = output,
            TotalTokenCount = total ?? input + output,
            CachedInputTokenCount = usage.Get("prompt_tokens_details")?.Count("cached_tokens") ?? usage.Count("prompt_cache_hit_tokens"),
            ReasoningTokenCount = reasoning,
        };
    }

    private sealed class ToolCall
    {
        private readonly StringBuilder _arguments = new();
        private string? _id;
        private string? _name;

        public void Read(JsonElement call)
        {
            _id ??= call.Text("id");
            if (call.Get("function") is not { } function)
                return;
            _name ??= function.Text("name");
            _arguments.Append(function.Text("arguments"));
        }

        public AIContent ToContent() => FunctionCallContent.CreateFromParsedArguments(
            SurrogateJoiner.Whole(_arguments.Length == 0 ? "{}" : _arguments.ToString()), _id ?? "", _name ?? "",
            static text => (IDictionary<string, object?>)JsonSerializer.Deserialize(text, AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(IDictionary<string, object?>)))!);
    }
}
