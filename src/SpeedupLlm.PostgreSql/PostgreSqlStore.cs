using System.Runtime.CompilerServices;
using Npgsql;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;

namespace SpeedupLlm.PostgreSql;

/// <summary>Experience in PostgreSQL (13 or newer), in the schema <c>speedup</c>: for any number of replicas at once. Thread-safe.</summary>
/// <remarks>
/// Concurrent appends share a transaction; all that returns is committed. What one replica commits, look-ups of the others find at once or after
/// <see cref="PostgreSqlStoreOptions.Staleness"/> at the latest; what this replica commits, its next look-up finds.
/// While the database cannot be reached every call throws <see cref="StoreDegradedException"/>, <see cref="CheckAsync"/> says why, and nothing needs to be done when it is back.
/// Records that cannot be read are moved to the table <c>set_aside</c> when they are met, and counted in <see cref="StoreHealth.SetAside"/>.
/// </remarks>
public sealed class PostgreSqlStore : IExperienceStore
{
    private const int PageSize = 64;
    private const int RecordsPerCheck = 1_000;

    private readonly Database _database;
    private readonly Scopes _scopes = new();
    private readonly PartitionIndexes _indexes;
    private readonly Bell _bell;
    private readonly AppendQueue _queue;
    private readonly Recall _recall;
    private readonly Turns _turns = new();
    private readonly TimeProvider _clock;
    private StoreHealth _last = new(0, 0, 0, null);
    private long _checkedEpisodes = long.MaxValue;
    private long _checkedDocuments = long.MaxValue;

    private PostgreSqlStore(Address address, PostgreSqlStoreOptions options)
    {
        _clock = options.Clock;
        _database = new(address, options.Clock);
        _indexes = new(_database, options);
        _bell = new(_database, _indexes.Hear, options.Clock);
        _queue = new(_database, _scopes, Committed);
        _recall = new(_database, _scopes, _indexes, _bell, options.UsePgvector);
        _database.Lost += _scopes.Clear;
        Work = new(_database);
    }

    /// <summary>Where it is, without user and password.</summary>
    public string Name => _database.Name;

    /// <summary>Why the database could not be reached when it was last asked, or null.</summary>
    public string? Unreachable => _database.Unreachable;

    /// <summary>Work and leases that the replicas share.</summary>
    public WorkQueue Work { get; }

    /// <summary>Opens a store, made if it is not there. If the database cannot be reached the store is degraded until it can be: see <see cref="CheckAsync"/>.</summary>
    /// <param name="address"><c>postgres://user:password@host:port/database?sslmode=require</c>, or Npgsql's own <c>Host=…;Database=…</c>. What is left out comes from <c>PGUSER</c>, <c>PGPASSWORD</c> and the like.</param>
    /// <param name="options">How it works.</param>
    /// <param name="cancellationToken">Ends the waiting for the database.</param>
    /// <exception cref="FormatException">The address is none.</exception>
    /// <exception cref="StoreFormatException">The tables were written by a newer program.</exception>
    /// <exception cref="StoreCorruptException">The database is damaged, or its schema <c>speedup</c> is another program's.</exception>
    public static async ValueTask<PostgreSqlStore> OpenAsync(string address, PostgreSqlStoreOptions? options, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(address);
        var store = new PostgreSqlStore(Address.Parse(address), (options ?? new()).Validated());
        try
        {
            await store._database.ReadAsync(_ => ValueTask.FromResult(true), cancellationToken).ConfigureAwait(false);
        }
        catch (StoreDegradedException)
        {
            // it may come back
        }
        catch
        {
            await store.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        return store;
    }

    /// <summary>Whether a text is the address of a PostgreSQL database: <c>postgres://…</c> or <c>postgresql://…</c>.</summary>
    public static bool IsAddress(string text) => Address.IsUrl(text);

    /// <inheritdoc/>
    public ValueTask AppendAsync(Episode episode, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(episode);
        return _queue.AppendAsync(episode, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<Episode?> GetEpisodeAsync(string tenant, string id, CancellationToken cancellationToken)
    {
        var row = await _database.ReadAsync(c => EpisodeTable.FindAsync(c, tenant, id, forUpdate: false, cancellationToken), cancellationToken).ConfigureAwait(false);
        await SetAsideAsync(row?.Bad).ConfigureAwait(false);
        return row?.Record;
    }

    /// <inheritdoc/>
    public async ValueTask<bool> UpdateEpisodeAsync(string tenant, string id, Func<Episode, Episode> change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(change);
        var (changed, bad, partitions) = await _database.WriteAsync<(bool, BadRecord?, List<long>)>(async c =>
        {
            if (await EpisodeTable.FindAsync(c, tenant, id, forUpdate: true, cancellationToken).ConfigureAwait(false) is not { } row)
                return (false, null, []);
            if (row.Record is not { } old)
                return (false, row.Bad, []);
            return (true, null, await EpisodeTable.UpdateAsync(c, row.Seq, old, StoredRecords.Changed(old, change), cancellationToken).ConfigureAwait(false));
        }, cancellationToken).ConfigureAwait(false);
        await SetAsideAsync(bad).ConfigureAwait(false);
        Committed(partitions);
        return changed;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<Neighbour<Episode>>> NearestAsync(Lookup lookup, ReadOnlyMemory<float> query, int count, CancellationToken cancellationToken) =>
        await NearestAsync(lookup, PartitionKey.Episodes, lookup.UsableOnly, query, count, EpisodeTable.FindAsync, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public IAsyncEnumerable<Episode> ListAsync(Lookup lookup, CancellationToken cancellationToken) => ListAsync(
        lookup.Scope, (c, realm, scopes, before) => EpisodeTable.PageAsync(c, realm, scopes, lookup.UsableOnly, before, PageSize, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<MemoryDocument?> GetAsync(Scope scope, string kind, string key, CancellationToken cancellationToken)
    {
        var row = await _database.ReadAsync(
            async c => await _scopes.FindAsync(c, scope, cancellationToken).ConfigureAwait(false) is { } numbers
                ? await DocumentTable.FindAsync(c, numbers.Scope, kind, key, cancellationToken).ConfigureAwait(false)
                : null, cancellationToken).ConfigureAwait(false);
        await SetAsideAsync(row?.Bad).ConfigureAwait(false);
        return row?.Record;
    }

    /// <inheritdoc/>
    public async ValueTask<MemoryDocument?> PutAsync(MemoryDocument document, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(document);
        var (scope, partition) = await _database.ReadAsync(
            async c => (await _scopes.AddAsync(c, document.Scope, cancellationToken).ConfigureAwait(false),
                await _scopes.AddPartitionAsync(c, document.Scope, PartitionKey.Of(document), cancellationToken).ConfigureAwait(false)), cancellationToken).ConfigureAwait(false);
        var (written, partitions) = await _database.WriteAsync(c => DocumentTable.PutAsync(c, document, scope, partition, cancellationToken), cancellationToken).ConfigureAwait(false);
        Committed(partitions);
        return written;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<Neighbour<MemoryDocument>>> NearestDocumentsAsync(
        Lookup lookup, string kind, ReadOnlyMemory<float> query, int count, CancellationToken cancellationToken) =>
        await NearestAsync(lookup, PartitionKey.Documents(kind), usableOnly: false, query, count, DocumentTable.FindAsync, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public IAsyncEnumerable<MemoryDocument> ListDocumentsAsync(Scope scope, string? kind, CancellationToken cancellationToken) => ListAsync(
        scope, (c, realm, scopes, before) => DocumentTable.PageAsync(c, realm, scopes, kind, before, PageSize, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<Scope>> ScopesAsync(string tenant, CancellationToken cancellationToken) => await _database.ReadAsync(
        c => c.RowsAsync(
            """
            SELECT s.username, s.conversation, r.model, r.prompt
            FROM speedup.tenant t JOIN speedup.realm r ON r.tenant = t.id JOIN speedup.scope s ON s.realm = r.id
            WHERE sha256(t.name) = sha256($1::bytea)
              AND (EXISTS (SELECT 1 FROM speedup.episode e WHERE e.scope = s.id) OR EXISTS (SELECT 1 FROM speedup.document d WHERE d.scope = s.id))
            ORDER BY s.id
            """, row => new Scope(tenant, row.TextOrNull(0), row.TextOrNull(1), row.Text(2), row.Text(3)), cancellationToken, Sql.Name(tenant)), cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<int> ForgetAsync(string tenant, string episodeId, CancellationToken cancellationToken)
    {
        var (records, partitions) = await _database.WriteAsync(c => Forgetting.ForgetAsync(c, tenant, episodeId, cancellationToken), cancellationToken).ConfigureAwait(false);
        Committed(partitions);
        return records;
    }

    /// <inheritdoc/>
    public async ValueTask<IAsyncDisposable> TakeTurnAsync(Scope scope, string name, CancellationToken cancellationToken)
    {
        // those of this replica wait here, and one of them for the other replicas
        var own = await _turns.TakeAsync(scope, name, cancellationToken).ConfigureAwait(false);
        try
        {
            return await LeasedTurn.TakeAsync(Work, TurnName(scope, name), own, _clock, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await own.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Each call also reads a thousand records that this process has not read yet, newest first, so that bad ones are found in the end. Above a hundred thousand the numbers are the server's estimates.
    /// While the database cannot be reached it gives the last numbers and the reason, and throws nothing.
    /// </remarks>
    public async ValueTask<StoreHealth> CheckAsync(CancellationToken cancellationToken)
    {
        try
        {
            foreach (var record in await _database.ReadAsync(c => FindBadAsync(c, cancellationToken), cancellationToken).ConfigureAwait(false))
                await SetAsideAsync(record).ConfigureAwait(false);
            var numbers = await _database.ReadAsync(async c =>
            {
                await _database.ProbeAsync(c, cancellationToken).ConfigureAwait(false);
                return (await c.RowsAsync(
                    """
                    SELECT CASE WHEN e.reltuples < 1e5 THEN (SELECT count(*) FROM speedup.episode) ELSE e.reltuples::bigint END,
                      CASE WHEN d.reltuples < 1e5 THEN (SELECT count(*) FROM speedup.document) ELSE d.reltuples::bigint END, (SELECT count(*) FROM speedup.set_aside)
                    FROM pg_class e, pg_class d WHERE e.oid = 'speedup.episode'::regclass AND d.oid = 'speedup.document'::regclass
                    """, row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)), cancellationToken).ConfigureAwait(false))[0];
            }, cancellationToken).ConfigureAwait(false);
            _last = new(numbers.Item1, numbers.Item2, numbers.Item3, null);
            return _last with { Degraded = _database.Degraded };
        }
        catch (StoreDegradedException e)
        {
            return _last with { Degraded = e.Reason };
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _queue.DisposeAsync().ConfigureAwait(false);
        await _bell.DisposeAsync().ConfigureAwait(false);
        await _database.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>A name of equal length for all, whatever the scope's names are made of.</summary>
    private static string TurnName(Scope scope, string name) => new[] { scope.Tenant, scope.User, scope.Conversation, scope.ModelFingerprint, scope.PromptFingerprint, name }
        .Aggregate(StreamKey.Root(0).Child("turn"), (key, part) => part is null ? key.Child(0) : key.Child("=" + part)).ToString();

    private async ValueTask<IReadOnlyList<Neighbour<T>>> NearestAsync<T>(
        Lookup lookup, string kind, bool usableOnly, ReadOnlyMemory<float> query, int count, Recall.Find<T> find, CancellationToken cancellationToken)
        where T : class
    {
        var (found, bad) = await _recall.NearestAsync(lookup, kind, usableOnly, query, count, find, cancellationToken).ConfigureAwait(false);
        foreach (var record in bad)
            await SetAsideAsync(record).ConfigureAwait(false);
        return found;
    }

    private async IAsyncEnumerable<T> ListAsync<T>(
        Scope scope, Func<NpgsqlConnection, long, int[]?, long, ValueTask<List<ReadRow<T>>>> page, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class
    {
        for (var before = long.MaxValue; ;)
        {
            var rows = await _database.ReadAsync(
                async c => await _scopes.FindRealmAsync(c, scope, cancellationToken).ConfigureAwait(false) is { } realm
                    ? await page(c, realm, await Scopes.SeenAsync(c, realm, scope, cancellationToken).ConfigureAwait(false), before).ConfigureAwait(false)
                    : [], cancellationToken).ConfigureAwait(false);
            foreach (var row in rows)
            {
                await SetAsideAsync(row.Bad).ConfigureAwait(false);
                if (row.Record is { } record)
                    yield return record;
            }
            if (rows.Count < PageSize)
                yield break;
            before = rows[^1].Seq;
        }
    }

    private async ValueTask<List<BadRecord>> FindBadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var episodes = await EpisodeTable.PageAsync(connection, Interlocked.Read(ref _checkedEpisodes), RecordsPerCheck, cancellationToken).ConfigureAwait(false);
        Interlocked.Exchange(ref _checkedEpisodes, episodes.Count == 0 ? 0 : episodes[^1].Seq);
        var documents = await DocumentTable.PageAsync(connection, Interlocked.Read(ref _checkedDocuments), RecordsPerCheck, cancellationToken).ConfigureAwait(false);
        Interlocked.Exchange(ref _checkedDocuments, documents.Count == 0 ? 0 : documents[^1].Seq);
        return [.. episodes.Select(e => e.Bad).Concat(documents.Select(d => d.Bad)).OfType<BadRecord>()];
    }

    /// <summary>Moves a bad record out of the way; where that cannot be done now, whoever meets it next does.</summary>
    private async ValueTask SetAsideAsync(BadRecord? bad)
    {
        if (bad is not { } record)
            return;
        try
        {
            Committed(await _database.WriteAsync(c => Forgetting.SetAsideAsync(c, record, CancellationToken.None), CancellationToken.None).ConfigureAwait(false));
        }
        catch (StoreDegradedException)
        {
            // it is not given to anybody, and stays where it is
        }
    }

    private void Committed(IReadOnlyCollection<long> partitions)
    {
        if (partitions.Count == 0)
            return;
        _indexes.Ring(partitions);
        _bell.Ring(partitions);
    }
}
