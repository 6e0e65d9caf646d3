using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace SpeedupLlm.Models;

/// <summary>Writes messages for chat completions. What cannot be said on the wire is refused, never lost in silence (cases 11 and 12).</summary>
internal static class WireMessages
{
    private static readonly JsonSerializerOptions Compact = new(AIJsonUtilities.DefaultOptions) { WriteIndented = false };

    public static JsonArray Write(IEnumerable<ChatMessage> messages, string? instructions)
    {
        var array = new JsonArray();
        if (!string.IsNullOrEmpty(instructions))
            array.Add((JsonNode)new JsonObject { ["role"] = "system", ["content"] = instructions });
        foreach (var message in messages)
        {
            var rest = message.Contents.Where(c => c is not (FunctionResultContent or FunctionCallContent or TextReasoningContent or UsageContent)).ToList();
            foreach (var result in message.Contents.OfType<FunctionResultContent>())
                array.Add((JsonNode)new JsonObject { ["role"] = "tool", ["tool_call_id"] = result.CallId, ["content"] = Result(result.Result) });
            var calls = message.Contents.OfType<FunctionCallContent>().Select(Call).ToArray<JsonNode?>();
            if (rest.Count == 0 && calls.Length == 0 && message.Contents.Any(c => c is FunctionResultContent))
                continue;
            var wire = new JsonObject { ["role"] = message.Role.Value };
            if (message.AuthorName is { Length: > 0 } name)
                wire["name"] = name;
            wire["content"] = rest.Count == 0 && calls.Length > 0 ? null : Content(rest);
            if (calls.Length > 0)
                wire["tool_calls"] = new JsonArray(calls);
            array.Add((JsonNode)wire);
        }
        return array;
    }

    private static JsonNode Content(List<AIContent> contents) => contents.TrueForAll(c => c is TextContent)
        ? JsonValue.Create(SurrogateJoiner.Whole(string.Concat(contents.Cast<TextContent>().Select(c => c.Text))))
        : new JsonArray([.. contents.Select(Part)]);

    private static JsonNode Part(AIContent content) => content switch
    {
        TextContent text => new JsonObject { ["type"] = "text", ["text"] = SurrogateJoiner.Whole(text.Text) },
        DataContent data when data.HasTopLevelMediaType("image") => Image(data.Uri),
        UriContent uri when uri.HasTopLevelMediaType("image") => Image(uri.Uri.AbsoluteUri),
        DataContent { MediaType: "audio/wav" or "audio/x-wav" } data => Audio(data, "wav"),
        DataContent { MediaType: "audio/mpeg" or "audio/mp3" } data => Audio(data, "mp3"),
        _ => throw new NotSupportedException($"Chat completions cannot carry {content.GetType().Name}{(content is DataContent d ? " of " + d.MediaType : "")}."),
    };

    private static JsonObject Image(string uri) => new() { ["type"] = "image_url", ["image_url"] = new JsonObject { ["url"] = uri } };

    private static JsonObject Audio(DataContent data, string format) =>
        new() { ["type"] = "input_audio", ["input_audio"] = new JsonObject { ["data"] = data.Base64Data.ToString(), ["format"] = format } };

    private static JsonObject Call(FunctionCallContent call) => new()
    {
        ["id"] = call.CallId,
        ["type"] = "function",
        ["function"] = new JsonObject
        {
            ["name"] = call.Name,
            ["arguments"] = JsonSerializer.Serialize(call.Arguments ?? new Dictionary<string, object?>(StringComparer.Ordinal),
                Compact.GetTypeInfo(typeof(IDictionary<string, object?>))),
        },
    };

    private static string Result(object? result) => result switch
    {
        null => "",
        string text => SurrogateJoiner.Whole(text),
        _ => JsonSerializer.Serialize(result, Compact.GetTypeInfo(typeof(object))),
    };
}
