using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Testing.Endpoints;

/// <summary>A minimal OpenAI-compatible server over any chat client: <c>/v1/models</c> and <c>/v1/chat/completions</c>, whole and streamed, with log-probabilities, usage and reasoning.</summary>
/// <remarks>Proves clients against a real socket. The seed becomes the stream of chance, so an embedded reasoner behind it is as repeatable as before it.</remarks>
public static class OpenAiServer
{
    /// <summary>Starts a server on a free port that serves <paramref name="client"/> under <paramref name="model"/>.</summary>
    public static Task<FakeEndpoint> StartAsync(IChatClient client, string model) => FakeEndpoint.StartAsync((request, http) => request.Path switch
    {
        "/v1/models" => http.AnswerAsync(200, new JsonObject { ["object"] = "list", ["data"] = new JsonArray(new JsonObject { ["id"] = model, ["object"] = "model" }) }.ToJsonString()),
        "/v1/chat/completions" when (string?)request.Body["model"] != model => http.AnswerAsync(404, FakeAnswers.Error("no such model", "model", "model_not_found")),
        "/v1/chat/completions" => CompleteAsync(client, model, request, http),
        _ => http.AnswerAsync(404, FakeAnswers.Error("no such operation")),
    });

    private static async Task CompleteAsync(IChatClient client, string model, FakeRequest request, HttpContext http)
    {
        var body = request.Body;
        var messages = body["messages"]!.AsArray().Select(m => new ChatMessage(new((string)m!["role"]!), (string?)m["content"] ?? "")).ToList();
        var options = Options(body, request.Number);
        try
        {
            if ((bool?)body["stream"] != true)
            {
                var whole = await client.GetResponseAsync(messages, options, http.RequestAborted);
                await http.AnswerAsync(200, Completion(model, whole).ToJsonString());
                return;
            }
            http.Response.ContentType = "text/event-stream";
            var heard = new List<ChatResponseUpdate>();
            await foreach (var update in client.GetStreamingResponseAsync(messages, options, http.RequestAborted))
            {
                heard.Add(update);
                var delta = new JsonObject();
                if (update.Contents.OfType<TextReasoningContent>().FirstOrDefault() is { } thought)
                    delta["reasoning_content"] = thought.Text;
                if (update.Text.Length > 0)
                    delta["content"] = update.Text;
                if (delta.Count > 0)
                    await SendAsync(http, Chunk(model, delta, null, null));
            }
            var response = heard.ToChatResponse();
            await SendAsync(http, Chunk(model, [], (response.FinishReason ?? ChatFinishReason.Stop).Value, LogProbs(response)));
            if ((bool?)body["stream_options"]?["include_usage"] == true)
                await SendAsync(http, new JsonObject { ["object"] = "chat.completion.chunk", ["model"] = model, ["choices"] = new JsonArray(), ["usage"] = Usage(response) });
            await http.Response.WriteAsync(FakeAnswers.Done, http.RequestAborted);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            if (http.Response.HasStarted)
                await http.Response.WriteAsync($"data: {FakeAnswers.Error(e.Message)}\n\n", http.RequestAborted);
            else
                await http.AnswerAsync(500, FakeAnswers.Error(e.Message));
        }
    }

    private static ChatOptions Options(JsonObject body, int number)
    {
        var stream = StreamKey.Root((long?)body["seed"] ?? number);
        int? top = (bool?)body["logprobs"] == true ? (int?)body["top_logprobs"] ?? 0 : null;
        return new()
        {
            Temperature = (float?)body["temperature"],
            TopP = (float?)body["top_p"],
            TopK = (int?)body["top_k"],
            MaxOutputTokens = (int?)body["max_completion_tokens"] ?? (int?)body["max_tokens"],
            Seed = (long?)body["seed"],
            StopSequences = body["stop"] is JsonArray stops ? [.. stops.Select(s => (string)s!)] : null,
            AdditionalProperties = new() { [CallInfo.Key] = new CallInfo(CallPurpose.Solve, stream, 0, "", null, top) },
        };
    }

    private static JsonObject Completion(string model, ChatResponse response)
    {
        var message = new JsonObject { ["role"] = "assistant", ["content"] = response.Text };
        if (string.Concat(response.Messages.SelectMany(m => m.Contents).OfType<TextReasoningContent>().Select(c => c.Text)) is { Length: > 0 } thought)
            message["reasoning_content"] = thought;
        return new()
        {
            ["id"] = "chatcmpl-1",
            ["object"] = "chat.completion",
            ["model"] = model,
            ["choices"] = new JsonArray(new JsonObject
            {
                ["index"] = 0,
                ["message"] = message,
                ["finish_reason"] = (response.FinishReason ?? ChatFinishReason.Stop).Value,
                ["logprobs"] = LogProbs(response),
            }),
            ["usage"] = Usage(response),
        };
    }

    private static JsonObject Chunk(string model, JsonObject delta, string? finish, JsonObject? logProbs) => new()
    {
        ["id"] = "chatcmpl-1",
        ["object"] = "chat.completion.chunk",
        ["model"] = model,
        ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["delta"] = delta, ["finish_reason"] = finish, ["logprobs"] = logProbs }),
    };

    private static JsonObject? LogProbs(ChatResponse response) =>
        (response.AdditionalProperties ?? response.Messages.LastOrDefault()?.AdditionalProperties)?.GetValueOrDefault(TokenLogProb.Key) is IReadOnlyList<TokenLogProb> tokens
            ? new()
            {
                ["content"] = new JsonArray([.. tokens.Select(t => new JsonObject
                {
                    ["token"] = t.Text,
                    ["logprob"] = t.LogProb,
                    ["top_logprobs"] = new JsonArray([.. t.Top.Select(p => new JsonObject { ["token"] = p.Key, ["logprob"] = p.Value })]),
                })]),
            }
            : null;

    private static JsonObject? Usage(ChatResponse response) => response.Usage is not { } usage ? null : new()
    {
        ["prompt_tokens"] = usage.InputTokenCount,
        ["completion_tokens"] = usage.OutputTokenCount,
        ["total_tokens"] = usage.InputTokenCount + usage.OutputTokenCount,
        ["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = usage.CachedInputTokenCount },
        ["completion_tokens_details"] = new JsonObject { ["reasoning_tokens"] = usage.ReasoningTokenCount },
    };

    private static async Task SendAsync(HttpContext http, JsonObject chunk)
    {
        await http.Response.WriteAsync($"data: {chunk.ToJsonString()}\n\n", http.RequestAborted);
        await http.Response.Body.FlushAsync(http.RequestAborted);
    }
}
