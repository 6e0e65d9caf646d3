using SpeedupLlm.Experience;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Tenants;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Gateway.Tests;

/// <summary>Rates and budgets that replicas keep together.</summary>
public sealed class TenantLimitTests
{
    private static readonly string Key = ApiKey.New();

    private static Task<Gateway> StartAsync(IExperienceStore store, TimeProvider clock, int? requestsPerMinute = null, decimal? costPerDay = null) => Gateway.OverAsync(
        ScriptedApprentice.Create(1),
        o => o with { Tenants = [new() { Name = "t", Keys = [ApiKey.HashOf(Key)], RequestsPerMinute = requestsPerMinute, CostPerDay = costPerDay }] }, store, clock);

    private static Task<Reply> AskAsync(Gateway gateway, int number) => gateway.CompleteAsync(Gateway.Ask($"What do {number} apples and 2 pears cost?"), Key);

    [Fact]
    public async Task RequestsPerMinute_OfTwoReplicas_AreOneLimit()
    {
        var clock = new FakeTime();
        await using var store = new InMemoryStore();
        await using var one = await StartAsync(store, clock, requestsPerMinute: 120);
        await using var other = await StartAsync(store, clock, requestsPerMinute: 120);
        for (var minute = 0; minute < 2; minute++)
        {
            var replies = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => (i % 2 == 0 ? one : other).GetAsync("/v1/models", Key)));
            Assert.Equal(120, replies.Count(r => r.Status == 200));
            Assert.All(replies.Where(r => r.Status != 200), r => r.AssertError(429, "rate_limit_exceeded"));
            clock.Advance(TimeSpan.FromMinutes(1));
        }
    }

    [Fact]
    public async Task CostPerDay_OfTwoReplicasAndARestart_IsOneBudget()
    {
        var clock = new FakeTime();
        await using var store = new InMemoryStore();
        await using (var one = await StartAsync(store, clock, costPerDay: 1))
        await using (var other = await StartAsync(store, clock, costPerDay: 1))
        {
            Assert.Equal(200, (await AskAsync(one, 1)).Status);
            (await AskAsync(one, 2)).AssertError(429, "insufficient_quota");
            clock.Advance(TimeSpan.FromSeconds(1));
            for (var i = 0; i < 600 && await store.GetAsync(new("t", null, null, "gateway", ""), "account", "limits", CancellationToken.None) is null; i++)
                await Task.Delay(20);
            (await AskAsync(other, 3)).AssertError(429, "insufficient_quota");
        }
        await using var again = await StartAsync(store, clock, costPerDay: 1);
        (await AskAsync(again, 4)).AssertError(429, "insufficient_quota");
        clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(200, (await AskAsync(again, 5)).Status);
    }

    /// <summary>Nothing is stored while the clock stands still: what the day cost is pending when it turns.</summary>
    [Fact]
    public async Task CostPerDay_SpentJustBeforeMidnight_IsNotTheNextDays()
    {
        var clock = new FakeTime(new(2026, 3, 29, 23, 59, 59, 900, TimeSpan.Zero));
        await using var store = new InMemoryStore();
        await using var gateway = await StartAsync(store, clock, costPerDay: 1);
        Assert.Equal(200, (await AskAsync(gateway, 1)).Status);
        (await AskAsync(gateway, 2)).AssertError(429, "insufficient_quota");
        clock.Advance(TimeSpan.FromMilliseconds(200));
        Assert.Equal(200, (await AskAsync(gateway, 3)).Status);
    }

    [Fact]
    public async Task Limits_WhileTheStoreFails_AreKeptByEachReplica()
    {
        var clock = new FakeTime();
        await using var gateway = await StartAsync(new FailingStore(), clock, requestsPerMinute: 3, costPerDay: 1);
        Assert.Equal(200, (await AskAsync(gateway, 1)).Status);
        (await AskAsync(gateway, 2)).AssertError(429, "insufficient_quota");
        Assert.Equal(200, (await gateway.GetAsync("/v1/models", Key)).Status);
        (await gateway.GetAsync("/v1/models", Key)).AssertError(429, "rate_limit_exceeded");
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(200, (await gateway.GetAsync("/v1/models", Key)).Status);
    }

    [Theory]
    [InlineData(0, 7, 9)] // the same minute
    [InlineData(59, 0, 9)] // the next one
    [InlineData(-600, 7, 9)] // a clock that goes back a little
    [InlineData(24 * 3600, 0, 0)] // the next day
    [InlineData(-365 * 24 * 3600, 0, 0)] // one that was far ahead
    public void At_AnotherTime_BeginsAnewWhereItShould(int seconds, int requests, int spent)
    {
        var noon = new DateTimeOffset(2026, 3, 29, 12, 0, 1, TimeSpan.Zero);
        var account = new TenantAccount().At(noon) with { Requests = 7, Spent = 9 };
        var then = account.At(noon.AddSeconds(seconds));
        Assert.Equal((requests, spent), (then.Requests, then.Spent));
    }
}
