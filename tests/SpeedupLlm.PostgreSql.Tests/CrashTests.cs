using SpeedupLlm.Experience;

namespace SpeedupLlm.PostgreSql.Tests;

public sealed class CrashTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task AppendAsync_WriterKilledAtAnyMoment_LosesNoAcknowledgedRecord()
    {
        var address = await (await PostgresServer.SharedAsync()).DatabaseAsync();
        var acknowledged = new List<string>();
        foreach (var (round, lines) in ((int, int)[])[(0, 1), (1, 60), (2, 300)])
        {
            using var child = ChildProcess.Start("append", address, $"r{round}");
            for (var i = 0; i < lines; i++)
                acknowledged.Add(await child.LineAsync());
            child.Kill(); // SIGKILL
            // what it could still print was acknowledged as well; the last line may be cut
            acknowledged.AddRange((await child.StandardOutput.ReadToEndAsync()).Split('\n')[..^1]);
            await child.WaitForExitAsync();
            await using var store = await PostgreSqlStore.OpenAsync(address, null, None);
            await AssertKeptAsync(store, acknowledged);
        }
    }

    [Fact]
    public async Task Store_ServerCrashesAndComesBack_IsDegradedThenWorksAndHasLostNothing()
    {
        await using var server = await PostgresServer.StartAsync(durable: true);
        var address = await server.DatabaseAsync();
        await using var store = await PostgreSqlStore.OpenAsync(address, new() { Staleness = TimeSpan.Zero }, None);
        await using var work = await PostgreSqlStore.OpenAsync(address, null, None);
        var acknowledged = new List<string>();
        var crashed = false;
        var writers = Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; !crashed; i++)
            {
                await store.AppendAsync(Samples.Episode($"{writer}-{i}"), None);
                lock (acknowledged)
                    acknowledged.Add($"{writer}-{i}");
                await store.PutAsync(Samples.Document($"of-{writer}-{i}", $"{writer}-{i}"), None);
            }
        })).ToArray();
        while (Count() < 300)
            await Task.Delay(10);
        await store.NearestAsync(Samples.Everything, Samples.Vector("x"), 3, None);
        await server.CrashAsync();
        var down = await Assert.ThrowsAsync<StoreDegradedException>(() => Task.WhenAll(writers));
        crashed = true;
        Assert.DoesNotContain('\n', down.Message);
        await Assert.ThrowsAsync<StoreDegradedException>(async () => await store.NearestAsync(Samples.Everything, Samples.Vector("x"), 3, None));
        Assert.Equal("the database cannot be reached", (await store.CheckAsync(None)).Degraded);

        await server.StartAsync();
        await UntilAsync(async () => (await store.CheckAsync(None)).Degraded is null);
        // some of these numbers were perhaps given before the crash to writers that never committed
        await Samples.AppendAsync(store, Enumerable.Range(0, 40).Select(i => $"after-{i}"));
        lock (acknowledged)
            acknowledged.AddRange(Enumerable.Range(0, 40).Select(i => $"after-{i}"));
        await AssertKeptAsync(store, acknowledged, documents: false);
        await AssertKeptAsync(work, acknowledged, documents: false);

        int Count()
        {
            lock (acknowledged)
                return acknowledged.Count;
        }
    }

    [Fact]
    public async Task Store_ConnectionsAreThrownOut_GoesOnWithoutAWord()
    {
        var address = await (await PostgresServer.SharedAsync()).DatabaseAsync();
        await using var store = await PostgreSqlStore.OpenAsync(address, null, None);
        await Samples.AppendAsync(store, ["a", "b"]);
        for (var i = 0; i < 5; i++)
        {
            await PostgresServer.AtAsync(address, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
            await store.AppendAsync(Samples.Episode($"e{i}"), None);
            await PostgresServer.AtAsync(address, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
            await Samples.AssertFindsAsync(store, ["a", "b", .. Enumerable.Range(0, i + 1).Select(n => $"e{n}")]);
            Assert.True(await store.UpdateEpisodeAsync("home", "a", e => e with { Helped = i }, None));
        }
        Assert.Null((await store.CheckAsync(None)).Degraded);
    }

    [Fact]
    public async Task NearestAsync_ServerRecoversFromAKilledProcess_MissesNothing()
    {
        await using var server = await PostgresServer.StartAsync(durable: false);
        var address = await server.DatabaseAsync();
        await using var store = await PostgreSqlStore.OpenAsync(address, new() { Staleness = TimeSpan.Zero }, None);
        await Samples.AppendAsync(store, ["a", "b"]);
        // transaction numbers that nothing was written with: the server gives them again after a crash
        await using (var connection = new Npgsql.NpgsqlConnection(Address.Parse(address).ConnectionString + ";Pooling=false"))
        {
            await connection.OpenAsync();
            await using var burn = new Npgsql.NpgsqlCommand("DO $$ BEGIN FOR i IN 1..500 LOOP PERFORM pg_current_xact_id(); ROLLBACK; END LOOP; END $$", connection);
            await burn.ExecuteNonQueryAsync();
            await Samples.AssertFindsAsync(store, ["a", "b"]);
            await server.KillAsync(connection.ProcessID);
        }
        await UntilAsync(async () => (await store.CheckAsync(None)).Degraded is null);
        for (var i = 0; i < 20; i++)
            await store.AppendAsync(Samples.Episode($"after{i}"), None);
        await Samples.AssertFindsAsync(store, ["a", "b", .. Enumerable.Range(0, 20).Select(i => $"after{i}")]);
    }

    [Fact]
    public async Task OpenAsync_NoServerYet_WorksOnceThereIsOne()
    {
        await using var server = await PostgresServer.StartAsync(durable: false);
        var address = await server.DatabaseAsync();
        await server.CrashAsync();
        await using var store = await PostgreSqlStore.OpenAsync(address, null, None);
        var error = await Assert.ThrowsAsync<StoreDegradedException>(async () => await store.AppendAsync(Samples.Episode("a"), None));
        Assert.DoesNotContain(PostgresServer.Password, error.Message, StringComparison.Ordinal);
        Assert.Equal(new(0, 0, 0, "the database cannot be reached"), await store.CheckAsync(None));
        await server.StartAsync();
        await UntilAsync(async () => (await store.CheckAsync(None)).Degraded is null);
        await store.AppendAsync(Samples.Episode("a"), None);
        await Samples.AssertFindsAsync(store, ["a"]);
    }

    private static async Task AssertKeptAsync(PostgreSqlStore store, List<string> acknowledged, bool documents = true)
    {
        var listed = await Samples.ListAsync(store);
        Assert.Empty(acknowledged.Except(listed));
        Assert.Equal(listed.Count, listed.Distinct().Count());
        await Samples.AssertFindsAsync(store, listed);
        foreach (var id in documents ? acknowledged.TakeLast(20) : [])
            Assert.NotNull(await store.GetAsync(Samples.Home, "lesson", "of-" + id, None));
        Assert.Equal(0, (await store.CheckAsync(None)).SetAside);
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var i = 0; !await holds(); i++)
        {
            Assert.True(i < 600, "It did not come to hold.");
            await Task.Delay(100);
        }
    }
}
