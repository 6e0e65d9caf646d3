using System.ClientModel.Primitives;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Models;

/// <summary>Writes a request as OpenAI's chat completions API wants it. Everything of ours is stripped: nothing under <c>speedup.</c> reaches the wire.</summary>
/// <remarks>The body is JSON of our own over the official client's protocol method: half of what compatible servers understand has no field in its typed options.</remarks>
internal static class WireRequest
{
    private const string OwnPrefix = "speedup.";

    public static JsonObject Write(IEnumerable<ChatMessage> messages, ChatOptions? options, IChatClient client, string model, bool stream)
    {
        var info = CallInfo.Of(options);
        var body = options?.RawRepresentationFactory?.Invoke(client) is OpenAI.Chat.ChatCompletionOptions raw
            ? JsonNode.Parse(ModelReaderWriter.Write(raw, ModelReaderWriterOptions.Json, OpenAI.OpenAIContext.Default).ToMemory().Span)!.AsObject()
            : [];
        body["model"] = model;
        body["messages"] = WireMessages.Write(messages, options?.Instructions);
        body["stream"] = stream;
        if (stream)
            body["stream_options"] = new JsonObject { ["include_usage"] = true };
        if (options is not null)
            Sampling(body, options, info);
        if (info?.TopLogProbs is { } top)
        {
            body["logprobs"] = true;
            if (top > 0)
                body["top_logprobs"] = Math.Min(top, 20);
        }
        if (options is null)
            return body;
        Format(body, options.ResponseFormat);
        Tools(body, options);
        foreach (var (name, value) in options.AdditionalProperties ?? [])
        {
            if (!name.StartsWith(OwnPrefix, StringComparison.Ordinal))
                body[name] = Node(value);
        }
        if (body["n"] is { } n && !JsonNode.DeepEquals(n, 1))
            throw new ArgumentException($"n is {n.ToJsonString()}, and one call is one sample: for more samples make more calls.", nameof(options));
        body.Remove("n");
        return body;
    }

    private static void Sampling(JsonObject body, ChatOptions options, CallInfo? info)
    {
        Set(body, "temperature", options.Temperature);
        Set(body, "top_p", options.TopP);
        Set(body, "top_k", options.TopK);
        Set(body, "frequency_penalty", options.FrequencyPenalty);
        Set(body, "presence_penalty", options.PresencePenalty);
        Set(body, "max_tokens", options.MaxOutputTokens);
        // 31 bits of the stream: the servers differ in how wide a seed may be, and all take this
        Set(body, "seed", info is not null && (options.Seed is null || options.Seed == info.Stream.ToSeed()) ? (long)(info.Stream.Hi >> 33) : options.Seed);
        if (options.StopSequences is { Count: > 0 } stops)
            body["stop"] = new JsonArray([.. stops.Select(s => JsonValue.Create(s))]);
        if (options.Reasoning?.Effort is { } effort)
            body["reasoning_effort"] = effort switch { ReasoningEffort.ExtraHigh => "xhigh", var e => e.ToString().ToLowerInvariant() };
    }

    private static void Format(JsonObject body, ChatResponseFormat? format)
    {
        if (format is not ChatResponseFormatJson json)
            return;
        body["response_format"] = json.Schema is { } schema
            ? new JsonObject
            {
                ["type"] = "json_schema",
                ["json_schema"] = new JsonObject
                {
                    ["name"] = json.SchemaName ?? "answer",
                    ["description"] = json.SchemaDescription ?? "",
                    ["schema"] = JsonNode.Parse(schema.GetRawText()),
                },
            }
            : new JsonObject { ["type"] = "json_object" };
    }

    private static void Tools(JsonObject body, ChatOptions options)
    {
        if (options.Tools is not { Count: > 0 } tools)
            return;
        body["tools"] = new JsonArray([.. tools.Select(Tool)]);
        switch (options.ToolMode)
        {
            case NoneChatToolMode:
                body["tool_choice"] = "none";
                break;
            case RequiredChatToolMode { RequiredFunctionName: { } name }:
                body["tool_choice"] = new JsonObject { ["type"] = "function", ["function"] = new JsonObject { ["name"] = name } };
                break;
            case RequiredChatToolMode:
                body["tool_choice"] = "required";
                break;
            default:
                break;
        }
        Set(body, "parallel_tool_calls", options.AllowMultipleToolCalls);
    }

    private static JsonNode Tool(AITool tool) => tool is AIFunctionDeclaration function
        ? new JsonObject
        {
            ["type"] = "function",
            ["function"] = new JsonObject
            {
                ["name"] = function.Name,
                ["description"] = function.Description,
                ["parameters"] = JsonNode.Parse(function.JsonSchema.GetRawText()),
            },
        }
        : throw new NotSupportedException($"The tool “{tool.Name}” is no function; chat completions know only functions.");

    private static void Set<T>(JsonObject body, string name, T? value)
        where T : struct
    {
        if (value is { } given)
            body[name] = JsonValue.Create(given);
    }

    private static JsonNode? Node(object? value) => value switch
    {
        null => null,
        JsonNode node => node.DeepClone(),
        JsonElement element => JsonNode.Parse(element.GetRawText()),
        _ => JsonSerializer.SerializeToNode(value, AIJsonUtilities.DefaultOptions.GetTypeInfo(value.GetType())),
    };
}
