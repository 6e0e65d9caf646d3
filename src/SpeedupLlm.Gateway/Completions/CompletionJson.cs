using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace SpeedupLlm.Gateway.Completions;

/// <summary>Names an answer: what every chunk of it repeats.</summary>
/// <param name="Id">Ours, unique.</param>
/// <param name="Created">Seconds since 1970.</param>
/// <param name="Model">The model that answered.</param>
internal sealed record CompletionName(string Id, long Created, string Model);

/// <summary>Writes answers in OpenAI's shape.</summary>
internal static class CompletionJson
{
    // what is sent is JSON, not HTML: text in any script stays short
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A whole answer.</summary>
    public static void WriteWhole(IBufferWriter<byte> to, CompletionName name, string text, string finish, AnswerAccount account)
    {
        using var json = new Utf8JsonWriter(to, Options);
        Begin(json, name, "chat.completion");
        json.WriteStartArray("choices");
        json.WriteStartObject();
        json.WriteNumber("index", 0);
        json.WriteStartObject("message");
        json.WriteString("role", "assistant");
        json.WriteString("content", text);
        json.WriteNull("refusal");
        json.WriteEndObject();
        json.WriteNull("logprobs");
        json.WriteString("finish_reason", finish);
        json.WriteEndObject();
        json.WriteEndArray();
        account.WriteUsage(json);
        account.WriteSpeedup(json);
        json.WriteEndObject();
    }

    /// <summary>A chunk with a piece of text; the first one says who speaks.</summary>
    public static void WriteText(IBufferWriter<byte> to, CompletionName name, string text, bool first)
    {
        using var json = new Utf8JsonWriter(to, Options);
        BeginChoice(json, name);
        json.WriteStartObject("delta");
        if (first)
            json.WriteString("role", "assistant");
        json.WriteString("content", text);
        json.WriteEndObject();
        json.WriteNull("finish_reason");
        EndChoice(json);
        json.WriteEndObject();
    }

    /// <summary>The last chunk of a choice: why it ended, and what it took.</summary>
    public static void WriteEnd(IBufferWriter<byte> to, CompletionName name, string finish, AnswerAccount account)
    {
        using var json = new Utf8JsonWriter(to, Options);
        BeginChoice(json, name);
        json.WriteStartObject("delta");
        json.WriteEndObject();
        json.WriteString("finish_reason", finish);
        EndChoice(json);
        account.WriteSpeedup(json);
        json.WriteEndObject();
    }

    /// <summary>The chunk of usage, for those who asked for it.</summary>
    public static void WriteUsage(IBufferWriter<byte> to, CompletionName name, AnswerAccount account)
    {
        using var json = new Utf8JsonWriter(to, Options);
        Begin(json, name, "chat.completion.chunk");
        json.WriteStartArray("choices");
        json.WriteEndArray();
        account.WriteUsage(json);
        json.WriteEndObject();
    }

    private static void BeginChoice(Utf8JsonWriter json, CompletionName name)
    {
        Begin(json, name, "chat.completion.chunk");
        json.WriteStartArray("choices");
        json.WriteStartObject();
        json.WriteNumber("index", 0);
    }

    private static void EndChoice(Utf8JsonWriter json)
    {
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void Begin(Utf8JsonWriter json, CompletionName name, string kind)
    {
        json.WriteStartObject();
        json.WriteString("id", name.Id);
        json.WriteString("object", kind);
        json.WriteNumber("created", name.Created);
        json.WriteString("model", name.Model);
    }
}
