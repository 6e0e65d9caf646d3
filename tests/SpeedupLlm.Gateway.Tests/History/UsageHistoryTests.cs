using Microsoft.Extensions.Logging.Abstractions;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Gateway.History;
using SpeedupLlm.Gateway.Telemetry;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Gateway.Tests.History;

public sealed class UsageHistoryTests : IAsyncDisposable
{
    private readonly InMemoryStore _store = new();
    private readonly FakeTime _clock = new();
    private readonly GatewayMetrics _metrics = new();

    public async ValueTask DisposeAsync()
    {
        _metrics.Dispose();
        await _store.DisposeAsync();
    }

    private UsageHistory Open(IExperienceStore? store = null) => new(new(store ?? _store, _clock), _clock, NullLogger<UsageHistory>.Instance);

    private void Ask(UsageHistory history, string way, double milliseconds, Spent? spent = null, int status = 200)
    {
        using var request = _metrics.Begin("chat", _clock);
        (request.Way, request.Status, request.Spent) = (way, status, spent);
        _clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
        history.Ended("t", request);
    }

    private static Spent Experienced(string recalled = "nothing") =>
        new(10, 5, [("solve", 30m), ("score", 12m)], recalled, "S3") { IsExperienced = true, Memory = "auto", Attempts = 2 };

    private async Task<UsageHour> SumAsync(UsageHistory history, int days = 100)
    {
        var sum = new UsageHour { At = default };
        foreach (var hour in await history.ReadAsync("t", _clock.GetUtcNow().AddDays(-days), CancellationToken.None))
            sum.Add(hour);
        return sum;
    }

    [Fact]
    public async Task Read_AfterARestart_SaysTheSame()
    {
        await using (var before = Open())
        {
            Ask(before, RequestTelemetry.Treated, 500, Experienced());
            Ask(before, RequestTelemetry.Treated, 2, Experienced("answer"));
            Ask(before, RequestTelemetry.Forwarded, 250);
            Ask(before, RequestTelemetry.Refused, 1, status: 429);
            new Savings(before.Booked).Add("t", true, 0.9, 42);
            _clock.Advance(TimeSpan.FromHours(30));
            Ask(before, RequestTelemetry.Forwarded, 250);
        }
        await using var after = Open();
        var sum = await SumAsync(after);
        Assert.Equal((1, 1, 2, 1), (sum.Requests["searched"], sum.Requests["from memory"], sum.Requests["forwarded"], sum.Failed));
        Assert.Equal((60m, 24m), (sum.Cost["solve"], sum.Cost["score"]));
        Assert.Equal((1, 1), (sum.Recalled["auto/S3/nothing"], sum.Recalled["auto/S3/answer"]));
        Assert.Equal((1, 42.0), (sum.Ledger.DrawnExperienced.Count, sum.Ledger.DrawnExperienced.Mean));
        Assert.Equal(2, (await after.ReadAsync("t", _clock.GetUtcNow().AddDays(-7), CancellationToken.None)).Count);
        Assert.Equal(1, (await SumAsync(after, days: 1)).Requests.Values.Sum());
    }

    /// <summary>What is stored and what is not yet are never counted twice, nor missed.</summary>
    [Fact]
    public async Task Read_WhileItIsStored_CountsEachOnce()
    {
        await using var history = Open();
        for (var i = 1; i <= 50; i++)
        {
            Ask(history, RequestTelemetry.Forwarded, 10);
            if (i % 7 == 0)
                await history.FlushAsync(CancellationToken.None);
            Assert.Equal(i, (await SumAsync(history)).Requests["forwarded"]);
        }
    }

    [Fact]
    public async Task Flush_OfTwoReplicas_AddsUp()
    {
        await using var one = Open();
        await using var other = Open();
        for (var i = 0; i < 20; i++)
        {
            Ask(one, RequestTelemetry.Forwarded, 1);
            Ask(other, RequestTelemetry.Forwarded, 1);
            await Task.WhenAll(Task.Run(() => one.FlushAsync(CancellationToken.None)), Task.Run(() => other.FlushAsync(CancellationToken.None)));
        }
        await one.FlushAsync(CancellationToken.None);
        await other.FlushAsync(CancellationToken.None);
        await using var third = Open();
        Assert.Equal(40, (await SumAsync(third)).Requests["forwarded"]);
    }

    [Fact]
    public async Task Store_OverYears_DoesNotGrow()
    {
        await using var history = Open();
        for (var day = 0; day < 3 * UsageStore.Days; day++)
        {
            Ask(history, RequestTelemetry.Forwarded, 1);
            await history.FlushAsync(CancellationToken.None);
            _clock.Advance(TimeSpan.FromDays(1));
        }
        Assert.Equal(UsageStore.Days, (await _store.CheckAsync(CancellationToken.None)).Documents);
        Assert.Equal(90, (await SumAsync(history, days: 90)).Requests["forwarded"]);
    }

    [Fact]
    public async Task Memory_OfRequestsWithoutEnd_DoesNotGrow()
    {
        await using var history = Open(new FailingStore { Failure = new IOException("disk full") });
        for (var hour = 0; hour < 200; hour++)
        {
            Ask(history, RequestTelemetry.Forwarded, 1);
            await history.FlushAsync(CancellationToken.None);
            _clock.Advance(TimeSpan.FromHours(1));
        }
        Assert.Equal(TenantUsage.Shown, history.Last("t").Count);
        Assert.Equal(200, history.Last("t")[0].Number);
        var usage = new TenantUsage();
        for (var hour = 0; hour < 200; hour++)
        {
            usage.Add(_clock.GetUtcNow().AddHours(hour), Ledger.Empty);
            usage.Return(usage.Take());
        }
        Assert.InRange(usage.Pending().Count, 1, 48);
    }

    [Fact]
    public async Task Store_WhenTheClockGoesBack_KeepsWhatIsNewer()
    {
        var store = new UsageStore(_store, _clock);
        var day = new DateOnly(2026, 6, 1);
        UsageHour Hour(DateOnly of) => new() { At = new(of, TimeOnly.MinValue, TimeSpan.Zero), Failed = 1 };
        await store.AddAsync("t", day, [Hour(day)], CancellationToken.None);
        var before = day.AddDays(-UsageStore.Days);
        Assert.Null(await store.AddAsync("t", before, [Hour(before)], CancellationToken.None));
        Assert.Equal(1, (await store.ReadAsync("t", day, CancellationToken.None))!.Hours.Single().Failed);
        Assert.Null(await store.ReadAsync("t", before, CancellationToken.None));
    }

    [Fact]
    public void Durations_QuantilesOfManySizes_AreOffByAtMostATenth()
    {
        for (var milliseconds = 1.0; milliseconds < 1e6; milliseconds *= 1.37)
        {
            var classes = new Dictionary<string, long>(StringComparer.Ordinal) { [Durations.ClassOf(TimeSpan.FromMilliseconds(milliseconds))] = 3 };
            Assert.InRange(Durations.Quantile(classes, 0.5)!.Value.TotalMilliseconds / milliseconds, 0.9, 1.1);
        }
        var mixed = new Dictionary<string, long>(StringComparer.Ordinal) { [Durations.ClassOf(TimeSpan.FromMilliseconds(10))] = 94, [Durations.ClassOf(TimeSpan.FromSeconds(2))] = 6 };
        Assert.InRange(Durations.Quantile(mixed, 0.5)!.Value.TotalMilliseconds, 9, 11);
        Assert.InRange(Durations.Quantile(mixed, 0.95)!.Value.TotalMilliseconds, 1800, 2200);
        Assert.Null(Durations.Quantile(new Dictionary<string, long>(), 0.5));
    }
}
