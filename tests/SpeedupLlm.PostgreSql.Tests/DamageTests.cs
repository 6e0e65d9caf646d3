using SpeedupLlm.Experience;

namespace SpeedupLlm.PostgreSql.Tests;

public sealed class DamageTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task OpenAsync_ManyAtOnceOnANewDatabase_AllOpen()
    {
        var address = await AddressAsync();
        var stores = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(async () => await PostgreSqlStore.OpenAsync(address, null, None))));
        await Task.WhenAll(stores.Select((s, i) => s.AppendAsync(Samples.Episode($"e{i}"), None).AsTask()));
        foreach (var store in stores)
        {
            Assert.Equal(6, (await store.NearestAsync(Samples.Everything, Samples.Vector("a"), 99, None)).Count);
            await store.DisposeAsync();
        }
        Assert.Equal(1L, await PostgresServer.AtAsync(address, "SELECT count(*) FROM speedup.store"));
    }

    [Fact]
    public async Task OpenAsync_NewerFormat_IsRefusedAndKept()
    {
        var address = await FilledAsync(2);
        await PostgresServer.AtAsync(address, "UPDATE speedup.store SET format = 7");
        var error = await Assert.ThrowsAsync<StoreFormatException>(async () => await PostgreSqlStore.OpenAsync(address, null, None));
        Assert.Equal((7, 1), (error.Found, error.Supported));
        Assert.DoesNotContain(PostgresServer.Password, error.Message, StringComparison.Ordinal);
        Assert.Equal(2L, await PostgresServer.AtAsync(address, "SELECT count(*) FROM speedup.episode"));
    }

    [Fact]
    public async Task OpenAsync_AnotherProgramsSchema_IsRefusedAndKept()
    {
        var address = await AddressAsync();
        await PostgresServer.AtAsync(address, "CREATE SCHEMA speedup CREATE TABLE theirs (x integer)");
        await Assert.ThrowsAsync<StoreCorruptException>(async () => await PostgreSqlStore.OpenAsync(address, null, None));
        Assert.Equal(1L, await PostgresServer.AtAsync(address, "SELECT count(*) FROM pg_tables WHERE schemaname = 'speedup'"));
    }

    [Fact]
    public async Task Reading_BadRecords_AreSetAsideAndTheRestIsFound()
    {
        var address = await FilledAsync(1100);
        await PostgresServer.AtAsync(
            address,
            """
            UPDATE speedup.episode SET record = '{"id": "e3", tor' WHERE id = 'e3';
            UPDATE speedup.vector SET data = '{1,2}' WHERE row = (SELECT row FROM speedup.episode WHERE id = 'e40');
            DELETE FROM speedup.vector WHERE row = (SELECT row FROM speedup.episode WHERE id = 'e500');
            UPDATE speedup.episode SET record = convert_to(replace(convert_from(record, 'UTF8'), '"e6"', '"e7"'), 'UTF8') WHERE id = 'e6';
            """);
        await using var store = await PostgreSqlStore.OpenAsync(address, null, None);
        string[] left = [.. Enumerable.Range(0, 1100).Select(i => $"e{i}").Except(["e3", "e40", "e500", "e6"])];
        Assert.Equal(left.Length, (await store.NearestAsync(Samples.Everything, Samples.Vector("e40"), 5000, None)).Count);
        await Samples.AssertFindsAsync(store, left);
        Assert.Equal(left.Reverse(), await Samples.ListAsync(store));
        Assert.Null(await store.GetEpisodeAsync("home", "e3", None));
        Assert.Equal(new(left.Length, 0, 4, null), await store.CheckAsync(None));
        Assert.Equal("{\"id\": \"e3\", tor", await PostgresServer.AtAsync(address, "SELECT convert_from(record, 'UTF8') FROM speedup.set_aside WHERE name = 'e3'"));
        // what was set aside is forgotten like everything else
        Assert.Equal(1, await store.ForgetAsync("home", "e3", None));
        Assert.Equal(3, (await store.CheckAsync(None)).SetAside);
    }

    [Fact]
    public async Task CheckAsync_BadRecordsNobodyMet_AreFoundAndCounted()
    {
        var address = await FilledAsync(20);
        await using (var store = await PostgreSqlStore.OpenAsync(address, null, None))
            await store.PutAsync(Samples.Document("d", "e1"), None);
        await PostgresServer.AtAsync(address, "UPDATE speedup.episode SET record = '{}' WHERE id = 'e5'; UPDATE speedup.document SET record = 'x'");
        await using var opened = await PostgreSqlStore.OpenAsync(address, null, None);
        Assert.Equal(new(19, 0, 2, null), await opened.CheckAsync(None));
        Assert.Equal(new(19, 0, 2, null), await opened.CheckAsync(None));
        Assert.Null(await opened.GetAsync(Samples.Home, "lesson", "d", None));
        // its episode's forgetting reaches the document where it lies now
        Assert.Equal(2, await opened.ForgetAsync("home", "e1", None));
        Assert.Equal(new(18, 0, 1, null), await opened.CheckAsync(None));
    }

    [Fact]
    public async Task UpdateEpisodeAsync_BadRecord_IsSetAside()
    {
        var address = await FilledAsync(2);
        await PostgresServer.AtAsync(address, "UPDATE speedup.episode SET record = '[]' WHERE id = 'e1'");
        await using var store = await PostgreSqlStore.OpenAsync(address, null, None);
        Assert.False(await store.UpdateEpisodeAsync("home", "e1", e => e with { Helped = 1 }, None));
        Assert.Equal(new(1, 0, 1, null), await store.CheckAsync(None));
    }

    [Fact]
    public async Task AppendAsync_OneThatTheDatabaseRefuses_TakesNoOtherWithIt()
    {
        var address = await FilledAsync(1);
        await PostgresServer.AtAsync(address, "ALTER TABLE speedup.episode ADD CHECK (id <> 'refused')");
        await using var store = await PostgreSqlStore.OpenAsync(address, null, None);
        var others = Samples.AppendAsync(store, ["a", "b"]);
        var refused = store.AppendAsync(Samples.Episode("refused"), None).AsTask();
        var more = Samples.AppendAsync(store, ["c", "d"]);
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => refused);
        await others;
        await more;
        await Samples.AssertFindsAsync(store, ["e0", "a", "b", "c", "d"]);
    }

    [Fact]
    public async Task Store_DatabaseThatTakesNoWrites_RecallsAndSaysSo()
    {
        var address = await FilledAsync(3);
        await PostgresServer.AtAsync(address, "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET default_transaction_read_only = on'; END $$");
        await using var store = await PostgreSqlStore.OpenAsync(address, null, None);
        await Samples.AssertFindsAsync(store, ["e0", "e1", "e2"]);
        var error = await Assert.ThrowsAsync<StoreDegradedException>(async () => await store.AppendAsync(Samples.Episode("new"), None));
        Assert.Equal("the database is read-only", error.Reason);
        Assert.Equal(new(3, 0, 0, "the database is read-only"), await store.CheckAsync(None));
    }

    [Theory]
    [InlineData("password", "the database refuses user or password")]
    [InlineData("no password", "the database wants a password")]
    [InlineData("database", "there is no such database")]
    [InlineData("port", "the database cannot be reached")]
    public async Task OpenAsync_WhatDoesNotWork_IsSaidInOneLineWithoutThePassword(string wrong, string reason)
    {
        var address = await AddressAsync();
        var builder = new UriBuilder(address);
        if (wrong == "password")
            builder.Password = "guessed";
        else if (wrong == "no password")
            builder.Password = "";
        else if (wrong == "database")
            builder.Path = "nowhere";
        else
            builder.Port = 1;
        await using var store = await PostgreSqlStore.OpenAsync(builder.Uri.AbsoluteUri, null, None);
        var error = await Assert.ThrowsAsync<StoreDegradedException>(async () => await store.GetEpisodeAsync("home", "a", None));
        Assert.Equal(reason, error.Reason);
        Assert.Equal(reason, (await store.CheckAsync(None)).Degraded);
        Assert.DoesNotContain('\n', error.Message);
        Assert.DoesNotContain("guessed", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Uri.EscapeDataString(PostgresServer.Password), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Store_AfterClosing_RefusesInOneWay()
    {
        var store = await PostgreSqlStore.OpenAsync(await AddressAsync(), null, None);
        await store.DisposeAsync();
        await store.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.AppendAsync(Samples.Episode("a"), None));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.GetEpisodeAsync("home", "a", None));
    }

    private static async Task<string> AddressAsync() => await (await PostgresServer.SharedAsync()).DatabaseAsync();

    private static async Task<string> FilledAsync(int count)
    {
        var address = await AddressAsync();
        await using var store = await PostgreSqlStore.OpenAsync(address, null, None);
        await Samples.AppendAsync(store, Enumerable.Range(0, count).Select(i => $"e{i}"));
        return address;
    }
}
