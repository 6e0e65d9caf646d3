using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using SpeedupLlm.Testing.Endpoints;

namespace SpeedupLlm.Models.Tests;

/// <summary>What a well-behaved endpoint is asked, and how its answers are read.</summary>
public sealed class OpenAiChatClientTests
{
    private static readonly StreamKey Key = StreamKey.Root(1).Child("test");

    internal static OpenAiChatClient Client(FakeEndpoint endpoint, TimeProvider? time = null, OpenAiOptions? options = null) => new(
        (options ?? new() { Endpoint = endpoint.Address, Model = "m" }) with { Endpoint = endpoint.Address, KeyVariable = options?.KeyVariable ?? "SPEEDUP_TEST_NO_KEY" }, time);

    internal static ChatOptions Options(int? topLogProbs = null, AdapterRef? adapter = null, int draw = 0) => new()
    {
        AdditionalProperties = new() { [CallInfo.Key] = new CallInfo(CallPurpose.Solve, Key, draw, "q", adapter, topLogProbs) },
    };

    internal static readonly ChatMessage[] Hello = [new(ChatRole.System, "be brief"), new(ChatRole.User, "hello")];

    [Fact]
    public async Task GetResponseAsync_Completion_IsReadWhole()
    {
        await using var endpoint = await FakeEndpoint.StartAsync(200, FakeAnswers.Completion("hi 😀", message: "\"reasoning_content\":\"think\"",
            usage: """{"prompt_tokens":70,"completion_tokens":30,"total_tokens":100,"prompt_tokens_details":{"cached_tokens":64},"completion_tokens_details":{"reasoning_tokens":20}}"""));
        using var client = Client(endpoint);

        var response = await client.GetResponseAsync(Hello);

        Assert.Equal("hi 😀", response.Text);
        Assert.Equal("think", Assert.Single(response.Messages[0].Contents.OfType<TextReasoningContent>()).Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.Equal((70, 30, 64, 20), (response.Usage!.InputTokenCount, response.Usage.OutputTokenCount, response.Usage.CachedInputTokenCount, response.Usage.ReasoningTokenCount));
        Assert.Equal(("c-1", "fake-1", 1_700_000_000), (response.ResponseId, response.ModelId, response.CreatedAt!.Value.ToUnixTimeSeconds()));
        Assert.Null(response.AdditionalProperties);
        Assert.Null(endpoint.Requests[0].Authorization);
        Assert.Equal("/v1/chat/completions", endpoint.Requests[0].Path);
    }

    [Fact]
    public async Task GetResponseAsync_ReasoningBesideCompletion_IsCountedAsOutput()
    {
        await using var endpoint = await FakeEndpoint.StartAsync(200, FakeAnswers.Completion("x",
            usage: """{"prompt_tokens":10,"completion_tokens":5,"total_tokens":115,"completion_tokens_details":{"reasoning_tokens":100}}"""));
        using var client = Client(endpoint);

        Assert.Equal(105, (await client.GetResponseAsync(Hello)).Usage!.OutputTokenCount);
    }

    [Fact]
    public async Task GetResponseAsync_NoUsage_IsNullAndNotInvented()
    {
        await using var endpoint = await FakeEndpoint.StartAsync(200, FakeAnswers.Completion("x", usage: "null"));
        using var client = Client(endpoint);

        Assert.Null((await client.GetResponseAsync(Hello)).Usage);
    }

    [Fact]
    public async Task GetResponseAsync_EveryOption_ReachesTheWireAndOursDoNot()
    {
        await using var endpoint = await FakeEndpoint.StartAsync(200, FakeAnswers.Completion("x"));
        using var client = Client(endpoint);
        var options = Options(topLogProbs: 5);
        options.Temperature = 0.7f;
        options.TopP = 0.9f;
        options.TopK = 40;
        options.MaxOutputTokens = 12;
        options.StopSequences = ["\n\n", "END"];
        options.Instructions = "first";
        options.Reasoning = new() { Effort = ReasoningEffort.Low };
        options.ResponseFormat = ChatResponseFormat.Json;
        options.AdditionalProperties!["min_p"] = 0.05;
        options.AdditionalProperties["chat_template_kwargs"] = new Dictionary<string, object?>(StringComparer.Ordinal) { ["enable_thinking"] = false };
        options.AdditionalProperties["speedup.anything"] = "secret";

        await client.GetResponseAsync(Hello, options);

        var body = endpoint.Requests[0].Body;
        Assert.Equal(
            """{"model":"m","messages":[{"role":"system","content":"first"},{"role":"system","content":"be brief"},{"role":"user","content":"hello"}],"stream":false,"temperature":0.7,"top_p":0.9,"top_k":40,"max_tokens":12,"seed":"""
            + (Key.Hi >> 33)
            + ""","stop":["\n\n","END"],"reasoning_effort":"low","logprobs":true,"top_logprobs":5,"response_format":{"type":"json_object"},"min_p":0.05,"chat_template_kwargs":{"enable_thinking":false}}""",
            body.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        Assert.DoesNotContain("speedup", endpoint.Requests[0].Text, StringComparison.Ordinal);
        Assert.Equal(3, options.AdditionalProperties.Count(p => !p.Key.StartsWith(CallInfo.Key, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task GetResponseAsync_RawOptions_AreTheBase()
    {
        await using var endpoint = await FakeEndpoint.StartAsync(200, FakeAnswers.Completion("x"));
        using var client = Client(endpoint);

        await client.GetResponseAsync(Hello, new()
        {
            Temperature = 0.5f,
            RawRepresentationFactory = _ =>
            {
                var raw = new OpenAI.Chat.ChatCompletionOptions { EndUserId = "u", Temperature = 1 };
#pragma warning disable SCME0001 // patching is the official client's way to send fields that it does not know
                raw.Patch.Set("$.top_k"u8, 40);
#pragma warning restore SCME0001
                return raw;
            },
        });

        var body = endpoint.Requests[0].Body;
        Assert.Equal(("u", 0.5, 40), ((string?)body["user"], (double?)body["temperature"], (int?)body["top_k"]));
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData(77L, 77)]
    public async Task GetResponseAsync_Seed_IsTheCallersOrThe31BitsOfTheStream(long? seed, long expected)
    {
        await using var endpoint = await FakeEndpoint.StartAsync(200, FakeAnswers.Completion("x"));
        using var client = Client(endpoint);
        var options = Options();
        options.Seed = seed;

        await client.GetResponseAsync(Hello, options);

        var sent = (long)endpoint.Requests[0].Body["seed"]!;
        Assert.Equal(seed is null ? (long)(Key.Hi >> 33) : expected, sent);
        Assert.InRange(sent, 0, int.MaxValue);
    }

    [Fact]
    public async Task GetResponseAsync_LogProbs_BecomeTokens()
    {
        await using var endpoint = await FakeEndpoint.StartAsync(200, FakeAnswers.Completion("yes", logProbs:
            """{"content":[{"token":"yes","logprob":-0.25,"bytes":[121],"top_logprobs":[{"token":"no","logprob":-1.5},{"token":"yes","logprob":-0.25}]},{"token":"!","logprob":0.0001}]}"""));
        using var client = Client(endpoint);

        var response = await client.GetResponseAsync(Hello, Options(topLogProbs: 2));

        var tokens = Assert.IsAssignableFrom<IReadOnlyList<TokenLogProb>>(response.AdditionalProperties![TokenLogProb.Key]);
        Assert.Equal(["yes", "!"], tokens.Select(t => t.Text));
        Assert.Equal([-0.25, 0], tokens.Select(t => t.LogProb));
        Assert.Equal(["yes", "no"], tokens[0].Top.Select(t => t.Key));
        Assert.False(response.AdditionalProperties.ContainsKey(OpenAiChatClient.LogProbsMissingKey));
        Assert.True(client.GetService<ModelTraits>()!.LogProbs);
    }

    [Fact]
    public async Task GetResponseAsync_LogProbsAskedAndNotGiven_IsSaid()
    {
        await using var endpoint = await FakeEndpoint.StartAsync(200, FakeAnswers.Completion("yes", logProbs: "null"));
        using var client = Client(endpoint);

        var response = await client.GetResponseAsync(Hello, Options(topLogProbs: 2));

        Assert.False(response.AdditionalProperties!.ContainsKey(TokenLogProb.Key));
        Assert.Equal(true, response.AdditionalProperties[OpenAiChatClient.LogProbsMissingKey]);
        Assert.False(client.GetService<ModelTraits>()!.LogProbs);
    }

    [Theory]
    [InlineData("length", "length")]
    [InlineData("content_filter", "content_filter")]
    [InlineData("tool_calls", "tool_calls")]
    [InlineData("weird", "weird")]
    public async Task GetResponseAsync_FinishReason_IsMapped(string wire, string expected)
    {
        await using var endpoint = await FakeEndpoint.StartAsync((request, http) => (bool)request.Body["stream"]!
            ? http.StreamAsync(FakeAnswers.Chunk("""{"content":"cut"}"""), FakeAnswers.Chunk("{}", wire), FakeAnswers.Done)
            : http.AnswerAsync(200, FakeAnswers.Completion("cut", wire)));
        using var client = Client(endpoint);

        Assert.Equal(new ChatFinishReason(expected), (await client.GetResponseAsync(Hello)).FinishReason);
        Assert.Equal(new ChatFinishReason(expected), (await client.GetStreamingResponseAsync(Hello).ToChatResponseAsync()).FinishReason);
    }

    [Fact]
    public async Task GetResponseAsync_UpstreamIgnoresN_OneCallIsOneSample()
    {
        var two = """{"choices":[{"index":1,"finish_reason":"stop","message":{"content":"second"}},{"index":0,"finish_reason":"stop","message":{"content":"first"}}]}""";
        await using var endpoint = await FakeEndpoint.StartAsync(200, two);
        using var client = Client(endpoint);

        Assert.Equal("first", (await client.GetResponseAsync(Hello)).Text);
        Assert.False(endpoint.Requests[0].Body.ContainsKey("n"));
        var e = await Assert.ThrowsAsync<ArgumentException>(() => client.GetResponseAsync(Hello, new() { AdditionalProperties = new() { ["n"] = 3 } }));
        Assert.StartsWith("n is 3, and one call is one sample", e.Message, StringComparison.Ordinal);
        Assert.Single(endpoint.Requests);
        await client.GetResponseAsync(Hello, new() { AdditionalProperties = new() { ["n"] = 1 } });
        Assert.False(endpoint.Requests[1].Body.ContainsKey("n"));
    }

    [Fact]
    public async Task GetResponseAsync_Adapter_IsTheModelsName()
    {
        await using var endpoint = await FakeEndpoint.StartAsync(200, FakeAnswers.Completion("x"));
        using var client = Client(endpoint);
        var fingerprint = client.GetService<ModelTraits>()!.Fingerprint;

        await client.GetResponseAsync(Hello, Options(adapter: new("ft:m:1", fingerprint)));

        Assert.Equal("ft:m:1", (string?)endpoint.Requests[0].Body["model"]);
        await Assert.ThrowsAsync<ArgumentException>(() => client.GetResponseAsync(Hello, Options(adapter: new("ft:m:1", "another model"))));
        Assert.Equal($"openai:{endpoint.Address.Authority}/m", fingerprint);
    }

    [Fact]
    public async Task GetResponseAsync_ToolsAndImages_PassWithoutLoss()
    {
        await using var endpoint = await FakeEndpoint.StartAsync(200, """
            {"choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","content":null,"tool_calls":[{"id":"t1","type":"function","function":{"name":"add","arguments":"{\"a\":1}"}}]}}]}
            """);
        using var client = Client(endpoint);
        var add = AIFunctionFactory.Create((int a) => a + 1, "add", "Adds one.");

        var response = await client.GetResponseAsync(
            [
                new(ChatRole.User, [new TextContent("see"), new DataContent(new byte[] { 1, 2 }, "image/png")]),
                new(ChatRole.Assistant, [new FunctionCallContent("t0", "add", new Dictionary<string, object?>(StringComparer.Ordinal) { ["a"] = 5 })]),
                new(ChatRole.Tool, [new FunctionResultContent("t0", 6)]),
            ], new() { Tools = [add], ToolMode = ChatToolMode.RequireSpecific("add") });

        var call = Assert.Single(response.Messages[0].Contents.OfType<FunctionCallContent>());
        Assert.Equal(("t1", "add", "1"), (call.CallId, call.Name, call.Arguments!["a"]!.ToString()));
        var body = endpoint.Requests[0].Body;
        Assert.Equal("""[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AQI="}}]""", body["messages"]![0]!["content"]!.ToJsonString());
        Assert.Equal("{\"a\":5}", (string?)body["messages"]![1]!["tool_calls"]![0]!["function"]!["arguments"]);
        Assert.Equal("""{"role":"tool","tool_call_id":"t0","content":"6"}""", body["messages"]![2]!.ToJsonString());
        Assert.Equal("add", (string?)body["tools"]![0]!["function"]!["name"]);
        Assert.Equal("add", (string?)body["tool_choice"]!["function"]!["name"]);
        await Assert.ThrowsAsync<NotSupportedException>(() => client.GetResponseAsync([new(ChatRole.User, [new DataContent(new byte[] { 1 }, "video/mp4")])]));
    }

    [Fact]
    public async Task GetStreamingResponseAsync_Stream_AddsUpToTheWholeAnswer()
    {
        await using var endpoint = await FakeEndpoint.StartAsync((_, http) => http.StreamAsync(
            ": comment\n\n",
            FakeAnswers.Chunk("""{"role":"assistant","content":""}"""),
            FakeAnswers.Chunk("""{"reasoning":"hm"}"""),
            FakeAnswers.Chunk("""{"content":"he"}""", logProbs: """{"content":[{"token":"he","logprob":-0.1}]}"""),
            FakeAnswers.Chunk("""{"content":"llo"}""", logProbs: """{"content":[{"token":"llo","logprob":-0.2}]}"""),
            FakeAnswers.Chunk("""{"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{\"x\""}}]}"""),
            FakeAnswers.Chunk("""{"tool_calls":[{"index":0,"function":{"arguments":":2}"}}]}"""),
            FakeAnswers.Chunk("{}", "stop"),
            FakeAnswers.UsageChunk(),
            FakeAnswers.Done));
        using var client = Client(endpoint);

        var updates = await client.GetStreamingResponseAsync(Hello, Options(topLogProbs: 0)).ToListAsync();
        var response = updates.ToChatResponse();

        Assert.Equal(["he", "llo"], updates.Select(u => u.Text).Where(t => t.Length > 0));
        Assert.Equal("hello", response.Text);
        Assert.Equal("hm", Assert.Single(response.Messages[0].Contents.OfType<TextReasoningContent>()).Text);
        Assert.Equal("2", Assert.Single(response.Messages[0].Contents.OfType<FunctionCallContent>()).Arguments!["x"]!.ToString());
        Assert.Equal((7, 3), (response.Usage!.InputTokenCount, response.Usage.OutputTokenCount));
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.Equal(["he", "llo"], ((IReadOnlyList<TokenLogProb>)response.AdditionalProperties![TokenLogProb.Key]!).Select(t => t.Text));
        Assert.Equal("""{"include_usage":true}""", endpoint.Requests[0].Body["stream_options"]!.ToJsonString());
    }

    [Fact]
    public async Task GetStreamingResponseAsync_ServerWithoutStreams_GivesTheWholeAnswer()
    {
        await using var endpoint = await FakeEndpoint.StartAsync(200, FakeAnswers.Completion("all at once"));
        using var client = Client(endpoint);

        var response = await client.GetStreamingResponseAsync(Hello).ToChatResponseAsync();

        Assert.Equal("all at once", response.Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.Equal(3, response.Usage!.OutputTokenCount);
    }

    [Fact]
    public async Task GetStreamingResponseAsync_AnyCutOfTheBytes_GivesTheSameText()
    {
        const string text = "naïve 漢字 😀👩‍👩‍👧 עברית e\u0301";
        var bytes = System.Text.Encoding.UTF8.GetBytes(
            FakeAnswers.Chunk($$"""{"content":"{{text}}"}""") + FakeAnswers.Chunk("{}", "stop").Replace("\n\n", "\r\n\r\n", StringComparison.Ordinal) + FakeAnswers.Done);
        await using var endpoint = await FakeEndpoint.StartAsync((request, http) =>
        {
            var size = (int)request.Body["size"]!;
            return http.StreamAsync(bytes.Chunk(size));
        });
        using var client = Client(endpoint);

        foreach (var size in new[] { 1, 2, 3, 7, 50 })
            Assert.Equal(text, (await client.GetStreamingResponseAsync(Hello, new() { AdditionalProperties = new() { ["size"] = size } }).ToChatResponseAsync()).Text);
    }

    [Fact]
    public async Task GetStreamingResponseAsync_EmojiSplitBetweenChunks_IsJoinedAndEveryUpdateIsValid()
    {
        await using var endpoint = await FakeEndpoint.StartAsync((_, http) => http.StreamAsync(
            FakeAnswers.Chunk("""{"content":"a\ud83d"}"""), FakeAnswers.Chunk("""{"content":"\ude00b\""}"""), FakeAnswers.Chunk("""{"content":"\udead \ud83d"}"""), FakeAnswers.Chunk("{}", "stop"), FakeAnswers.Done));
        using var client = Client(endpoint);

        var updates = await client.GetStreamingResponseAsync(Hello).ToListAsync();

        Assert.Equal("a😀b\"\uFFFD \uFFFD", updates.ToChatResponse().Text);
        var strict = new System.Text.UTF8Encoding(false, throwOnInvalidBytes: true);
        Assert.All(updates, u => strict.GetBytes(u.Text));
    }
}
