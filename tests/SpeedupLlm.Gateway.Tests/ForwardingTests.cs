using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Tests.Mutations;
using SpeedupLlm.Testing.Endpoints;

namespace SpeedupLlm.Gateway.Tests;

public sealed class ForwardingTests
{
    private static GatewayOptions Off(GatewayOptions options) => options with { Mode = ExperienceMode.Off };

    [Fact]
    public async Task ModeOff_AnyRequest_IsForwardedByteForByte()
    {
        const string answer = """{ "id": "x",  "choices": [ {} ], "strange": [1,  2] }""";
        await using var upstream = await FakeEndpoint.StartAsync((request, http) =>
        {
            http.Response.Headers["x-of-upstream"] = "yes";
            return http.AnswerAsync(200, answer);
        });
        await using var gateway = await Gateway.OverAsync(upstream, Off);
        const string asked = """{"model":"m", "messages":[{"role":"user","content":"né\u00e9"}],  "unknown":{"a":[1, 2.50]} }""";

        var reply = await gateway.PostAsync("/v1/chat/completions?x=1", asked, headers: ("X-Custom", "kept"));

        Assert.Equal(answer, reply.Text);
        Assert.Equal("yes", reply.Headers.GetValues("x-of-upstream").Single());
        var got = Assert.Single(upstream.Requests);
        Assert.Equal(asked, got.Text);
        Assert.Equal("/v1/chat/completions?x=1", got.Path);
    }

    [Fact]
    public async Task SpeedupObject_WhenForwarded_IsTakenOutAndNothingElseTouched()
    {
        await using var upstream = await FakeModel.StartAsync();
        await using var gateway = await Gateway.OverAsync(upstream);

        await gateway.PostAsync("/v1/chat/completions", """{"a": 1, "speedup": {"scaling":"off"} ,"model":"m","messages":[]  }""");
        await gateway.PostAsync("/v1/chat/completions", """{"model":"speedup/off/gpt-x","messages":[] , "speedup": {}}""");

        Assert.Equal("""{"a": 1, "model":"m","messages":[]  }""", upstream.Requests[0].Text.Replace("  \"model\"", " \"model\"", StringComparison.Ordinal));
        Assert.Equal("""{"model":"gpt-x","messages":[] }""", upstream.Requests[1].Text);
    }

    [Fact]
    public async Task Headers_OfAnyAlphabet_PassByteForByte()
    {
        string? got = null;
        await using var upstream = await FakeEndpoint.StartAsync((request, http) =>
        {
            got = http.Request.Headers["X-Name"];
            return FakeModel.AnswerAsync(request, http);
        });
        await using var gateway = await Gateway.OverAsync(upstream, Off);
        var body = Gateway.Ask("hi").ToJsonString();

        var answer = await RawExchange.SendAsync(gateway.Address, Raw($"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nX-Name: J\u00c3\u00b6rg\r\nContent-Length: {body.Length}\r\n\r\n{body}"), default);

        // two bytes of UTF-8 over the wire
        Assert.Equal((200, "Jörg"), (answer.Status, got));
    }

    [Theory]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nzz\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n")]
    [InlineData("Content-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhell")]
    public async Task Body_ThatIsFramedWrongly_IsTheCallersFaultAndNotTheUpstreams(string framed)
    {
        await using var upstream = await FakeModel.StartAsync();
        await using var gateway = await Gateway.OverAsync(upstream, Off);

        // more often than an upstream may fail before it is left alone
        for (var i = 0; i < 25; i++)
        {
            var answer = await RawExchange.SendAsync(gateway.Address, Raw("POST /v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n" + framed, Farewell.Ends), default);
            Assert.True(answer.Status is 400 or null, answer.Text);
        }

        Assert.Equal(200, (await gateway.GetAsync("/readyz")).Status);
        Assert.Equal(200, (await gateway.CompleteAsync(Gateway.Ask("hi"))).Status);
    }

    [Theory]
    [InlineData("TRACE")]
    [InlineData("CONNECT")]
    public async Task Methods_ForTheProxyItself_AreNotForwarded(string method)
    {
        await using var upstream = await FakeModel.StartAsync();
        await using var gateway = await Gateway.OverAsync(upstream, Off);
        Assert.InRange((await RawExchange.SendAsync(gateway.Address, Raw($"{method} /v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), default)).Status ?? 0, 400, 499);
        Assert.Empty(upstream.Requests);
    }

    private static MutatedRequest Raw(string request, Farewell farewell = Farewell.Waits) => new(Encoding.Latin1.GetBytes(request), farewell, IsHead: false, IsOfAnotherVersion: false);

    [Fact]
    public async Task Stream_WhenForwarded_GoesOutChunkByChunk()
    {
        var second = new TaskCompletionSource();
        await using var upstream = await FakeEndpoint.StartAsync(async (_, http) =>
        {
            await http.StreamAsync(FakeAnswers.Chunk("""{"content":"one"}"""));
            await second.Task;
            await http.StreamAsync(FakeAnswers.Chunk("{}", "stop"), FakeAnswers.Done);
        });
        await using var gateway = await Gateway.OverAsync(upstream, Off);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(Gateway.Ask("hi").ToJsonString(), Encoding.UTF8, "application/json") };

        using var response = await gateway.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var first = await reader.ReadLineAsync();
        second.SetResult();
        var rest = await reader.ReadToEndAsync();

        Assert.Contains("one", first, StringComparison.Ordinal);
        Assert.EndsWith(FakeAnswers.Done, rest, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/embeddings", """{"model":"m","input":"x"}""")]
    [InlineData("/v1/responses", """{"model":"m","input":"x","stream":false}""")]
    [InlineData("/v1/audio/speech", """{"model":"m","input":"x"}""")]
    public async Task OtherOperations_AreForwarded(string path, string body)
    {
        await using var upstream = await FakeEndpoint.StartAsync(200, """{"ok":true}""");
        await using var gateway = await Gateway.OverAsync(upstream);
        Assert.Equal("""{"ok":true}""", (await gateway.PostAsync(path, body)).Text);
        Assert.Equal((path, body), (upstream.Requests[0].Path, upstream.Requests[0].Text));
    }

    [Fact]
    public async Task Models_OfSeveralUpstreams_AreRoutedByName()
    {
        await using var one = await FakeEndpoint.StartAsync(200, FakeAnswers.Completion("one"));
        await using var two = await FakeEndpoint.StartAsync(200, FakeAnswers.Completion("two"));
        await using var gateway = await Gateway.StartAsync(
            new() { Mode = ExperienceMode.Off, Upstreams = [new() { Name = "one", Url = one.Address, Models = ["a", "b"] }, new() { Name = "two", Url = two.Address, Models = ["c"] }] }, null, null, null, null);

        Assert.Equal("two", (await gateway.CompleteAsync(Gateway.Ask("?", "c"))).Content);
        Assert.Equal("one", (await gateway.CompleteAsync(Gateway.Ask("?", "b"))).Content);
        (await gateway.CompleteAsync(Gateway.Ask("?", "d"))).AssertError(404, "model_not_found");
        Assert.Equal(["a", "b", "c"], (await gateway.GetAsync("/v1/models")).Json["data"]!.AsArray().Select(m => (string?)m!["id"]));
    }

    [Fact]
    public async Task Key_OfTheUpstream_ComesFromTheEnvironmentAndReplacesTheCallers()
    {
        await using var upstream = await FakeModel.StartAsync();
        await using var gateway = await Gateway.OverAsync(upstream, o => Off(o) with { Upstreams = [o.Upstreams[0] with { KeyVariable = "FAKE_KEY" }] });
        await gateway.CompleteAsync(Gateway.Ask("?"), "callers-own");
        Assert.Equal("Bearer upstream-key", upstream.Requests[0].Authorization);
    }

    [Fact]
    public async Task Key_OfTheCaller_IsPassedOnWhereThereAreNoOthers()
    {
        await using var upstream = await FakeModel.StartAsync();
        await using var gateway = await Gateway.OverAsync(upstream, Off);
        await gateway.CompleteAsync(Gateway.Ask("?"), "callers-own");
        Assert.Equal("Bearer callers-own", upstream.Requests[0].Authorization);
    }

    [Theory]
    [InlineData(ExperienceMode.Off, "gzip")]
    [InlineData(ExperienceMode.Observe, "")]
    public async Task Compression_IsAskedForOnlyWhereNobodyListens(ExperienceMode mode, string passed)
    {
        string? asked = null;
        await using var upstream = await FakeEndpoint.StartAsync((request, http) =>
        {
            asked ??= http.Request.Headers.AcceptEncoding.ToString();
            return FakeModel.AnswerAsync(request, http);
        });
        await using var gateway = await Gateway.OverAsync(upstream, o => o with { Mode = mode });
        await gateway.CompleteAsync(Gateway.Ask("?"), null, ("Accept-Encoding", "gzip"));
        Assert.Equal(passed, asked);
    }

    [Fact]
    public async Task Upstream_ThatIsDown_IsStoodInFor()
    {
        await using var down = await FakeEndpoint.StartAsync(503, FakeAnswers.Error("no"));
        await using var up = await FakeModel.StartAsync();
        await using var gateway = await Gateway.StartAsync(
            new()
            {
                Mode = ExperienceMode.Off,
                Upstreams = [new() { Name = "gone", Url = new("http://127.0.0.1:1/v1") }, new() { Name = "down", Url = down.Address }, new() { Name = "up", Url = up.Address }],
            }, null, null, null, null);

        Assert.Equal(FakeModel.Text, (await gateway.CompleteAsync(Gateway.Ask("?"))).Content);
        Assert.Single(down.Requests);
    }

    [Fact]
    public async Task CircuitBreaker_OpenedByTreatedQuestions_SparesTheUpstreamForwardedOnesToo()
    {
        await using var down = await FakeEndpoint.StartAsync(503, FakeAnswers.Error("no"));
        await using var gateway = await Gateway.OverAsync(down);
        // eight attempts a question, and twenty failures open it
        for (var i = 0; i < 4; i++)
            (await gateway.CompleteAsync(Gateway.Ask($"What do {i} apples and 2 pears cost?"))).AssertError(i < 3 ? 502 : 503, "upstream_failed");
        var asked = down.Requests.Count;

        var forwarded = await gateway.CompleteAsync(Gateway.Ask("?", "speedup/off/m"));
        forwarded.AssertError(503, "upstream_failed");
        Assert.InRange(int.Parse(forwarded.Headers.GetValues("Retry-After").Single(), System.Globalization.CultureInfo.InvariantCulture), 1, 5);
        (await gateway.CompleteAsync(Gateway.Ask("What do 7 nuts cost?"))).AssertError(503);
        Assert.Equal(503, (await gateway.GetAsync("/readyz")).Status);
        Assert.Equal(asked, down.Requests.Count);
    }

    [Fact]
    public async Task CircuitBreaker_OpenedByForwardedRequests_SendsTreatedQuestionsToTheNextUpstream()
    {
        await using var down = await FakeEndpoint.StartAsync(503, FakeAnswers.Error("no"));
        await using var up = await FakeModel.StartAsync();
        await using var gateway = await Gateway.StartAsync(
            new() { Upstreams = [new() { Name = "down", Url = down.Address }, new() { Name = "up", Url = up.Address }] }, null, null, null, null);
        for (var i = 0; i < 25; i++)
            Assert.Equal(200, (await gateway.CompleteAsync(Gateway.Ask("?", "speedup/off/m"))).Status);
        var asked = down.Requests.Count;
        Assert.InRange(asked, 20, 24);

        Assert.Equal(FakeModel.Text, (await gateway.CompleteAsync(Gateway.Ask("What do 7 nuts cost?"))).Content);
        Assert.Equal(asked, down.Requests.Count);
    }

    [Fact]
    public async Task CircuitBreaker_OfAKeyThatIsRefused_StaysClosed()
    {
        await using var upstream = await FakeEndpoint.StartAsync((request, http) =>
            request.Authorization is null ? http.AnswerAsync(401, FakeAnswers.Error("no key")) : FakeModel.AnswerAsync(request, http));
        await using var gateway = await Gateway.OverAsync(upstream);
        for (var i = 0; i < 4; i++)
            (await gateway.CompleteAsync(Gateway.Ask($"What do {i} apples and 2 pears cost?"))).AssertError(502);

        // without tenants the caller's own key is passed on
        Assert.Equal(FakeModel.Text, (await gateway.CompleteAsync(Gateway.Ask("?", "speedup/off/m"), "callers-key")).Content);
    }

    [Fact]
    public async Task Treated_TooManyRequests_IsWaitedForAndAnsweredByTheNextUpstream()
    {
        await using var busy = await FakeEndpoint.StartAsync((request, http) =>
        {
            http.Response.Headers.RetryAfter = "1";
            return http.AnswerAsync(429, FakeAnswers.Error("slow down"));
        });
        await using var late = await FakeEndpoint.StartAsync((request, http) =>
        {
            http.Response.Headers.RetryAfter = "1";
            return request.Number == 0 ? http.AnswerAsync(429, FakeAnswers.Error("slow down")) : FakeModel.AnswerAsync(request, http);
        });
        await using var gateway = await Gateway.StartAsync(
            new() { Upstreams = [new() { Name = "busy", Url = busy.Address }, new() { Name = "late", Url = late.Address }] }, null, null, null, null);

        var reply = await gateway.CompleteAsync(Gateway.Ask("What do 7 nuts cost?"));

        Assert.Equal((FakeModel.Text, 0), (reply.Content, (int)reply.Speedup["failures"]!));
    }
}
