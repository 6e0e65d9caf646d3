using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace SpeedupLlm.Testing.Endpoints;

/// <summary>A request as it came over the wire.</summary>
/// <param name="Number">0-based, in the order of arrival.</param>
/// <param name="Path">With the query.</param>
/// <param name="Text">The body as text.</param>
/// <param name="Authorization">The header, or null.</param>
public sealed record FakeRequest(int Number, string Path, string Text, string? Authorization)
{
    /// <summary>The body as JSON.</summary>
    public JsonObject Body => field ??= Text.StartsWith('{') ? JsonNode.Parse(Text)!.AsObject() : [];
}

/// <summary>A real HTTP server on loopback whose every answer is the test's own: well-behaved, slow, broken.</summary>
public sealed class FakeEndpoint : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly ConcurrentQueue<FakeRequest> _requests = new();
    private int _aborted;
    private int _arrived;

    private FakeEndpoint(Func<FakeRequest, HttpContext, Task> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        _server = builder.Build();
        _server.Run(async http =>
        {
            using var reader = new StreamReader(http.Request.Body);
            var request = new FakeRequest(
                Interlocked.Increment(ref _arrived) - 1, http.Request.Path + http.Request.QueryString, await reader.ReadToEndAsync(http.RequestAborted),
                (string?)http.Request.Headers.Authorization);
            _requests.Enqueue(request);
            await using var gone = http.RequestAborted.Register(() => Interlocked.Increment(ref _aborted));
            try
            {
                await answer(request, http);
            }
            catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
            {
                // the client hung up, which is what a test may want to see
            }
        });
    }

    /// <summary>The address under which <c>/chat/completions</c> is.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>What came so far.</summary>
    public IReadOnlyList<FakeRequest> Requests => [.. _requests];

    /// <summary>How many requests the client (or the server itself) broke off.</summary>
    public int Aborted => Volatile.Read(ref _aborted);

    /// <summary>Starts a server on a free port.</summary>
    public static async Task<FakeEndpoint> StartAsync(Func<FakeRequest, HttpContext, Task> answer)
    {
        var endpoint = new FakeEndpoint(answer);
        await endpoint._server.StartAsync();
        var addresses = endpoint._server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        endpoint.Address = new(addresses.Addresses.Single() + "/v1");
        return endpoint;
    }

    /// <summary>Starts a server that always gives the same answer.</summary>
    public static Task<FakeEndpoint> StartAsync(int status, string body, string contentType = "application/json") =>
        StartAsync((_, http) => http.AnswerAsync(status, body, contentType));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _server.StopAsync(soon.Token);
        await _server.DisposeAsync();
    }
}

/// <summary>Answers in the shapes of OpenAI's API.</summary>
public static class FakeAnswers
{
    /// <summary>A whole completion.</summary>
    public static string Completion(string text, string finish = "stop", string? logProbs = null, string? message = null, string? usage = null) => $$"""
        {"id":"c-1","object":"chat.completion","created":1700000000,"model":"fake-1","choices":[{"index":0,"finish_reason":"{{finish}}",
        "message":{"role":"assistant","content":{{JsonValue.Create(text).ToJsonString()}}{{(message is null ? "" : "," + message)}}}{{(logProbs is null ? "" : ",\"logprobs\":" + logProbs)}}}],
        "usage":{{usage ?? """{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}"""}}}
        """;

    /// <summary>An error body.</summary>
    public static string Error(string message, string? parameter = null, string? code = null) =>
        new JsonObject { ["error"] = new JsonObject { ["message"] = message, ["type"] = "invalid_request_error", ["param"] = parameter, ["code"] = code } }.ToJsonString();

    /// <summary>A chunk of a stream; <paramref name="delta"/> is the delta's JSON.</summary>
    public static string Chunk(string delta, string? finish = null, string? logProbs = null) =>
        $$"""data: {"id":"c-1","object":"chat.completion.chunk","created":1700000000,"model":"fake-1","choices":[{"index":0,"delta":{{delta}},"finish_reason":{{(finish is null ? "null" : $"\"{finish}\"")}}{{(logProbs is null ? "" : ",\"logprobs\":" + logProbs)}}}]}""" + "\n\n";

    /// <summary>The last chunk, with the usage.</summary>
    public static string UsageChunk(string usage = """{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}""") =>
        $$"""data: {"id":"c-1","object":"chat.completion.chunk","created":1700000000,"model":"fake-1","choices":[],"usage":{{usage}}}""" + "\n\n";

    /// <summary>Ends a stream.</summary>
    public const string Done = "data: [DONE]\n\n";

    /// <summary>Writes an answer at once.</summary>
    public static Task AnswerAsync(this HttpContext http, int status, string body, string contentType = "application/json")
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = contentType;
        return http.Response.WriteAsync(body, http.RequestAborted);
    }

    /// <summary>Writes pieces of a stream, each flushed by itself.</summary>
    public static async Task StreamAsync(this HttpContext http, params IEnumerable<byte[]> pieces)
    {
        if (!http.Response.HasStarted)
            http.Response.ContentType = "text/event-stream";
        foreach (var piece in pieces)
        {
            await http.Response.Body.WriteAsync(piece, http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
        }
    }

    /// <summary>Writes pieces of a stream, each flushed by itself.</summary>
    public static Task StreamAsync(this HttpContext http, params IEnumerable<string> pieces) => http.StreamAsync(pieces.Select(System.Text.Encoding.UTF8.GetBytes));
}
