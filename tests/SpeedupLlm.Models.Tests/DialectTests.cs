using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Testing.Endpoints;
using static SpeedupLlm.Models.Tests.OpenAiChatClientTests;

namespace SpeedupLlm.Models.Tests;

/// <summary>Models that understand less than they are asked (case 14): adapted after the first refusal, remembered, and said.</summary>
public sealed class DialectTests
{
    [Fact]
    public async Task GetResponseAsync_ModelRefusesFields_AreAdaptedOnceAndRemembered()
    {
        await using var endpoint = await FakeEndpoint.StartAsync((request, http) =>
            request.Body.ContainsKey("max_tokens")
                ? http.AnswerAsync(400, FakeAnswers.Error("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", "max_tokens", "unsupported_parameter"))
                : request.Body.ContainsKey("temperature")
                    ? http.AnswerAsync(400, FakeAnswers.Error("Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.", "temperature", "unsupported_value"))
                    : http.AnswerAsync(200, FakeAnswers.Completion("ok")));
        using var client = Client(endpoint);
        var options = new ChatOptions { Temperature = 0, MaxOutputTokens = 5, TopP = 0.5f };

        var response = await client.GetResponseAsync(Hello, options);

        Assert.Equal("ok", response.Text);
        Assert.Equal(["max_completion_tokens instead of max_tokens", "temperature left out"], (IReadOnlyList<string>)response.AdditionalProperties![OpenAiChatClient.AdaptedKey]!);
        Assert.Equal(3, endpoint.Requests.Count);
        var last = endpoint.Requests[2].Body;
        Assert.Equal((5, 0.5), ((int)last["max_completion_tokens"]!, (double)last["top_p"]!));
        await client.GetResponseAsync(Hello, options);
        Assert.Equal(4, endpoint.Requests.Count);
        Assert.Equal(0f, options.Temperature);
    }

    [Theory]
    [InlineData("""{"object":"error","message":"[{'type': 'extra_forbidden', 'loc': ('body', 'top_k'), 'msg': 'Extra inputs are not permitted'}]","code":"400"}""", "top_k")]
    [InlineData("""{"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted"}]}""", "seed")]
    [InlineData("""{"error":"unknown field `stream_options`"}""", "stream_options")]
    [InlineData("""{"error":{"message":"Unrecognized request argument supplied: reasoning_effort"}}""", "reasoning_effort")]
    public async Task GetStreamingResponseAsync_OtherShapesOfErrors_AreUnderstood(string error, string field)
    {
        await using var endpoint = await FakeEndpoint.StartAsync((request, http) => request.Body.ContainsKey(field)
            ? http.AnswerAsync(422, error)
            : http.StreamAsync(FakeAnswers.Chunk("""{"content":"ok"}""", "stop"), FakeAnswers.Done));
        using var client = Client(endpoint);

        var response = await client.GetStreamingResponseAsync(Hello, new() { TopK = 3, Seed = 4, Reasoning = new() { Effort = ReasoningEffort.Low } }).ToChatResponseAsync();

        Assert.Equal("ok", response.Text);
        Assert.Equal([field + " left out"], (IReadOnlyList<string>)response.AdditionalProperties![OpenAiChatClient.AdaptedKey]!);
        Assert.Equal(field != "seed", client.GetService<ModelTraits>()!.Seed);
    }

    [Fact]
    public async Task GetResponseAsync_LogProbsForbidden_AreLeftOutAndSaid()
    {
        await using var endpoint = await FakeEndpoint.StartAsync((request, http) => request.Body.ContainsKey("logprobs") || request.Body.ContainsKey("top_logprobs")
            ? http.AnswerAsync(403, FakeAnswers.Error("You are not allowed to request logprobs from this model"))
            : http.AnswerAsync(200, FakeAnswers.Completion("ok")));
        using var client = Client(endpoint);

        var response = await client.GetResponseAsync(Hello, Options(topLogProbs: 3));

        Assert.Equal(true, response.AdditionalProperties![OpenAiChatClient.LogProbsMissingKey]);
        Assert.False(client.GetService<ModelTraits>()!.LogProbs);
    }

    [Theory]
    [InlineData("temperature must be between 0 and 2", "temperature", null)]
    [InlineData("Unsupported value: 'model' is not supported", "model", "unsupported_value")]
    [InlineData("something else is not supported", null, null)]
    public async Task GetResponseAsync_CallersMistake_IsNotHidden(string message, string? parameter, string? code)
    {
        await using var endpoint = await FakeEndpoint.StartAsync(400, FakeAnswers.Error(message, parameter, code));
        using var client = Client(endpoint);

        var e = await Assert.ThrowsAsync<RequestRefusedException>(() => client.GetResponseAsync(Hello, new() { Temperature = 3 }));

        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.Equal(parameter, e.Parameter);
        Assert.Single(endpoint.Requests);
    }

    [Fact]
    public async Task GetResponseAsync_BothTokenCapsRefused_Ends()
    {
        await using var endpoint = await FakeEndpoint.StartAsync((request, http) =>
            http.AnswerAsync(400, FakeAnswers.Error($"'{request.Body.Single(p => p.Key.StartsWith("max_", StringComparison.Ordinal)).Key}' is not supported")));
        using var client = Client(endpoint);

        await Assert.ThrowsAsync<RequestRefusedException>(() => client.GetResponseAsync(Hello, new() { MaxOutputTokens = 5 }));
        Assert.Equal(2, endpoint.Requests.Count);
    }

    [Fact]
    public async Task GetResponseAsync_ManyAtOnce_LearnTogether()
    {
        await using var endpoint = await FakeEndpoint.StartAsync((request, http) =>
            (new[] { "temperature", "top_p", "top_k" }.FirstOrDefault(request.Body.ContainsKey)) is { } field
                ? http.AnswerAsync(400, FakeAnswers.Error($"'{field}' is not supported", field, "unsupported_parameter"))
                : http.AnswerAsync(200, FakeAnswers.Completion("ok")));
        using var client = Client(endpoint);
        ChatOptions[] options = [new() { Temperature = 1 }, new() { TopP = 1 }, new() { TopK = 1 }];

        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => client.GetResponseAsync(Hello, options[i % 3])));
        var before = endpoint.Requests.Count;
        var all = await client.GetResponseAsync(Hello, new() { Temperature = 1, TopP = 1, TopK = 1 });

        Assert.Equal(before + 1, endpoint.Requests.Count);
        Assert.Equal(3, ((IReadOnlyList<string>)all.AdditionalProperties![OpenAiChatClient.AdaptedKey]!).Count);
    }

    [Theory]
    [InlineData("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1", "max_tokens")]
    [InlineData("http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1", "max_tokens")]
    [InlineData("https://host/api/v3/chat/completions", "https://host/api/v3", "max_tokens")]
    [InlineData("https://api.openai.com/v1", "https://api.openai.com/v1", "max_completion_tokens")]
    public void ParseEndpoint_AsPeopleTypeIt_IsTheRoot(string typed, string expected, string tokenCap)
    {
        var endpoint = OpenAiOptions.ParseEndpoint(typed);
        Assert.Equal(expected, endpoint.AbsoluteUri);
        Assert.Equal(tokenCap, Dialect.For(endpoint).TokenCap);
    }

    [Theory]
    [InlineData("")]
    [InlineData("localhost:8080")]
    [InlineData("ftp://x")]
    public void ParseEndpoint_NoHttpAddress_SaysWhatOneLooksLike(string typed) =>
        Assert.Contains("one looks like http://", Assert.Throws<ArgumentException>(() => OpenAiOptions.ParseEndpoint(typed)).Message, StringComparison.Ordinal);
}
