using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Tenants;
using SpeedupLlm.Testing;
using SpeedupLlm.Testing.Endpoints;

namespace SpeedupLlm.Gateway.Tests;

public sealed class AccessTests
{
    private const string Question = "How much are 40 and 2?";
    private static readonly string Key = ApiKey.New(), AdminKey = ApiKey.New();

    private static GatewayOptions WithKeys(GatewayOptions options) => options with
    {
        Tenants = [new() { Name = "t", Keys = [ApiKey.HashOf(Key)] }],
        AdminKey = ApiKey.HashOf(AdminKey),
    };

    [Theory]
    [InlineData(null)]
    [InlineData("sk-wrong")]
    public async Task Request_WithoutAKnownKey_IsRefused(string? key)
    {
        await using var gateway = await Gateway.OverAsync(ScriptedApprentice.Create(1), WithKeys);
        (await gateway.CompleteAsync(Gateway.Ask(Question), key)).AssertError(401, "invalid_api_key");
        (await gateway.GetAsync("/v1/speedup/memory", key)).AssertError(401);
        (await gateway.GetAsync("/metrics", key)).AssertError(401);
        Assert.Equal(200, (await gateway.GetAsync("/healthz", key)).Status);
    }

    [Fact]
    public async Task Keys_OfTenantAndAdmin_OpenOnlyTheirOwn()
    {
        await using var gateway = await Gateway.OverAsync(ScriptedApprentice.Create(1), WithKeys);
        Assert.Equal(200, (await gateway.CompleteAsync(Gateway.Ask(Question), Key)).Status);
        Assert.Equal(200, (await gateway.GetAsync("/v1/speedup/memory", AdminKey)).Status);
        (await gateway.GetAsync("/v1/speedup/memory", Key)).AssertError(403);
        (await gateway.CompleteAsync(Gateway.Ask(Question), AdminKey)).AssertError(403);
    }

    [Fact]
    public async Task TenantsKey_IsNeverSentUpstream()
    {
        await using var upstream = await FakeModel.StartAsync();
        await using var gateway = await Gateway.OverAsync(upstream, o => WithKeys(o) with { Mode = ExperienceMode.Off });
        Assert.Equal(200, (await gateway.CompleteAsync(Gateway.Ask(Question), Key)).Status);
        Assert.Null(upstream.Requests.Single().Authorization);
    }

    [Theory]
    [InlineData("Host", "evil.example")]
    [InlineData("Origin", "https://evil.example")]
    public async Task WebPages_WithoutKeys_MayNotAsk(string header, string value)
    {
        await using var gateway = await Gateway.OverAsync(ScriptedApprentice.Create(1));
        (await gateway.CompleteAsync(Gateway.Ask(Question), null, (header, value))).AssertError(403, "loopback_only");
    }

    [Fact]
    public async Task Start_BeyondThisMachineWithoutKeys_IsRefused()
    {
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => Gateway.OverAsync(ScriptedApprentice.Create(1), o => o with { Urls = ["http://0.0.0.0:0"] }));
        Assert.Contains("no keys", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RequestsPerMinute_BeyondTheTenantsLimit_Are429()
    {
        await using var gateway = await Gateway.OverAsync(ScriptedApprentice.Create(1), o => o with { Tenants = [new() { Name = "t", Keys = [ApiKey.HashOf(Key)], RequestsPerMinute = 2 }] }, clock: new FakeTime());
        await gateway.GetAsync("/v1/models", Key);
        await gateway.GetAsync("/v1/models", Key);
        var refused = await gateway.GetAsync("/v1/models", Key);
        refused.AssertError(429, "rate_limit_exceeded");
        Assert.True(int.Parse(refused.Headers.GetValues("Retry-After").Single()) is >= 0 and <= 60);
    }

    [Fact]
    public async Task CostPerDay_WhenSpent_StopsTreatedRequests()
    {
        await using var upstream = await FakeModel.StartAsync();
        await using var gateway = await Gateway.OverAsync(upstream, o => o with { Tenants = [new() { Name = "t", Keys = [ApiKey.HashOf(Key)], CostPerDay = 1 }] });
        Assert.Equal(200, (await gateway.CompleteAsync(Gateway.Ask(Question), Key)).Status);
        (await gateway.CompleteAsync(Gateway.Ask("How much are 3 and 4?"), Key)).AssertError(429, "insufficient_quota");
    }

    [Fact]
    public async Task Requests_BeyondQueue_Are429AndTheOthersAnswered()
    {
        var gate = new TaskCompletionSource();
        await using var upstream = await FakeEndpoint.StartAsync(async (request, http) =>
        {
            await gate.Task;
            await FakeModel.AnswerAsync(request, http);
        });
        await using var gateway = await Gateway.OverAsync(upstream, o => o with { Mode = ExperienceMode.Off, Limits = o.Limits with { Concurrent = 1, Queue = 1 } });

        var calls = Enumerable.Range(0, 5).Select(_ => gateway.CompleteAsync(Gateway.Ask(Question))).ToList();
        while (calls.Count(c => c.IsCompleted) < 3)
            await Task.Delay(20);
        gate.SetResult();
        var replies = await Task.WhenAll(calls);

        Assert.Equal(2, replies.Count(r => r.Status == 200));
        Assert.All(replies.Where(r => r.Status != 200), r => r.AssertError(429));
    }

    [Fact]
    public async Task Request_LongerThanTheLimit_Is413()
    {
        await using var gateway = await Gateway.OverAsync(ScriptedApprentice.Create(1), o => o with { Limits = o.Limits with { RequestBytes = 1000 } });
        (await gateway.CompleteAsync(Gateway.Ask(new string('x', 2000)))).AssertError(413, "request_too_large");
    }

    [Fact]
    public async Task Stop_WhileARequestRuns_FinishesIt()
    {
        var gate = new TaskCompletionSource();
        var arrived = new TaskCompletionSource();
        await using var upstream = await FakeEndpoint.StartAsync(async (request, http) =>
        {
            arrived.TrySetResult();
            await gate.Task;
            await FakeModel.AnswerAsync(request, http);
        });
        await using var gateway = await Gateway.OverAsync(upstream, o => o with { Mode = ExperienceMode.Off });

        var running = gateway.CompleteAsync(Gateway.Ask(Question));
        await arrived.Task;
        var stopping = gateway.StopAsync();
        gate.SetResult();

        Assert.Equal(200, (await running).Status);
        await stopping;
        using var after = new StringContent(Gateway.Ask(Question).ToJsonString(), Encoding.UTF8, "application/json");
        await Assert.ThrowsAsync<HttpRequestException>(() => gateway.Http.PostAsync("/v1/chat/completions", after));
    }
}
