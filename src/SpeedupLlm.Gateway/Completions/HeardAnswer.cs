using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace SpeedupLlm.Gateway.Completions;

/// <summary>What is heard of a forwarded answer: its text, why it ended, and what it used. Not thread-safe.</summary>
internal sealed class HeardAnswer
{
    private readonly StringBuilder _text = new();
    private string? _finish;
    private UsageDetails? _usage;

    /// <summary>Reads an answer, or a chunk of one.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public void Read(ReadOnlySpan<byte> json)
    {
        using var document = JsonDocument.Parse(json.ToArray());
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
            return;
        if (root.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object)
            _usage = new() { InputTokenCount = Count(usage, "prompt_tokens"), OutputTokenCount = Count(usage, "completion_tokens") };
        if (!root.TryGetProperty("choices", out var choices) || choices.ValueKind != JsonValueKind.Array || choices.GetArrayLength() == 0 || choices[0].ValueKind != JsonValueKind.Object)
            return;
        var choice = choices[0];
        if (choice.TryGetProperty("finish_reason", out var finish) && finish.ValueKind == JsonValueKind.String)
            _finish = finish.GetString();
        if ((choice.TryGetProperty("message", out var message) || choice.TryGetProperty("delta", out message)) && message.ValueKind == JsonValueKind.Object
            && message.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.String)
            _text.Append(content.GetString());
    }

    public ChatResponse ToResponse() => new(new ChatMessage(ChatRole.Assistant, _text.ToString()))
    {
        FinishReason = _finish is null ? null : new(_finish),
        Usage = _usage,
    };

    private static long? Count(JsonElement usage, string name) =>
        usage.TryGetProperty(name, out var count) && count.ValueKind == JsonValueKind.Number && count.TryGetInt64(out var value) ? value : null;
}
