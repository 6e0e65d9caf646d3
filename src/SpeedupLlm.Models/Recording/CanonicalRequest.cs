using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Models;

/// <summary>What makes two requests the same: messages, options that matter, adapter. Texts that are equal in NFC are equal; what is left out is not 0 (cases 16 and 17).</summary>
/// <remarks>
/// Not part of it: the draw and the stream of chance, which tell the samples of one request apart, and the seed that comes from the stream;
/// the question's id, the purpose and the cache scope, which do not reach the model.
/// </remarks>
internal static class CanonicalRequest
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The request as JSON, and a hash of that.</summary>
    public static (string Key, string Json) Of(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            json.WriteStartObject();
            Messages(json, messages);
            if (options is not null)
                Options(json, options, CallInfo.Of(options));
            json.WriteEndObject();
        }
        return (Hash(buffer.WrittenSpan), Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    /// <summary>A training run as a hash: where it starts, and each pair in order.</summary>
    public static string OfTraining(AdapterRef? from, IReadOnlyList<TrainingPair> pairs)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            json.WriteStartObject();
            Text(json, "from", from?.Id);
            json.WriteStartArray("pairs");
            foreach (var pair in pairs)
            {
                json.WriteStartObject();
                Messages(json, pair.Prompt.Messages);
                Text(json, "target", pair.Target);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Hash(buffer.WrittenSpan);
    }

    private static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16));

    private static void Messages(Utf8JsonWriter json, IEnumerable<ChatMessage> messages)
    {
        json.WriteStartArray("messages");
        foreach (var message in messages)
        {
            json.WriteStartObject();
            json.WriteString("role", message.Role.Value);
            Text(json, "name", message.AuthorName);
            if (message.Contents.All(c => c is TextContent))
            {
                Text(json, "text", message.Text);
            }
            else
            {
                json.WriteStartArray("contents");
                foreach (var content in message.Contents)
                    Content(json, content);
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void Content(Utf8JsonWriter json, AIContent content)
    {
        json.WriteStartObject();
        switch (content)
        {
            case TextContent text:
                Text(json, "text", text.Text);
                break;
            case TextReasoningContent reasoning:
                Text(json, "reasoning", reasoning.Text);
                break;
            case DataContent data:
                json.WriteString("data", data.MediaType);
                json.WriteString("sha256", Hash(data.Data.Span));
                break;
            case UriContent uri:
                json.WriteString("uri", uri.Uri.AbsoluteUri);
                break;
            case FunctionCallContent call:
                json.WriteString("call", call.CallId);
                Text(json, "function", call.Name);
                Any(json, "arguments", call.Arguments is { } arguments ? new SortedDictionary<string, object?>(arguments, StringComparer.Ordinal) : null);
                break;
            case FunctionResultContent result:
                json.WriteString("result", result.CallId);
                Any(json, "value", result.Result);
                break;
            default:
                throw new NotSupportedException($"{content.GetType().Name} cannot be recorded.");
        }
        json.WriteEndObject();
    }

    private static void Options(Utf8JsonWriter json, ChatOptions options, CallInfo? info)
    {
        Text(json, "model", options.ModelId);
        Text(json, "adapter", info?.Adapter?.Id);
        Text(json, "instructions", options.Instructions);
        Number(json, "temperature", options.Temperature);
        Number(json, "topP", options.TopP);
        Number(json, "topK", options.TopK);
        Number(json, "frequencyPenalty", options.FrequencyPenalty);
        Number(json, "presencePenalty", options.PresencePenalty);
        Number(json, "maxOutputTokens", options.MaxOutputTokens);
        if (info is null || (options.Seed is { } seed && seed != info.Stream.ToSeed()))
            Number(json, "seed", options.Seed);
        if (options.StopSequences is { Count: > 0 } stops)
            Any(json, "stop", stops.ToArray());
        Text(json, "effort", options.Reasoning?.Effort?.ToString());
        Number(json, "topLogProbs", info?.TopLogProbs);
        if (options.ResponseFormat is ChatResponseFormatJson format)
            Text(json, "format", format.Schema is { } schema ? schema.GetRawText() : "json");
        Tools(json, options);
        foreach (var (name, value) in (options.AdditionalProperties ?? []).Where(p => !p.Key.StartsWith("speedup.", StringComparison.Ordinal)).OrderBy(p => p.Key, StringComparer.Ordinal))
            Any(json, "+" + name, value);
    }

    private static void Tools(Utf8JsonWriter json, ChatOptions options)
    {
        if (options.Tools is not { Count: > 0 } tools)
            return;
        json.WriteStartArray("tools");
        foreach (var tool in tools)
        {
            json.WriteStartObject();
            Text(json, "name", tool.Name);
            Text(json, "description", tool.Description);
            Text(json, "schema", (tool as AIFunctionDeclaration)?.JsonSchema.GetRawText());
            json.WriteEndObject();
        }
        json.WriteEndArray();
        Text(json, "toolMode", options.ToolMode switch { null => null, RequiredChatToolMode { RequiredFunctionName: { } name } => "required " + name, var mode => mode.GetType().Name });
    }

    private static void Text(Utf8JsonWriter json, string name, string? text)
    {
        if (text is not null)
            json.WriteString(name, SurrogateJoiner.Whole(text).Normalize(NormalizationForm.FormC));
    }

    private static void Number<T>(Utf8JsonWriter json, string name, T? number)
        where T : struct, IFormattable
    {
        if (number is { } value)
            json.WriteString(name, value.ToString("R", System.Globalization.CultureInfo.InvariantCulture));
    }

    private static void Any(Utf8JsonWriter json, string name, object? value)
    {
        if (value is null)
            return;
        json.WritePropertyName(name);
        JsonSerializer.Serialize(json, value, AIJsonUtilities.DefaultOptions.GetTypeInfo(value is SortedDictionary<string, object?> ? typeof(IDictionary<string, object?>) : value.GetType()));
    }
}
