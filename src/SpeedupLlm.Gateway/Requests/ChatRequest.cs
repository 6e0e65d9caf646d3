using System.Text.Json;
using System.Text.Unicode;
using Microsoft.Extensions.AI;
using SpeedupLlm.Gateway.Errors;

namespace SpeedupLlm.Gateway.Requests;

/// <summary>A chat completions request in the library's terms.</summary>
internal sealed record ChatRequest
{
    /// <summary>Fields that are read elsewhere.</summary>
    private static readonly HashSet<string> Elsewhere = new(StringComparer.Ordinal) { "model", "messages", "stream", "stream_options", "speedup" };

    /// <summary>The conversation.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>Every other field; what has no place of its own is in the additional properties, as it stands.</summary>
    public required ChatOptions Options { get; init; }

    /// <summary>Whether a stream is asked for.</summary>
    public bool Stream { get; private init; }

    /// <summary>Whether the stream ends with a chunk of usage.</summary>
    public bool IncludeUsage { get; private init; }

    /// <summary>What in it the library has no words for, so that it has to go to the model as it is; null if there is nothing.</summary>
    public string? Untreatable { get; private init; }

    /// <summary>Whether <c>n</c> is left out or 1.</summary>
    public bool AsksForOne => Options.AdditionalProperties is not { } others || !others.TryGetValue("n", out var n) || n is JsonElement { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var count) && count == 1;

    /// <summary>Reads a body.</summary>
    /// <exception cref="ApiErrorException">It is no chat completions request.</exception>
    public static ChatRequest Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            if (!IsText(body.Span))
                return new() { Messages = [], Options = new(), Untreatable = "half a character" };
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = RequestHead.Depth });
            return Read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new ApiErrorException(ApiError.Invalid($"The request is not valid JSON: {e.Message}", code: "invalid_json"));
        }
    }

    /// <summary>Whether every string is one. JSON may carry lone surrogates, which clients make by cutting an emoji in two; what holds one goes to the model as it is, since it fails wherever it is first looked at.</summary>
    private static bool IsText(ReadOnlySpan<byte> body)
    {
        if (!Utf8.IsValid(body))
            return false;
        if (body.IndexOf("\\u"u8) < 0)
            return true;
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = RequestHead.Depth });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                    reader.GetString();
            }
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static ChatRequest Read(JsonElement root)
    {
        if (!root.TryGetProperty("messages", out var messages) || messages.ValueKind != JsonValueKind.Array)
            throw Invalid("messages", "“messages” is not an array.");
        if (messages.GetArrayLength() == 0)
            throw Invalid("messages", "“messages” is empty.");
        var conversation = new List<ChatMessage>();
        string? untreatable = null;
        var number = 0;
        foreach (var message in messages.EnumerateArray())
        {
            conversation.Add(ReadMessage(message, FormattableString.Invariant($"messages[{number++}]"), out var reason));
            untreatable ??= reason;
        }
        return new()
        {
            Messages = conversation,
            Options = ReadOptions(root, ref untreatable),
            Stream = Flag(root, "stream"),
            IncludeUsage = root.TryGetProperty("stream_options", out var stream) && stream.ValueKind == JsonValueKind.Object && Flag(stream, "include_usage"),
            Untreatable = untreatable,
        };
    }

    private static ChatMessage ReadMessage(JsonElement message, string at, out string? untreatable)
    {
        untreatable = null;
        if (message.ValueKind != JsonValueKind.Object || !message.TryGetProperty("role", out var role) || role.ValueKind != JsonValueKind.String)
            throw Invalid(at, $"{at} has no role.");
        var name = role.GetString()!;
        if (name is not ("system" or "developer" or "user" or "assistant"))
        {
            // reasons are counted and sent in a header: none is made of the request's own text
            untreatable = name is "tool" or "function" ? "tool messages" : "an unknown role";
            return new(ChatRole.User, "");
        }
        if (message.TryGetProperty("tool_calls", out _) || message.TryGetProperty("function_call", out _))
            untreatable ??= "tool calls";
        var read = new ChatMessage { Role = name == "developer" ? ChatRole.System : new(name), AuthorName = message.TryGetProperty("name", out var author) ? Text(author) : null };
        if (!message.TryGetProperty("content", out var content) || content.ValueKind == JsonValueKind.Null)
            untreatable ??= "a message without text";
        else if (content.ValueKind == JsonValueKind.String)
            read.Contents.Add(new TextContent(content.GetString()));
        else if (content.ValueKind == JsonValueKind.Array)
            ReadParts(content, read, at, ref untreatable);
        else
            throw Invalid($"{at}.content", $"{at}.content is neither text nor a list of parts.");
        return read;
    }

    private static void ReadParts(JsonElement parts, ChatMessage message, string at, ref string? untreatable)
    {
        foreach (var part in parts.EnumerateArray())
        {
            var type = part.ValueKind == JsonValueKind.Object && part.TryGetProperty("type", out var t) ? Text(t) : null;
            if (type == "text" && part.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String)
                message.Contents.Add(new TextContent(text.GetString()));
            else if (type is null or "text")
                throw Invalid($"{at}.content", $"{at}.content has a part that is none.");
            else
                untreatable ??= type is "image_url" or "input_audio" or "file" or "refusal" ? $"a part of type “{type}”" : "a part of an unknown type";
        }
    }

    private static ChatOptions ReadOptions(JsonElement root, ref string? untreatable)
    {
        var options = new ChatOptions();
        foreach (var field in root.EnumerateObject())
        {
            if (Elsewhere.Contains(field.Name) || field.Value.ValueKind == JsonValueKind.Null)
                continue;
            switch (field.Name)
            {
                case "temperature": options.Temperature = (float)Number(field, 0, 2); break;
                case "top_p": options.TopP = (float)Number(field, 0, 1); break;
                case "top_k": options.TopK = (int)Whole(field, 0, int.MaxValue); break;
                case "presence_penalty": options.PresencePenalty = (float)Number(field, -2, 2); break;
                case "frequency_penalty": options.FrequencyPenalty = (float)Number(field, -2, 2); break;
                case "max_tokens" or "max_completion_tokens": options.MaxOutputTokens = (int)Whole(field, 1, int.MaxValue); break;
                case "seed": options.Seed = Whole(field, long.MinValue, long.MaxValue); break;
                case "stop": options.StopSequences = Stops(field); break;
                case "response_format": options.ResponseFormat = Format(field, ref untreatable); break;
                default: (options.AdditionalProperties ??= [])[field.Name] = field.Value.Clone(); break;
            }
        }
        return options;
    }

    private static ChatResponseFormat? Format(JsonProperty field, ref string? untreatable)
    {
        var type = field.Value.ValueKind == JsonValueKind.Object && field.Value.TryGetProperty("type", out var t) ? Text(t) : null;
        switch (type)
        {
            case "text":
                return null;
            case "json_object":
                return ChatResponseFormat.Json;
            case "json_schema" when field.Value.TryGetProperty("json_schema", out var named) && named.ValueKind == JsonValueKind.Object && named.TryGetProperty("schema", out var schema):
                return ChatResponseFormat.ForJsonSchema(schema.Clone(), named.TryGetProperty("name", out var name) ? Text(name) : null, named.TryGetProperty("description", out var said) ? Text(said) : null);
            default:
                untreatable ??= "its response format";
                return null;
        }
    }

    private static List<string> Stops(JsonProperty field) => field.Value.ValueKind switch
    {
        JsonValueKind.String => [field.Value.GetString()!],
        JsonValueKind.Array when field.Value.EnumerateArray().All(s => s.ValueKind == JsonValueKind.String) => [.. field.Value.EnumerateArray().Select(s => s.GetString()!)],
        _ => throw Invalid(field.Name, "“stop” is neither text nor a list of texts."),
    };

    private static double Number(JsonProperty field, double least, double most) =>
        field.Value.ValueKind == JsonValueKind.Number && field.Value.TryGetDouble(out var value) && value >= least && value <= most
            ? value
            : throw Invalid(field.Name, FormattableString.Invariant($"“{field.Name}” is not a number between {least} and {most}."));

    private static long Whole(JsonProperty field, long least, long most) =>
        field.Value.ValueKind == JsonValueKind.Number && field.Value.TryGetInt64(out var value) && value >= least && value <= most
            ? value
            : throw Invalid(field.Name, $"“{field.Name}” is not a whole number in its range.");

    private static bool Flag(JsonElement parent, string name) => parent.TryGetProperty(name, out var flag) && flag.ValueKind == JsonValueKind.True;

    private static string? Text(JsonElement element) => element.ValueKind == JsonValueKind.String ? element.GetString() : null;

    private static ApiErrorException Invalid(string parameter, string message) => new(ApiError.Invalid(message, parameter));
}
