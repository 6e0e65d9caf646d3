using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Models;

/// <summary>The first line of a recording.</summary>
internal sealed record RecordingHeader
{
    public const int CurrentFormat = 1;

    public required int FormatVersion { get; init; }

    /// <summary>Always <c>calls</c>: tells a recording from an answer set.</summary>
    public required string Recording { get; init; }

    public required ModelTraits Model { get; init; }
}

/// <summary>One line for each call or training run.</summary>
internal sealed record RecordedLine
{
    /// <summary>The hash of the canonical request, or of the training run.</summary>
    public required string Key { get; init; }

    /// <summary>The number of the sample; 0 for training.</summary>
    public required int Draw { get; init; }

    /// <summary>The stream of chance, which tells apart the same request asked at different places of a run; empty if there was none.</summary>
    public required string Stream { get; init; }

    /// <summary>For readers: what it was for.</summary>
    public string? Purpose { get; init; }

    /// <summary>For readers: the question that it served.</summary>
    public string? Question { get; init; }

    /// <summary>For readers: the canonical request.</summary>
    public JsonElement? Request { get; init; }

    public RecordedResponse? Response { get; init; }

    public RecordedTraining? Training { get; init; }

    public RecordedError? Error { get; init; }
}

internal sealed record RecordedResponse
{
    /// <summary>The messages as Microsoft.Extensions.AI writes them.</summary>
    public required JsonElement Messages { get; init; }

    public string? Finish { get; init; }

    public string? Id { get; init; }

    public string? Model { get; init; }

    public RecordedUsage? Usage { get; init; }

    public IReadOnlyList<RecordedToken>? LogProbs { get; init; }

    public bool? LogProbsMissing { get; init; }
}

internal sealed record RecordedUsage(long? Input, long? CachedInput, long? Output, long? Reasoning);

internal sealed record RecordedToken(string Text, double LogProb, IReadOnlyList<RecordedAlternative>? Top);

internal sealed record RecordedAlternative(string Text, double LogProb);

internal sealed record RecordedTraining(string Adapter, string Model, long Tokens, double LossBefore, double LossAfter);

/// <summary>A failed call; replayed as the same exception.</summary>
internal sealed record RecordedError(string Kind, string Message, double? RetryAfterSeconds);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(RecordingHeader))]
[JsonSerializable(typeof(RecordedLine))]
internal sealed partial class RecordingJson : JsonSerializerContext
{
    /// <summary>Readable lines: no escapes where JSON needs none.</summary>
    public static RecordingJson Lines => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}

/// <summary>Between the records of the file and what clients give.</summary>
internal static class RecordingConversion
{
    public static RecordedResponse ToRecord(ChatResponse response) => new()
    {
        Messages = JsonSerializer.SerializeToElement(response.Messages, AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(IList<ChatMessage>))),
        Finish = response.FinishReason?.Value,
        Id = response.ResponseId,
        Model = response.ModelId,
        Usage = response.Usage is { } u ? new(u.InputTokenCount, u.CachedInputTokenCount, u.OutputTokenCount, u.ReasoningTokenCount) : null,
        LogProbs = response.AdditionalProperties?.GetValueOrDefault(TokenLogProb.Key) is IReadOnlyList<TokenLogProb> tokens
            ? [.. tokens.Select(t => new RecordedToken(t.Text, t.LogProb, t.Top.Count == 0 ? null : [.. t.Top.Select(p => new RecordedAlternative(p.Key, p.Value))]))]
            : null,
        LogProbsMissing = response.AdditionalProperties?.GetValueOrDefault(OpenAiChatClient.LogProbsMissingKey) as bool?,
    };

    public static ChatResponse ToResponse(RecordedResponse record)
    {
        var messages = (IList<ChatMessage>)record.Messages.Deserialize(AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(IList<ChatMessage>)))!;
        var response = new ChatResponse(messages)
        {
            FinishReason = record.Finish is { } finish ? new(finish) : null,
            ResponseId = record.Id,
            ModelId = record.Model,
            Usage = record.Usage is { } u
                ? new() { InputTokenCount = u.Input, CachedInputTokenCount = u.CachedInput, OutputTokenCount = u.Output, ReasoningTokenCount = u.Reasoning }
                : null,
        };
        if (record.LogProbs is { } tokens)
        {
            (response.AdditionalProperties ??= [])[TokenLogProb.Key] = (IReadOnlyList<TokenLogProb>)
                [.. tokens.Select(t => new TokenLogProb(t.Text, t.LogProb, [.. (t.Top ?? []).Select(p => KeyValuePair.Create(p.Text, p.LogProb))]))];
        }
        if (record.LogProbsMissing == true)
            (response.AdditionalProperties ??= [])[OpenAiChatClient.LogProbsMissingKey] = true;
        return response;
    }

    public static RecordedError ToRecord(Exception e) => new(e switch
    {
        RateLimitedException => "rate-limited",
        PromptTooLongException => "context-length",
        RequestRefusedException => "refused",
        EndpointUnreachableException => "unreachable",
        _ => "failed",
    }, ErrorBody.Line(e.Message), (e as UpstreamException)?.RetryAfter?.TotalSeconds);

    public static UpstreamException ToException(RecordedError error)
    {
        TimeSpan? wait = error.RetryAfterSeconds is { } seconds and >= 0 and < 1e9 ? TimeSpan.FromSeconds(seconds) : null;
        return error.Kind switch
        {
            "rate-limited" => new RateLimitedException(error.Message, wait),
            "context-length" => new PromptTooLongException(error.Message),
            "refused" => new RequestRefusedException(error.Message),
            "unreachable" => new EndpointUnreachableException(error.Message),
            _ => new UpstreamException(error.Message) { RetryAfter = wait },
        };
    }
}
