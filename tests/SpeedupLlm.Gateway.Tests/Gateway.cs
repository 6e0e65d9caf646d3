using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using SpeedupLlm.Experience;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Models;
using SpeedupLlm.Testing.Endpoints;

namespace SpeedupLlm.Gateway.Tests;

/// <summary>A gateway on a free port with a client of it, and what stands behind it.</summary>
internal sealed class Gateway : IAsyncDisposable
{
    private readonly GatewayServer _server;
    private readonly IExperienceStore _store;
    private readonly bool _ownsStore;

    private Gateway(GatewayServer server, IExperienceStore store, bool ownsStore)
    {
        (_server, _store, _ownsStore) = (server, store, ownsStore);
        Address = server.Addresses[0];
        Http = new() { BaseAddress = Address, Timeout = TimeSpan.FromMinutes(5) };
    }

    public Uri Address { get; }

    public HttpClient Http { get; }

    public IExperienceStore Store => _store;

    /// <summary>In front of a model in the process.</summary>
    public static Task<Gateway> OverAsync(IChatClient model, Func<GatewayOptions, GatewayOptions>? change = null, IExperienceStore? store = null, TimeProvider? clock = null) =>
        StartAsync(new(), new EmbeddedModel("embedded", model), change, store, clock);

    /// <summary>In front of endpoints that serve every model's name.</summary>
    public static Task<Gateway> OverAsync(FakeEndpoint endpoint, Func<GatewayOptions, GatewayOptions>? change = null, IExperienceStore? store = null, TimeProvider? clock = null) =>
        StartAsync(new() { Upstreams = [new() { Name = "fake", Url = endpoint.Address }] }, null, change, store, clock);

    public static async Task<Gateway> StartAsync(GatewayOptions options, EmbeddedModel? embedded, Func<GatewayOptions, GatewayOptions>? change, IExperienceStore? store, TimeProvider? clock)
    {
        // no lots are drawn unless a test asks for them
        options = options with { Urls = ["http://127.0.0.1:0"], ControlShare = 0 };
        var kept = store ?? new InMemoryStore();
        var server = await GatewayServer.StartAsync(change?.Invoke(options) ?? options, new()
        {
            Store = kept,
            Embedded = embedded,
            Connect = (upstream, model) => new OpenAiChatClient(new() { Endpoint = upstream.Url, Model = model, KeyVariable = "SPEEDUP_TEST_NO_KEY", Retries = 0 }),
            Explain = Cli.Commands.ServeCommand.Explain,
            Variable = name => name == "FAKE_KEY" ? "upstream-key" : null,
            Clock = clock ?? TimeProvider.System,
        }, CancellationToken.None);
        return new(server, kept, store is null);
    }

    /// <summary>A request with one question.</summary>
    public static JsonObject Ask(string question, string model = "m") => new()
    {
        ["model"] = model,
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }),
    };

    /// <summary>Posts JSON.</summary>
    public async Task<Reply> PostAsync(string path, string body, string? key = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await Http.SendAsync(request);
        return await Reply.OfAsync(response);
    }

    /// <summary>Asks for a completion.</summary>
    public Task<Reply> CompleteAsync(JsonObject request, string? key = null, params (string Name, string Value)[] headers) =>
        PostAsync("/v1/chat/completions", request.ToJsonString(), key, headers);

    public async Task<Reply> GetAsync(string path, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var response = await Http.SendAsync(request);
        return await Reply.OfAsync(response);
    }

    /// <summary>Whatever is asked of an administration that needs no key.</summary>
    public async Task<Reply> SendAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        using var response = await Http.SendAsync(request);
        return await Reply.OfAsync(response);
    }

    /// <summary>Asks until an answer comes from memory: learning comes after the answer.</summary>
    public async Task<Reply> RecallAsync(JsonObject request, string? key = null)
    {
        for (var i = 0; ; i++)
        {
            var reply = await CompleteAsync(request.DeepClone().AsObject(), key);
            if (i == 600 || (string?)reply.Speedup["stop"] == "recalled")
                return reply;
            await Task.Delay(50);
        }
    }

    /// <summary>Waits until so many episodes are kept.</summary>
    public async Task<IReadOnlyList<JsonObject>> EpisodesAsync(int atLeast, string? adminKey = null, string query = "")
    {
        for (var i = 0; ; i++)
        {
            var found = (await GetAsync("/v1/speedup/memory" + query, adminKey)).Json["episodes"]!.AsArray().Select(e => e!.AsObject()).ToList();
            if (found.Count >= atLeast || i == 600)
                return found;
            await Task.Delay(50);
        }
    }

    public Task StopAsync() => _server.StopAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _server.DisposeAsync();
        if (_ownsStore)
            await _store.DisposeAsync();
    }
}

/// <summary>An answer as it came over the wire.</summary>
internal sealed record Reply(int Status, string Text, string? ContentType, HttpResponseHeaders Headers)
{
    public JsonObject Json => JsonNode.Parse(Text)!.AsObject();

    /// <summary>The answer's text.</summary>
    public string? Content => (string?)Json["choices"]![0]!["message"]!["content"];

    public JsonObject Speedup => Json["speedup"]!.AsObject();

    /// <summary>The events of a stream, without comments.</summary>
    public IReadOnlyList<string> Events => [.. Text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Where(e => e.StartsWith("data: ", StringComparison.Ordinal)).Select(e => e["data: ".Length..])];

    /// <summary>The chunks of a stream, without its end.</summary>
    public IReadOnlyList<JsonObject> Chunks => [.. Events.Where(e => e != "[DONE]").Select(e => JsonNode.Parse(e)!.AsObject())];

    /// <summary>The text of a stream.</summary>
    public string Streamed => string.Concat(Chunks.Select(c => c["choices"] is JsonArray { Count: > 0 } choices ? (string?)choices[0]!["delta"]?["content"] : null));

    /// <summary>Asserts an error in OpenAI's shape.</summary>
    public JsonObject AssertError(int status, string? code = null)
    {
        Assert.Equal(status, Status);
        var error = Json["error"]!.AsObject();
        Assert.NotEmpty((string)error["message"]!);
        Assert.NotEmpty((string)error["type"]!);
        Assert.True(error.ContainsKey("param") && error.ContainsKey("code"));
        if (code is not null)
            Assert.Equal(code, (string?)error["code"]);
        return error;
    }

    public static async Task<Reply> OfAsync(HttpResponseMessage response) =>
        new((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Content.Headers.ContentType?.MediaType, response.Headers);
}
