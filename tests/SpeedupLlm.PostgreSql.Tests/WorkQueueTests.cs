using System.Text;
using SpeedupLlm.Experience;

namespace SpeedupLlm.PostgreSql.Tests;

public sealed class WorkQueueTests
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task LeaseAsync_HolderIsKilled_IsTakenOverAfterItsTimeAndNotBefore()
    {
        var (address, store) = await OpenAsync();
        await using var _ = store;
        using var child = ChildProcess.Start("lease", address, "learning", "4");
        Assert.Equal("held", await child.LineAsync());
        child.Kill();
        await child.WaitForExitAsync();
        var until = await UntilOfAsync(address, "learning");
        WorkLease? taken;
        while ((taken = await store.Work.LeaseAsync("learning", "heir", Long, None)) is null)
            await Task.Delay(100);
        // by the database's clock: this machine's is not asked
        Assert.True((DateTime)(await PostgresServer.AtAsync(address, "SELECT clock_timestamp()"))! > until);
        Assert.Equal(("heir", 2L, 2), (taken.Holder, taken.Token, taken.Attempts));
    }

    [Fact]
    public async Task TakeTurnAsync_TwoReplicas_OneAfterAnother()
    {
        var (address, one) = await OpenAsync();
        await using var _ = one;
        await using var other = await PostgreSqlStore.OpenAsync(address, null, None);
        var scope = new Scope("t\0", "u\ud800", null, "m", "p");
        var (inside, most) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(async () =>
        {
            await using var turn = await (i % 2 == 0 ? one : other).TakeTurnAsync(scope, "adapter", None);
            most = Math.Max(most, Interlocked.Increment(ref inside));
            await Task.Delay(20);
            Interlocked.Decrement(ref inside);
        })));
        Assert.Equal(1, most);
    }

    [Fact]
    public async Task LeaseAsync_ManyAtOnce_OneGetsIt()
    {
        var (_, store) = await OpenAsync();
        await using var __ = store;
        var leases = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(async () => await store.Work.LeaseAsync("once", $"replica {i}", Long, None))));
        var held = Assert.Single(leases, l => l is not null)!;
        Assert.Null(await store.Work.LeaseAsync("once", held.Holder, Long, None));
        Assert.NotNull(await store.Work.LeaseAsync("another", "replica 0", Long, None));
        var renewed = await store.Work.RenewAsync(held, 2 * Long, None);
        Assert.True(renewed!.Until > held.Until.AddMinutes(5));
        Assert.True(await store.Work.ReleaseAsync(held, None));
        Assert.Null(await store.Work.RenewAsync(held, Long, None));
        Assert.NotNull(await store.Work.LeaseAsync("once", "next", Long, None));
    }

    [Fact]
    public async Task RenewAsync_LostToAnother_IsRefused()
    {
        var (address, store) = await OpenAsync();
        await using var _ = store;
        var slow = await store.Work.LeaseAsync("learning", "slow", Long, None);
        await PostgresServer.AtAsync(address, "UPDATE speedup.work SET until = clock_timestamp() - interval '1 second'");
        var heir = await store.Work.LeaseAsync("learning", "heir", Long, None);
        Assert.Null(await store.Work.RenewAsync(slow!, Long, None));
        Assert.False(await store.Work.ReleaseAsync(slow!, None));
        Assert.False(await store.Work.CompleteAsync(slow!, default, None));
        Assert.NotNull(await store.Work.RenewAsync(heir!, Long, None));
    }

    [Fact]
    public async Task TakeAsync_ThreeProcessesAndOneIsKilled_DoesEveryPieceOnce()
    {
        var (address, store) = await OpenAsync();
        await using var _ = store;
        for (var i = 0; i < 90; i++)
            Assert.True(await store.Work.AddAsync("lifelines", $"group {i}", Encoding.UTF8.GetBytes($"payload {i}"), None));
        Assert.False(await store.Work.AddAsync("lifelines", "group 5", default, None));
        using var killed = ChildProcess.Start("work", address, "lifelines", "killed");
        var done = new List<string> { await killed.LineAsync(), await killed.LineAsync() };
        using var one = ChildProcess.Start("work", address, "lifelines", "one");
        using var two = ChildProcess.Start("work", address, "lifelines", "two");
        killed.Kill();
        done.AddRange((await killed.StandardOutput.ReadToEndAsync()).Split('\n')[..^1]);
        done.AddRange((await Task.WhenAll(one.LinesAsync(), two.LinesAsync())).SelectMany(lines => lines));
        // what the killed one completed and did not come to print is done as well
        Assert.Equal(done.Count, done.Distinct().Count());
        Assert.InRange(done.Count, 89, 90);
        Assert.Equal(new(0, 0, 90), await store.Work.CountAsync("lifelines", None));
        var state = await store.Work.FindAsync("lifelines", "group 7", None);
        Assert.Equal("payload 7", Encoding.UTF8.GetString(state!.Result.Span));
        Assert.NotNull(state.Done);
        Assert.Equal(90, await store.Work.RemoveAsync("lifelines", None));
    }

    [Fact]
    public async Task TakeAsync_WorkThatKillsItsHolders_IsLeftAfterSoManyAttempts()
    {
        var (address, store) = await OpenAsync();
        await using var _ = store;
        await store.Work.AddAsync("q", "deadly", default, None);
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            Assert.Equal(attempt, (await store.Work.TakeAsync("q", "holder", Long, 3, None))!.Attempts);
            Assert.Null(await store.Work.TakeAsync("q", "holder", Long, 3, None));
            await PostgresServer.AtAsync(address, "UPDATE speedup.work SET until = clock_timestamp() - interval '1 second'");
        }
        Assert.Null(await store.Work.TakeAsync("q", "holder", Long, 3, None));
        Assert.Equal(new(1, 0, 0), await store.Work.CountAsync("q", None));
        Assert.Equal(3, (await store.Work.FindAsync("q", "deadly", None))!.Attempts);
    }

    [Fact]
    public async Task AddAsync_ManyAtOnce_KeepsTheirOrderAndWhatIsThere()
    {
        var (_, store) = await OpenAsync();
        await using var __ = store;
        var names = Enumerable.Range(0, 300).Select(i => $"piece {i * 7 % 300}").ToList();
        Assert.True(await store.Work.AddAsync("q", names[5], new byte[] { 9 }, None));
        var fresh = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () => await store.Work.AddAsync("q", names, None))));
        Assert.Equal(299, fresh.Sum());
        Assert.Equal([9], (await store.Work.FindAsync("q", names[5], None))!.Payload.ToArray());
        var taken = new List<string>();
        while (await store.Work.TakeAsync("q", "holder", Long, 1, None) is { } lease)
        {
            taken.Add(lease.Name);
            if (taken.Count % 2 == 0)
                Assert.True(await store.Work.CompleteAsync(lease, Encoding.UTF8.GetBytes(lease.Name), None));
        }
        Assert.Equal([names[5], .. names.Where(name => name != names[5])], taken);
        var results = await store.Work.ResultsAsync("q", None);
        Assert.Equal(taken.Where((_, i) => i % 2 == 1), results.Select(r => r.Name));
        Assert.All(results, r => Assert.Equal(r.Name, Encoding.UTF8.GetString(r.Result.Span)));
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.Work.AddAsync("q", ["good", ""], None));
    }

    [Fact]
    public async Task CompleteAsync_ToldTwice_KeepsTheFirstResult()
    {
        var (_, store) = await OpenAsync();
        await using var __ = store;
        await store.Work.AddAsync("q", "piece", default, None);
        var lease = await store.Work.TakeAsync("q", "holder", Long, 9, None);
        Assert.True(await store.Work.CompleteAsync(lease!, new byte[] { 1 }, None));
        Assert.True(await store.Work.CompleteAsync(lease!, new byte[] { 2 }, None));
        Assert.Equal([1], (await store.Work.FindAsync("q", "piece", None))!.Result.ToArray());
        Assert.Null(await store.Work.TakeAsync("q", "holder", Long, 9, None));
        Assert.Null(await store.Work.RenewAsync(lease!, Long, None));
        Assert.Null(await store.Work.FindAsync("q", "other", None));
    }

    private static async Task<(string Address, PostgreSqlStore Store)> OpenAsync()
    {
        var address = await (await PostgresServer.SharedAsync()).DatabaseAsync();
        return (address, await PostgreSqlStore.OpenAsync(address, null, None));
    }

    private static async Task<DateTime> UntilOfAsync(string address, string name) => (DateTime)(await PostgresServer.AtAsync(address, $"SELECT until FROM speedup.work WHERE name = '{name}'"))!;
}
