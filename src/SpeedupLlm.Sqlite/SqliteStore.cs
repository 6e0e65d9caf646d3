using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using SpeedupLlm.Experience;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Sqlite;

/// <summary>Experience in one SQLite file (write-ahead log), on the system's SQLite. For local disks. Thread-safe; several processes may use the file at once.</summary>
/// <remarks>
/// One thread writes, and what waits together is committed together; see <see cref="SqliteStoreOptions.SurvivesPowerLoss"/> for what a commit survives.
/// Vectors are kept as bytes in a folder beside the file (<c>FILE.index</c>), which may be deleted at any time: it is made again from the records.
/// After forgetting, rounded vectors stay there, never found, until a large partition is loaded of which a quarter is forgotten; forgotten bytes leave the file with the next checkpoint, at the latest when the last process closes it.
/// Records that cannot be read are moved to the table <c>set_aside</c> when they are met, and counted in <see cref="StoreHealth.SetAside"/>.
/// </remarks>
public sealed class SqliteStore : IExperienceStore
{
    private const int PageSize = 64;
    private const int RecordsPerCheck = 10_000;
    private const int MostTries = 8;

    /// <summary>After so many new vectors the sidecar is brought up to date, also by processes that never read.</summary>
    private const int MostUnindexed = 4 * VectorBlock.Rows;

    private readonly StorePlace _place;
    private readonly WriterThread _writer;
    private readonly ConcurrentBag<Database> _readers = [];
    private readonly Scopes _scopes = new();
    private readonly ReadRecords _read = new();
    private readonly Turns _turns = new();
    private readonly ConcurrentDictionary<PartitionKey, int> _unindexed = new();
    private readonly ConcurrentDictionary<(long Partition, int Dimensions), PartitionIndex> _indexes = new();
    private readonly ConcurrentDictionary<BadRecord, bool> _leftInPlace = new();
    private readonly Lock _checking = new();
    private string? _degraded;
    private long _checkedEpisodes = long.MaxValue;
    private long _checkedDocuments = long.MaxValue;
    private volatile bool _closed;

    private SqliteStore(StorePlace place)
    {
        _place = place;
        _degraded = place.ReadOnly;
        _writer = new(place.OpenWriter, Translate, e => Volatile.Write(ref _degraded, e is StoreDegradedException why ? why.Reason : e?.Message));
    }

    /// <summary>Opens a store, made if it is not there. A disk that is read-only or cannot be used gives a store that is degraded from the start: it recalls what it can, and keeps nothing.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How it works.</param>
    /// <param name="cancellationToken">Ends the waiting for other processes.</param>
    /// <exception cref="StoreFormatException">The file was written by a newer program.</exception>
    /// <exception cref="StoreCorruptException">The file is damaged or no store; it stays as it is.</exception>
    /// <exception cref="DllNotFoundException">The system has no SQLite.</exception>
    public static async ValueTask<SqliteStore> OpenAsync(string path, SqliteStoreOptions? options, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return new(await StorePlace.PrepareAsync(path, (options ?? new()).Validated(), cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public async ValueTask AppendAsync(Episode episode, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(episode);
        var (written, partition) = await _writer.RunAsync(d => EpisodeTable.Append(d, episode), cancellationToken).ConfigureAwait(false);
        if (written)
            await CountAsync(partition).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<Episode?> GetEpisodeAsync(string tenant, string id, CancellationToken cancellationToken) =>
        RecordAsync((tenant, id), d => EpisodeTable.Find(d, tenant, id), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<bool> UpdateEpisodeAsync(string tenant, string id, Func<Episode, Episode> change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(change);
        var (changed, bad) = await _writer.RunAsync<(bool, BadRecord?)>(d =>
        {
            if (EpisodeTable.Find(d, tenant, id) is not { } row)
                return (false, null);
            if (row.Record is not { } old)
                return (false, row.Bad);
            EpisodeTable.Update(d, row.Seq, old, StoredRecords.Changed(old, change));
            return (true, null);
        }, cancellationToken).ConfigureAwait(false);
        await SetAsideAsync(bad).ConfigureAwait(false);
        return changed;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Neighbour<Episode>>> NearestAsync(Lookup lookup, ReadOnlyMemory<float> query, int count, CancellationToken cancellationToken) =>
        NearestAsync(lookup, PartitionKey.Episodes, lookup.UsableOnly, query, count, EpisodeTable.Find, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<Episode> ListAsync(Lookup lookup, CancellationToken cancellationToken) => ListAsync(
        lookup.Scope, (d, realm, scopes, before) => EpisodeTable.Page(d, realm, scopes, lookup.UsableOnly, before, PageSize), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<MemoryDocument?> GetAsync(Scope scope, string kind, string key, CancellationToken cancellationToken) => RecordAsync(
        (scope, kind, key),
        d => _scopes.FindRealm(d, Realm.Of(scope)) is { } realm && Scopes.FindScope(d, realm, scope) is { } id ? DocumentTable.Find(d, id, kind, key) : null,
        cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<MemoryDocument?> PutAsync(MemoryDocument document, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(document);
        var written = await _writer.RunAsync(d => DocumentTable.Put(d, document), cancellationToken).ConfigureAwait(false);
        if (written is not null)
            await CountAsync(PartitionKey.Of(written)).ConfigureAwait(false);
        return written;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Neighbour<MemoryDocument>>> NearestDocumentsAsync(
        Lookup lookup, string kind, ReadOnlyMemory<float> query, int count, CancellationToken cancellationToken) =>
        NearestAsync(lookup, PartitionKey.Documents(kind), usableOnly: false, query, count, DocumentTable.Find, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<MemoryDocument> ListDocumentsAsync(Scope scope, string? kind, CancellationToken cancellationToken) => ListAsync(
        scope, (d, realm, scopes, before) => DocumentTable.Page(d, realm, scopes, kind, before, PageSize), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Scope>> ScopesAsync(string tenant, CancellationToken cancellationToken) => ReadAsync<IReadOnlyList<Scope>>(d =>
    {
        var scopes = new List<Scope>();
        using var rows = d.Query(
            """
            SELECT s.user, s.conversation, r.model, r.prompt FROM realm r JOIN scope s ON s.realm = r.id
            WHERE r.tenant = $1 AND (EXISTS (SELECT 1 FROM episode e WHERE e.realm = r.id AND e.scope = s.id) OR EXISTS (SELECT 1 FROM document m WHERE m.scope = s.id))
            ORDER BY s.id
            """, tenant);
        while (rows.Read())
            scopes.Add(new(tenant, rows.IsDBNull(0) ? null : rows.GetString(0), rows.IsDBNull(1) ? null : rows.GetString(1), rows.GetString(2), rows.GetString(3)));
        return scopes;
    }, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<int> ForgetAsync(string tenant, string episodeId, CancellationToken cancellationToken) => await _writer.RunAsync(
        d => EpisodeTable.Remove(d, tenant, episodeId) + DocumentTable.RemoveMadeFrom(d, tenant, episodeId) + AsideTable.Remove(d, tenant, episodeId),
        cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public ValueTask<IAsyncDisposable> TakeTurnAsync(Scope scope, string name, CancellationToken cancellationToken) => _turns.TakeAsync(scope, name, cancellationToken);

    /// <inheritdoc/>
    /// <remarks>Each call also reads some ten thousand records that this process has not read yet, newest first, so that bad ones are found in the end.</remarks>
    public async ValueTask<StoreHealth> CheckAsync(CancellationToken cancellationToken)
    {
        var bad = await ReadAsync(FindBad, cancellationToken).ConfigureAwait(false);
        foreach (var record in bad)
            await SetAsideAsync(record).ConfigureAwait(false);
        var (episodes, documents, aside) = await ReadAsync(
            d => (d.Number("SELECT count(*) FROM episode") ?? 0, d.Number("SELECT count(*) FROM document") ?? 0, d.Number("SELECT count(*) FROM set_aside") ?? 0),
            cancellationToken).ConfigureAwait(false);
        var left = _leftInPlace.Keys.ToList();
        var leftEpisodes = left.Count(r => r.Origin == StoredRecords.EpisodeOrigin);
        return new(episodes - leftEpisodes, documents - (left.Count - leftEpisodes), aside + left.Count, Volatile.Read(ref _degraded));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_closed)
            return;
        foreach (var (partition, count) in _unindexed)
        {
            if (count >= VectorBlock.Rows)
                await IndexAsync(partition).ConfigureAwait(false);
        }
        _closed = true;
        await _writer.DisposeAsync().ConfigureAwait(false);
        while (_readers.TryTake(out var reader))
            reader.Dispose();
    }

    private async ValueTask<IReadOnlyList<Neighbour<T>>> NearestAsync<T>(
        Lookup lookup, string kind, bool usableOnly, ReadOnlyMemory<float> query, int count, Func<Database, long, ReadRow<T>?> find, CancellationToken cancellationToken)
        where T : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (count <= 0 || QuantizedQuery.Of(query) is not { } quantized)
            return [];
        var key = new PartitionKey(Realm.Of(lookup.Scope), kind, lookup.EmbeddingFingerprint, query.Length);
        for (var attempt = 1; ; attempt++)
        {
            var bad = new List<(long Row, BadRecord? Record)>();
            var (found, again) = await ReadAsync((begin, d) =>
            {
                // the partition is asked for outside the transaction, which begins when the index is held
                if (_scopes.FindPartition(d, key) is not { } partition)
                    return ([], false);
                var index = IndexOf(partition, key);
                var view = index.Refresh(begin);
                var filter = new RowFilter(Scopes.Seen(d, _scopes.FindRealm(d, key.Realm)!.Value, lookup.Scope), usableOnly);
                var source = new RecordSource(d, partition, quantized, filter, documents: kind != PartitionKey.Episodes);
                var neighbours = new List<Neighbour<T>>();
                try
                {
                    foreach (var (row, similarity) in VectorSearch.Nearest(view.Blocks, view.Tail, quantized, count, filter, source))
                    {
                        var item = d.Number("SELECT item FROM vector WHERE row = $1", row);
                        if (item is null || find(d, item.Value) is not { } record)
                            bad.Add((row, null));
                        else if (record.Record is not { } read)
                            bad.Add((row, record.Bad));
                        else
                            neighbours.Add(new(read, similarity));
                    }
                }
                catch (VectorBlockException)
                {
                    index.Rebuild();
                    return ([], true);
                }
                bad.AddRange(source.Bad.Select(row => (row, d.Number("SELECT item FROM vector WHERE row = $1", row) is { } item ? find(d, item)?.Bad : null)));
                foreach (var (row, _) in bad)
                    index.Exclude(row);
                return ((IReadOnlyList<Neighbour<T>>)neighbours, source.Missed || bad.Count > 0);
            }, cancellationToken).ConfigureAwait(false);
            foreach (var (_, record) in bad)
                await SetAsideAsync(record).ConfigureAwait(false);
            // what was left out may have kept others out: look again without it
            if (!again || attempt == MostTries)
                return found;
        }
    }

    private async IAsyncEnumerable<T> ListAsync<T>(
        Scope scope, Func<Database, long, HashSet<int>?, long, List<ReadRow<T>>> page, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class
    {
        for (var before = long.MaxValue; ;)
        {
            var rows = await ReadAsync(
                d => _scopes.FindRealm(d, Realm.Of(scope)) is { } realm ? page(d, realm, Scopes.Seen(d, realm, scope), before) : [], cancellationToken).ConfigureAwait(false);
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

    private PartitionIndex IndexOf(long partition, PartitionKey key) => _indexes.GetOrAdd(
        (partition, key.Dimensions),
        p => new(p.Partition, p.Dimensions, documents: key.Kind != PartitionKey.Episodes, _place.Folder is { } folder && _place.Id != Guid.Empty ? new(folder, new(_place.Id, p.Partition, p.Dimensions)) : null));

    private async ValueTask CountAsync(PartitionKey key)
    {
        if (key.Dimensions > 0 && _unindexed.AddOrUpdate(key, 1, (_, n) => n + 1) >= MostUnindexed)
            await IndexAsync(key).ConfigureAwait(false);
    }

    /// <summary>Brings a partition's index up to date, outside any question's way.</summary>
    private async ValueTask IndexAsync(PartitionKey key)
    {
        _unindexed[key] = 0;
        try
        {
            await ReadAsync((begin, d) => _scopes.FindPartition(d, key) is { } partition && IndexOf(partition, key).Refresh(begin) is not null, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StoreDegradedException or StoreCorruptException)
        {
            // the record is committed; the index is made when somebody asks
        }
    }

    private List<BadRecord> FindBad(Database database)
    {
        lock (_checking)
        {
            var episodes = EpisodeTable.Page(database, _checkedEpisodes, RecordsPerCheck);
            _checkedEpisodes = episodes.Count == 0 ? 0 : episodes[^1].Seq;
            var documents = DocumentTable.Page(database, _checkedDocuments, RecordsPerCheck);
            _checkedDocuments = documents.Count == 0 ? 0 : documents[^1].Seq;
            return [.. episodes.Select(e => e.Bad).Concat(documents.Select(d => d.Bad)).OfType<BadRecord>()];
        }
    }

    /// <summary>Moves a bad record out of the way; where that cannot be done it is counted and stays.</summary>
    private async ValueTask SetAsideAsync(BadRecord? bad)
    {
        if (bad is not { } record)
            return;
        try
        {
            await _writer.RunAsync(d => AsideTable.Move(d, record), CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreDegradedException)
        {
            _leftInPlace.TryAdd(record, true);
        }
    }

    /// <summary>One record: as it is known if nobody has committed since, else as it is read.</summary>
    private async ValueTask<T?> RecordAsync<T>(object key, Func<Database, ReadRow<T>?> find, CancellationToken cancellationToken)
        where T : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        var known = _read.Current;
        if (known.Find<T>(key) is { } record && IsCurrent(known))
            return record;
        var row = await ReadAsync((begin, d) =>
        {
            var records = _read.Of(d);
            var found = find(begin());
            if (found is { Record: { } read })
                records.Keep(key, read);
            return found;
        }, cancellationToken).ConfigureAwait(false);
        await SetAsideAsync(row?.Bad).ConfigureAwait(false);
        return row?.Record;
    }

    /// <summary>Asked at once, without a transaction or another thread; where that is not possible the record is read.</summary>
    private bool IsCurrent(ReadRecords.Collection known)
    {
        if (_closed || !_readers.TryTake(out var reader))
            return false;
        try
        {
            var current = _read.Of(reader) == known;
            GiveBack(reader);
            return current;
        }
        catch (SqliteException)
        {
            reader.Dispose();
            return false;
        }
    }

    private ValueTask<T> ReadAsync<T>(Func<Database, T> read, CancellationToken cancellationToken) => ReadAsync((begin, _) => read(begin()), cancellationToken);

    /// <summary>Runs a read on the thread pool, on a connection of its own.</summary>
    /// <param name="read">Gets what begins the short read transaction, and the connection.</param>
    /// <param name="cancellationToken">Before it begins.</param>
    private async ValueTask<T> ReadAsync<T>(Func<Func<Database>, Database, T> read, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return await Task.Run(() =>
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            Database? database = null;
            try
            {
                database = _readers.TryTake(out var idle) ? idle : _place.OpenReader();
                var open = database;
                var result = read(() =>
                {
                    open.Execute("BEGIN");
                    return open;
                }, open);
                open.RollBack();
                GiveBack(open);
                return result;
            }
            catch (Exception e)
            {
                database?.Dispose();
                if (Translate(e) is var error && error != e)
                    throw error;
                throw;
            }
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Keeps a reader for the next read; a store that was closed meanwhile keeps none.</summary>
    private void GiveBack(Database reader)
    {
        if (_closed)
            reader.Dispose();
        else
            _readers.Add(reader);
    }

    private Exception Translate(Exception error) => error is SqliteException ? Failures.Translate(error, _place.Path) : error;
}
