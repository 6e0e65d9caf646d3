using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using SpeedupLlm.Testing.Endpoints;
using static SpeedupLlm.Models.Tests.OpenAiChatClientTests;

namespace SpeedupLlm.Models.Tests;

/// <summary>Endpoints that misbehave: each way ends in one clear exception, and nothing is made up.</summary>
public sealed class OpenAiFailureTests
{
    [Theory]
    [InlineData("text/html", "<!DOCTYPE html><html><title>Login</title></html>", "a web page")]
    [InlineData("application/json", "<html>proxy</html>", "a web page")]
    [InlineData("application/json", """{"id":"c","choices":[{"index":0,"message":{"content":"half""", "JSON that is broken or cut short")]
    [InlineData("application/json", "", "nothing")]
    [InlineData("application/json", """{"id":"c","choices":[]}""", "no choices")]
    [InlineData("application/json", """{"id":"c"}""", "no choices")]
    [InlineData("application/json", "[]", "no choices")]
    [InlineData("application/json", "null", "no choices")]
    [InlineData("application/json", """{"choices":"many"}""", "no choices")]
    [InlineData("application/json", """{"choices":[{"index":0}]}""", "no choices")]
    [InlineData("application/json", """{"error":{"message":"the backend\n is on fire","code":502}}""", "an error: the backend is on fire")]
    public async Task GetResponseAsync_200WithoutAnAnswer_IsOneClearLine(string contentType, string body, string expected)
    {
        await using var endpoint = await FakeEndpoint.StartAsync(200, body, contentType);
        using var client = Client(endpoint);

        var plain = await Assert.ThrowsAsync<UpstreamException>(() => client.GetResponseAsync(Hello));
        var streamed = await Assert.ThrowsAsync<UpstreamException>(() => client.GetStreamingResponseAsync(Hello).ToChatResponseAsync());

        Assert.All([plain, streamed], e =>
        {
            Assert.Contains(expected, e.Message, StringComparison.Ordinal);
            Assert.StartsWith($"{endpoint.Address} answered 200 with ", e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', e.Message);
        });
        Assert.Equal(2, endpoint.Requests.Count);
    }

    [Fact]
    public async Task GetResponseAsync_BodyCutByTheNetwork_IsRetriedThenSaid()
    {
        await using var endpoint = await FakeEndpoint.StartAsync(async (request, http) =>
        {
            if (request.Number == 1)
            {
                await http.AnswerAsync(200, FakeAnswers.Completion("whole"));
                return;
            }
            http.Response.ContentLength = 1000;
            await http.AnswerAsync(200, """{"choices":""");
            await http.Response.Body.FlushAsync(http.RequestAborted);
            http.Abort();
        });
        using var client = Client(endpoint, new FakeClock());
        using var hasty = Client(endpoint, null, new() { Endpoint = endpoint.Address, Model = "m", Deadline = TimeSpan.Zero });

        Assert.Equal("whole", (await client.GetResponseAsync(Hello)).Text);
        var e = await Assert.ThrowsAsync<UpstreamException>(() => hasty.GetResponseAsync(Hello));
        Assert.Contains("broke", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GetStreamingResponseAsync_DiesInTheMiddle_ThrowsAndMakesNoStopUp(bool politely)
    {
        var read = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var endpoint = await FakeEndpoint.StartAsync(async (_, http) =>
        {
            await http.StreamAsync(FakeAnswers.Chunk("""{"role":"assistant","content":"half an "}"""));
            await read.Task;
            if (!politely)
                http.Abort();
        });
        using var client = Client(endpoint);
        var seen = new List<ChatResponseUpdate>();

        var e = await Assert.ThrowsAsync<UpstreamException>(async () =>
        {
            await foreach (var update in client.GetStreamingResponseAsync(Hello))
            {
                seen.Add(update);
                read.TrySetResult();
            }
        });

        Assert.Contains("stopped in the middle of the answer", e.Message, StringComparison.Ordinal);
        Assert.Null(Assert.Single(seen).FinishReason);
        Assert.Single(endpoint.Requests);
    }

    [Theory]
    [InlineData("""{"error":{"message":"out of memory"}}""", "out of memory")]
    [InlineData("""{"choices":[{"del""", "is not JSON")]
    public async Task GetStreamingResponseAsync_ErrorOrRubbishInTheMiddle_Throws(string data, string expected)
    {
        await using var endpoint = await FakeEndpoint.StartAsync((_, http) =>
            http.StreamAsync(FakeAnswers.Chunk("""{"content":"half"}"""), $"data: {data}\n\n", FakeAnswers.Chunk("{}", "stop"), FakeAnswers.Done));
        using var client = Client(endpoint);

        var e = await Assert.ThrowsAsync<UpstreamException>(() => client.GetStreamingResponseAsync(Hello).ToChatResponseAsync());

        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("7", 7)]
    [InlineData("0", 0)]
    [InlineData("date", 5)]
    [InlineData("past", 0)]
    public async Task GetResponseAsync_429WithRetryAfter_WaitsThatLongAndGoesOn(string retryAfter, int expected)
    {
        await using var endpoint = await FakeEndpoint.StartAsync((request, http) =>
        {
            if (request.Number > 0)
                return http.AnswerAsync(200, FakeAnswers.Completion("late"));
            // a date counts from the endpoint's own clock, here two years from ours
            var now = new DateTimeOffset(2028, 2, 3, 4, 5, 6, TimeSpan.Zero);
            http.Response.Headers.Date = now.ToString("R");
            http.Response.Headers.RetryAfter = retryAfter switch { "date" => now.AddSeconds(5).ToString("R"), "past" => now.AddHours(-1).ToString("R"), var s => s };
            return http.AnswerAsync(429, FakeAnswers.Error("slow down"));
        });
        var clock = new FakeClock();
        using var client = Client(endpoint, clock);

        Assert.Equal("late", (await client.GetResponseAsync(Hello)).Text);
        Assert.Equal(expected, clock.Waits.Sum(w => w.TotalSeconds));
    }

    [Fact]
    public async Task GetStreamingResponseAsync_429Before_IsRetriedToo()
    {
        await using var endpoint = await FakeEndpoint.StartAsync((request, http) => request.Number == 0
            ? http.AnswerAsync(429, FakeAnswers.Error("slow down"))
            : http.StreamAsync(FakeAnswers.Chunk("""{"content":"late"}""", "stop"), FakeAnswers.Done));
        var clock = new FakeClock();
        using var client = Client(endpoint, clock);

        Assert.Equal("late", (await client.GetStreamingResponseAsync(Hello).ToChatResponseAsync()).Text);
        Assert.InRange(Assert.Single(clock.Waits).TotalSeconds, 0.375, 0.625);
    }

    [Fact]
    public async Task GetResponseAsync_RetryAfterBeyondTheDeadline_IsPassedOnAtOnce()
    {
        await using var endpoint = await FakeEndpoint.StartAsync((_, http) =>
        {
            http.Response.Headers.RetryAfter = "3600";
            return http.AnswerAsync(429, FakeAnswers.Error("slow down"));
        });
        var clock = new FakeClock();
        using var client = Client(endpoint, clock);

        var e = await Assert.ThrowsAsync<RateLimitedException>(() => client.GetResponseAsync(Hello));

        Assert.Equal(TimeSpan.FromHours(1), e.RetryAfter);
        Assert.Equal($"{endpoint.Address} is asked too often (429: slow down), again in 3600 s.", e.Message);
        Assert.Single(endpoint.Requests);
        Assert.Empty(clock.Waits);
    }

    [Fact]
    public async Task GetResponseAsync_EndlessFailures_EndAtTheDeadlineOrTheLastRetry()
    {
        await using var endpoint = await FakeEndpoint.StartAsync(503, "busy", "text/plain");
        var clock = new FakeClock();
        using var patient = Client(endpoint, clock, new() { Endpoint = endpoint.Address, Model = "m", Deadline = TimeSpan.FromSeconds(10), Retries = 100 });
        var e = await Assert.ThrowsAsync<UpstreamException>(() => patient.GetResponseAsync(Hello));
        Assert.Equal((503, $"{endpoint.Address} failed (503: busy)."), (e.Status, e.Message));
        Assert.InRange(clock.Waits.Sum(w => w.TotalSeconds), 4, 10);

        var before = endpoint.Requests.Count;
        using var twice = Client(endpoint, new FakeClock(), new() { Endpoint = endpoint.Address, Model = "m", Retries = 2 });
        await Assert.ThrowsAsync<UpstreamException>(() => twice.GetResponseAsync(Hello));
        Assert.Equal(3, endpoint.Requests.Count - before);

        before = endpoint.Requests.Count;
        using var once = Client(endpoint, new FakeClock(), new() { Endpoint = endpoint.Address, Model = "m", Retries = 0 });
        await Assert.ThrowsAsync<UpstreamException>(() => once.GetResponseAsync(Hello));
        Assert.Equal(1, endpoint.Requests.Count - before);
    }

    [Fact]
    public async Task GetResponseAsync_QuotaUsedUp_IsNotRetried()
    {
        await using var endpoint = await FakeEndpoint.StartAsync(429, FakeAnswers.Error("You exceeded your current quota", code: "insufficient_quota"));
        using var client = Client(endpoint, new FakeClock());

        var e = await Assert.ThrowsAsync<UpstreamException>(() => client.GetResponseAsync(Hello));

        Assert.Contains("quota is used up", e.Message, StringComparison.Ordinal);
        Assert.Single(endpoint.Requests);
    }

    [Fact]
    public async Task GetResponseAsync_SomeOfManyFail_TheOthersCome()
    {
        await using var endpoint = await FakeEndpoint.StartAsync((request, http) => (int)request.Body["seed"]! % 3 == 0
            ? http.AnswerAsync(400, FakeAnswers.Error("no such luck"))
            : http.AnswerAsync(200, FakeAnswers.Completion("ok")));
        using var client = Client(endpoint);

        var answers = await Task.WhenAll(Enumerable.Range(0, 9).Select(async i =>
        {
            try
            {
                return (await client.GetResponseAsync(Hello, new() { Seed = i })).Text;
            }
            catch (RequestRefusedException e)
            {
                return e.Message;
            }
        }));

        var refused = $"{endpoint.Address} refuses the request (400: no such luck).";
        Assert.Equal([refused, "ok", "ok", refused, "ok", "ok", refused, "ok", "ok"], answers);
    }

    [Fact]
    public async Task GetResponseAsync_WrongKey_NamesTheVariableAndNotTheKey()
    {
        const string variable = "SPEEDUP_TEST_WRONG_KEY";
        Environment.SetEnvironmentVariable(variable, "sk-very-secret");
        await using var endpoint = await FakeEndpoint.StartAsync((request, http) =>
            http.AnswerAsync(401, FakeAnswers.Error($"Incorrect API key provided: {request.Authorization}.")));
        using var client = Client(endpoint, null, new() { Endpoint = endpoint.Address, Model = "m", KeyVariable = variable });
        using var keyless = Client(endpoint);

        var e = await Assert.ThrowsAsync<KeyRefusedException>(() => client.GetResponseAsync(Hello));
        Assert.Equal($"{endpoint.Address} refuses the key in {variable} (401: Incorrect API key provided: Bearer (key)): set it to a key of this endpoint.", e.Message);
        Assert.Equal("Bearer sk-very-secret", endpoint.Requests[0].Authorization);
        Assert.Equal(variable, e.Variable);

        e = await Assert.ThrowsAsync<KeyRefusedException>(() => keyless.GetResponseAsync(Hello));
        Assert.Contains("wants a key (401", e.Message, StringComparison.Ordinal);
        Assert.Contains("environment variable SPEEDUP_TEST_NO_KEY is not set", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetResponseAsync_NobodyListens_SaysSoAtOnce()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var authority = listener.LocalEndpoint.ToString();
        listener.Stop();
        using var client = new OpenAiChatClient(new() { Endpoint = OpenAiOptions.ParseEndpoint("http://" + authority), Model = "m" });

        var e = await Assert.ThrowsAsync<EndpointUnreachableException>(() => client.GetResponseAsync(Hello));
        var streamed = await Assert.ThrowsAsync<EndpointUnreachableException>(() => client.GetStreamingResponseAsync(Hello).ToChatResponseAsync());

        Assert.Equal($"Cannot reach http://{authority}/v1: Connection refused. Is the server running, and the address right?", e.Message);
        Assert.Equal(e.Message, streamed.Message);
    }

    [Fact]
    public async Task GetResponseAsync_UnknownModelOrLongPrompt_HasItsOwnException()
    {
        await using var endpoint = await FakeEndpoint.StartAsync((request, http) => (string?)request.Body["model"] == "m"
            ? http.AnswerAsync(400, FakeAnswers.Error("This model's maximum context length is 8 tokens.", "messages", "context_length_exceeded"))
            : http.AnswerAsync(404, FakeAnswers.Error("no such model")));
        using var client = Client(endpoint);

        var e = await Assert.ThrowsAsync<PromptTooLongException>(() => client.GetResponseAsync(Hello));
        Assert.Equal(400, e.Status);
        var refused = await Assert.ThrowsAsync<RequestRefusedException>(() => client.GetResponseAsync(Hello, new() { ModelId = "other" }));
        Assert.Contains("has no model “other”", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetResponseAsync_SilentEndpoint_EndsAfterTheTimeout()
    {
        await using var endpoint = await FakeEndpoint.StartAsync(async (request, http) =>
        {
            if ((bool)request.Body["stream"]!)
                await http.StreamAsync(FakeAnswers.Chunk("""{"content":"half"}"""));
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
        });
        using var client = Client(endpoint, null, new() { Endpoint = endpoint.Address, Model = "m", Timeout = TimeSpan.FromSeconds(1) });

        var plain = await Assert.ThrowsAsync<UpstreamException>(() => client.GetResponseAsync(Hello));
        var streamed = await Assert.ThrowsAsync<UpstreamException>(() => client.GetStreamingResponseAsync(Hello).ToChatResponseAsync());

        Assert.Equal($"{endpoint.Address} was silent for 1 s.", plain.Message);
        Assert.Equal(plain.Message, streamed.Message);
        // on a busy machine a request may time out before it arrives
        await EventuallyAsync(() => endpoint.Aborted == endpoint.Requests.Count);
    }

    [Fact]
    public async Task GetStreamingResponseAsync_SlowStream_MayTakeLongerThanTheTimeout()
    {
        await using var endpoint = await FakeEndpoint.StartAsync(async (_, http) =>
        {
            for (var i = 0; i < 18; i++)
            {
                await http.StreamAsync(FakeAnswers.Chunk("""{"content":"."}"""));
                await Task.Delay(300, http.RequestAborted);
            }
            await http.StreamAsync(FakeAnswers.Chunk("{}", "stop"), FakeAnswers.Done);
        });
        using var client = Client(endpoint, null, new() { Endpoint = endpoint.Address, Model = "m", Timeout = TimeSpan.FromSeconds(5) });

        Assert.Equal(new string('.', 18), (await client.GetStreamingResponseAsync(Hello).ToChatResponseAsync()).Text);
    }

    [Fact]
    public async Task GetResponseAsync_LongErrorPage_IsOneShortLine()
    {
        await using var endpoint = await FakeEndpoint.StartAsync(502, "<html><script>" + new string('<', 2_000_000), "text/html");
        using var client = Client(endpoint, null, new() { Endpoint = endpoint.Address, Model = "m", Retries = 0 });

        var e = await Assert.ThrowsAsync<UpstreamException>(() => client.GetResponseAsync(Hello));

        Assert.InRange(e.Message.Length, 10, 400);
    }

    [Fact]
    public void Constructor_KeyWithStrangeCharacters_IsRefusedWithoutShowingIt()
    {
        const string variable = "SPEEDUP_TEST_STRANGE_KEY";
        Environment.SetEnvironmentVariable(variable, "sk-se\ncret");

        var e = Assert.Throws<ArgumentException>(() => new OpenAiChatClient(new() { Endpoint = new("http://127.0.0.1:1/v1"), Model = "m", KeyVariable = variable }));

        Assert.Contains(variable, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("cret", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task GetResponseAsync_CallerGoesAway_UpstreamIsAborted(bool stream)
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var endpoint = await FakeEndpoint.StartAsync(async (_, http) =>
        {
            if (stream)
                await http.StreamAsync(FakeAnswers.Chunk("""{"content":"half"}"""));
            arrived.SetResult();
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
        });
        using var client = Client(endpoint);
        using var caller = new CancellationTokenSource();

        var call = stream ? client.GetStreamingResponseAsync(Hello, null, caller.Token).ToChatResponseAsync(caller.Token) : client.GetResponseAsync(Hello, null, caller.Token);
        await arrived.Task;
        await caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await UpstreamGoneAsync(endpoint);
    }

    [Fact]
    public async Task GetStreamingResponseAsync_CallerStopsReading_UpstreamIsAborted()
    {
        await using var endpoint = await FakeEndpoint.StartAsync(async (_, http) =>
        {
            await http.StreamAsync(FakeAnswers.Chunk("""{"content":"enough"}"""));
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
        });
        using var client = Client(endpoint);

        await foreach (var update in client.GetStreamingResponseAsync(Hello))
        {
            if (update.Text == "enough")
                break;
        }

        await EventuallyAsync(() => endpoint.Aborted == 1);
    }

    [Fact]
    public async Task GetResponseAsync_CancelledWhileWaiting_DoesNotWaitOn()
    {
        await using var endpoint = await FakeEndpoint.StartAsync((_, http) =>
        {
            http.Response.Headers.RetryAfter = "60";
            return http.AnswerAsync(429, FakeAnswers.Error("slow down"));
        });
        using var client = Client(endpoint);
        using var caller = new CancellationTokenSource();

        var call = client.GetResponseAsync(Hello, null, caller.Token);
        await EventuallyAsync(() => endpoint.Requests.Count == 1, caller.Token);
        await caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    private static Task UpstreamGoneAsync(FakeEndpoint endpoint) => EventuallyAsync(() => endpoint.Aborted == 1);

    private static async Task EventuallyAsync(Func<bool> condition, CancellationToken cancellationToken = default)
    {
        for (var i = 0; i < 500 && !condition(); i++)
            await Task.Delay(20, cancellationToken);
        Assert.True(condition());
    }
}
