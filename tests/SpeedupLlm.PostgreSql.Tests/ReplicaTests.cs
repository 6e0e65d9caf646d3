using Npgsql;
using SpeedupLlm.Experience;

namespace SpeedupLlm.PostgreSql.Tests;

public sealed class ReplicaTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    /// <summary>So old that only the bell makes a look-up see more.</summary>
    private static readonly PostgreSqlStoreOptions BellOnly = new() { Staleness = TimeSpan.FromMinutes(1) };

    [Fact]
    public async Task NearestAsync_AppendedByAnotherReplica_IsFoundByTheBell()
    {
        var address = await AddressAsync();
        await using var one = await PostgreSqlStore.OpenAsync(address, BellOnly, None);
        await using var other = await PostgreSqlStore.OpenAsync(address, BellOnly, None);
        await one.AppendAsync(Samples.Episode("first"), None);
        await Samples.AssertFindsAsync(other, ["first"]); // loads, and begins to listen
        await HearsAsync(one, other, "heard"); // so that it does listen
        await one.AppendAsync(Samples.Episode("second"), None);
        await UntilAsync(async () => (await FoundAsync(other)).Contains("second"));
        await one.ForgetAsync("home", "first", None);
        await UntilAsync(async () => !(await FoundAsync(other)).Contains("first"));
        await one.UpdateEpisodeAsync("home", "second", e => e with { Verdict = Verdict.Rejected }, None);
        await UntilAsync(async () => (await other.NearestAsync(Samples.Everything with { UsableOnly = true }, Samples.Vector("second"), 9, None)).All(n => n.Item.Id != "second"));
        await one.UpdateEpisodeAsync("home", "second", e => e with { Verdict = Verdict.Verified }, None);
        await UntilAsync(async () => (await other.NearestAsync(Samples.Everything with { UsableOnly = true }, Samples.Vector("second"), 9, None)).Any(n => n.Item.Id == "second"));

        // a bell that was torn off hangs again, and what was committed meanwhile is heard of
        await PostgresServer.AtAsync(address, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
        await one.AppendAsync(Samples.Episode("third"), None);
        await UntilAsync(async () => (await FoundAsync(other)).Contains("third"));
    }

    [Fact]
    public async Task NearestAsync_NoBellAtAll_SeesWhatIsOlderThanTheStaleness()
    {
        var address = await AddressAsync();
        var clock = new Testing.FakeTime();
        await using var other = await PostgreSqlStore.OpenAsync(address, new() { Staleness = TimeSpan.FromSeconds(1), Clock = clock }, None);
        await using (var one = await PostgreSqlStore.OpenAsync(address, null, None))
        {
            await one.AppendAsync(Samples.Episode("first"), None);
            await Samples.AssertFindsAsync(other, ["first"]);
        }
        // written past every store: nobody rings
        await PostgresServer.AtAsync(address, "UPDATE speedup.vector SET state = 0, data = NULL, norm = NULL, changed = pg_current_xact_id(); DELETE FROM speedup.episode");
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Empty(await FoundAsync(other));
    }

    [Fact]
    public async Task NearestAsync_CommitsInAnotherOrderThanRowNumbers_MissesNone()
    {
        var address = await AddressAsync();
        await using var store = await PostgreSqlStore.OpenAsync(address, new() { Staleness = TimeSpan.Zero }, None);
        await Samples.AppendAsync(store, ["a", "b"]);
        await Samples.AssertFindsAsync(store, ["a", "b"]);
        await using var connection = new NpgsqlConnection(Address.Parse(address).ConnectionString);
        await connection.OpenAsync();
        await using (var slow = await connection.BeginTransactionAsync())
        {
            // a writer that took the smaller number and commits last, with other writers before, between and after
            await CopyAsync(connection, "a", "late");
            await store.AppendAsync(Samples.Episode("c"), None);
            await Samples.AssertFindsAsync(store, ["a", "b", "c"]);
            await Samples.AppendAsync(store, Enumerable.Range(0, 2100).Select(i => $"e{i}"));
            Assert.Equal(2103, (await FoundAsync(store)).Count);
            Assert.DoesNotContain("late", await FoundAsync(store));
            await slow.CommitAsync();
        }
        Assert.Contains("late", await FoundAsync(store));
        Assert.Equal(2104, (await FoundAsync(store)).Count);
        await store.ForgetAsync("home", "late", None);
        Assert.Equal(2103, (await FoundAsync(store)).Count);
    }

    [Fact]
    public async Task NearestAsync_TransactionThatIsTakenBack_IsNeverSeen()
    {
        var address = await AddressAsync();
        await using var store = await PostgreSqlStore.OpenAsync(address, new() { Staleness = TimeSpan.Zero }, None);
        await store.AppendAsync(Samples.Episode("a"), None);
        await using var connection = new NpgsqlConnection(Address.Parse(address).ConnectionString);
        await connection.OpenAsync();
        await using (var undone = await connection.BeginTransactionAsync())
        {
            await CopyAsync(connection, "a", "undone");
            Assert.Equal(["a"], await FoundAsync(store));
            await undone.RollbackAsync();
        }
        Assert.Equal(["a"], await FoundAsync(store));
    }

    [Fact]
    public async Task NearestAsync_TwoReplicasWriteAtOnce_BothAreExactAfterwards()
    {
        var address = await AddressAsync();
        await using var one = await PostgreSqlStore.OpenAsync(address, new() { Staleness = TimeSpan.Zero }, None);
        await using var other = await PostgreSqlStore.OpenAsync(address, new() { Staleness = TimeSpan.Zero }, None);
        await Task.WhenAll(new[] { (one, "one"), (other, "other") }.Select(replica => Task.Run(async () =>
        {
            for (var i = 0; i < 40; i++)
            {
                // the same ids are written by both, in another order
                await Samples.AppendAsync(replica.Item1, Enumerable.Range(0, 20).Select(n => $"{replica.Item2}-{i}-{n}").Concat(
                    replica.Item2 == "one" ? [$"both-{i}-x", $"both-{i}-y"] : [$"both-{i}-y", $"both-{i}-x"]));
                await replica.Item1.NearestAsync(Samples.Everything, Samples.Vector("any"), 3, None);
                if (i % 10 == 9)
                    await replica.Item1.ForgetAsync("home", $"{replica.Item2}-{i}-0", None);
            }
        })));
        string[] left = [.. await Samples.ListAsync(one)];
        Assert.Equal(2 * 40 * 20 + 80 - 8, left.Length);
        Assert.Equal(left.Length, left.Distinct().Count());
        await Samples.AssertFindsAsync(one, left);
        await Samples.AssertFindsAsync(other, left);
    }

    [Fact]
    public async Task NearestAsync_ManyTenantsOnTwoReplicas_NeverFindsAForeignEpisode()
    {
        var address = await AddressAsync();
        await using var one = await PostgreSqlStore.OpenAsync(address, null, None);
        await using var other = await PostgreSqlStore.OpenAsync(address, new() { IndexMemory = 40_000 }, None); // lets indexes go again and again
        const int Tenants = 20, Each = 8;
        await Task.WhenAll(Enumerable.Range(0, Tenants * Each).Select(i => one.AppendAsync(Samples.Episode($"e{i % Each}", ScopeOf(i / Each, i % 2)), None).AsTask()));
        // every tenant has the same ids and the same vectors
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            for (var i = worker; i < 1000; i += 8)
            {
                var scope = ScopeOf(i % Tenants, i / Tenants % 2) with { Conversation = null };
                var asked = i % 3 == 0 ? scope with { User = null } : scope;
                var found = await (i % 2 == 0 ? one : other).NearestAsync(new(asked, Samples.Embedder), Samples.Vector($"e{i % Each}"), 5, None);
                Assert.NotEmpty(found);
                Assert.All(found, n => Assert.Equal(asked.Tenant, n.Item.Scope.Tenant));
                if (asked.User is not null)
                    Assert.All(found, n => Assert.Equal(asked.User, n.Item.Scope.User));
            }
        })));

        static Scope ScopeOf(int tenant, int user) => Samples.Home with { Tenant = $"tenant {tenant}", User = $"user {user}" };
    }

    [Fact]
    public async Task ForgetAsync_WhileAnotherReplicaAsks_IsNeverFoundAfterwards()
    {
        var address = await AddressAsync();
        await using var one = await PostgreSqlStore.OpenAsync(address, null, None);
        await using var other = await PostgreSqlStore.OpenAsync(address, BellOnly, None);
        var ids = Enumerable.Range(0, 200).Select(i => $"e{i}").ToArray();
        await Samples.AppendAsync(one, ids);
        await one.PutAsync(Samples.Document("made", "e5"), None);
        await Samples.AssertFindsAsync(other, ids);
        Assert.Single(await other.NearestDocumentsAsync(Samples.Everything, "lesson", Samples.Vector("made"), 9, None));
        foreach (var id in ids[..100])
        {
            await one.ForgetAsync("home", id, None);
            // from the commit on nothing finds it, whether the other has heard of it or not
            Assert.DoesNotContain(id, (await other.NearestAsync(Samples.Everything, Samples.Vector(id), 3, None)).Select(n => n.Item.Id));
        }
        Assert.Empty(await other.NearestDocumentsAsync(Samples.Everything, "lesson", Samples.Vector("made"), 9, None));
        await Samples.AssertFindsAsync(other, ids[100..]);
    }

    [Fact]
    public async Task Names_ThatNoColumnOfTextTakes_AreKeptApart()
    {
        await using var store = await PostgreSqlStore.OpenAsync(await AddressAsync(), null, None);
        string[] users = ["a", "a\0", "a\0b", new string('u', 100_000), new string('u', 99_999), ""];
        foreach (var user in users)
            await store.AppendAsync(Samples.Episode("e\0" + user, Samples.Home with { User = user }), None);
        foreach (var user in users)
        {
            var found = await store.NearestAsync(new(Samples.Home with { User = user }, Samples.Embedder), Samples.Vector("x"), 9, None);
            Assert.Equal("e\0" + user, found.Single().Item.Id);
            Assert.NotNull(await store.GetEpisodeAsync("home", "e\0" + user, None));
        }
        Assert.Equal(users, (await store.ScopesAsync("home", None)).Select(s => s.User));
    }

    private static async Task<string> AddressAsync() => await (await PostgresServer.SharedAsync()).DatabaseAsync();

    private static async Task<List<string>> FoundAsync(PostgreSqlStore store) =>
        [.. (await store.NearestAsync(Samples.Everything, Samples.Vector("query"), 5000, None)).Select(n => n.Item.Id)];

    /// <summary>Appends until the other hears: its listening begins some time after its first look-up.</summary>
    private static async Task HearsAsync(PostgreSqlStore one, PostgreSqlStore other, string prefix)
    {
        for (var i = 0; !(await FoundAsync(other)).Contains($"{prefix}{i - 1}"); i++)
        {
            await one.AppendAsync(Samples.Episode($"{prefix}{i}"), None);
            await Task.Delay(50);
        }
    }

    /// <summary>A minute is for a busy machine; the bell takes some 20 ms.</summary>
    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var i = 0; !await holds(); i++)
        {
            Assert.True(i < 600, "It did not come to hold.");
            await Task.Delay(100);
        }
    }

    /// <summary>Writes an episode past the store, as a writer in the middle of its transaction: the copy of one with another id.</summary>
    private static async Task CopyAsync(NpgsqlConnection connection, string id, string copy)
    {
        await using var command = new NpgsqlCommand(
            $"""
            WITH added AS (
              INSERT INTO speedup.episode (tenant, id, realm, scope, usable, partition, record)
              SELECT tenant, '{copy}', realm, scope, usable, partition, convert_to(replace(convert_from(record, 'UTF8'), '"id":"{id}"', '"id":"{copy}"'), 'UTF8')
              FROM speedup.episode WHERE id = '{id}' RETURNING row)
            INSERT INTO speedup.vector (row, partition, scope, state, norm, data)
            SELECT added.row, v.partition, v.scope, v.state, v.norm, v.data FROM added, speedup.vector v JOIN speedup.episode e ON e.row = v.row WHERE e.id = '{id}'
            """, connection);
        Assert.Equal(1, await command.ExecuteNonQueryAsync());
    }
}
