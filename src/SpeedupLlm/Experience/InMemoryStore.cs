using System.Runtime.CompilerServices;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Experience;

/// <summary>How much an <see cref="InMemoryStore"/> keeps.</summary>
public sealed record InMemoryStoreOptions
{
    /// <summary>Only the last so many episodes are kept, ≥ 1; documents made from older ones stay. Null (default): all.</summary>
    public int? MaxEpisodes { get; init; }
}

/// <summary>Experience in this process, gone with it: the short-term horizon, benchmarks and tests. Thread-safe.</summary>
public sealed class InMemoryStore : IExperienceStore
{
    private const int PageSize = 64;

    private readonly ReaderWriterLockSlim _lock = new();
    private readonly Dictionary<string, TenantRecords> _tenants = new(StringComparer.Ordinal);
    private readonly Queue<(string Tenant, long Row)> _oldest = new();
    private readonly Turns _turns = new();
    private readonly int _most;
    private int _episodes;
    private long _row;

    /// <summary>An empty store.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is below 1.</exception>
    public InMemoryStore(InMemoryStoreOptions? options = null)
    {
        _most = options?.MaxEpisodes ?? int.MaxValue;
        if (_most < 1)
            throw new ArgumentOutOfRangeException(nameof(options), _most, "A store keeps at least one episode.");
    }

    /// <inheritdoc/>
    public ValueTask AppendAsync(Episode episode, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(episode);
        return Write(() =>
        {
            var tenant = TenantOf(episode.Scope.Tenant);
            if (!tenant.Append(++_row, episode))
                return 0;
            _episodes++;
            if (_most == int.MaxValue)
                return 0;
            _oldest.Enqueue((episode.Scope.Tenant, _row));
            // rows of forgotten episodes are in the queue still
            while (_episodes > _most && _oldest.TryDequeue(out var old))
                _episodes -= _tenants[old.Tenant].Drop(old.Row) ? 1 : 0;
            return 0;
        }, cancellationToken) is { IsCompletedSuccessfully: false } failed
            ? new(failed.AsTask())
            : ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<Episode?> GetEpisodeAsync(string tenant, string id, CancellationToken cancellationToken) =>
        Read(tenant, t => t.Episode(id), null, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> UpdateEpisodeAsync(string tenant, string id, Func<Episode, Episode> change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(change);
        return Write(() => _tenants.TryGetValue(tenant, out var records) && records.Update(id, change), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Neighbour<Episode>>> NearestAsync(Lookup lookup, ReadOnlyMemory<float> query, int count, CancellationToken cancellationToken) =>
        Read(lookup.Scope.Tenant, t => t.Nearest(lookup, query, count), [], cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<Episode> ListAsync(Lookup lookup, CancellationToken cancellationToken) =>
        Pages(lookup.Scope.Tenant, (t, before) => t.PageOfEpisodes(lookup, before, PageSize), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<MemoryDocument?> GetAsync(Scope scope, string kind, string key, CancellationToken cancellationToken) =>
        Read(scope.Tenant, t => t.Document(scope, kind, key), null, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<MemoryDocument?> PutAsync(MemoryDocument document, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(document);
        return Write(() => TenantOf(document.Scope.Tenant).Put(++_row, document), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Neighbour<MemoryDocument>>> NearestDocumentsAsync(
        Lookup lookup, string kind, ReadOnlyMemory<float> query, int count, CancellationToken cancellationToken) =>
        Read(lookup.Scope.Tenant, t => t.NearestDocuments(lookup, kind, query, count), [], cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<MemoryDocument> ListDocumentsAsync(Scope scope, string? kind, CancellationToken cancellationToken) =>
        Pages(scope.Tenant, (t, before) => t.PageOfDocuments(scope, kind, before, PageSize), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Scope>> ScopesAsync(string tenant, CancellationToken cancellationToken) =>
        Read<IReadOnlyList<Scope>>(tenant, t => t.Scopes(), [], cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int> ForgetAsync(string tenant, string episodeId, CancellationToken cancellationToken) => Write(() =>
    {
        if (!_tenants.TryGetValue(tenant, out var records))
            return 0;
        var (episodes, documents) = records.Forget(episodeId);
        _episodes -= episodes;
        return episodes + documents;
    }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IAsyncDisposable> TakeTurnAsync(Scope scope, string name, CancellationToken cancellationToken) => _turns.TakeAsync(scope, name, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<StoreHealth> CheckAsync(CancellationToken cancellationToken) =>
        Write(() => new StoreHealth(_episodes, _tenants.Values.Sum(t => (long)t.Documents), 0, null), cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private TenantRecords TenantOf(string tenant)
    {
        if (!_tenants.TryGetValue(tenant, out var records))
            _tenants.Add(tenant, records = new());
        return records;
    }

    private ValueTask<T> Read<T>(string tenant, Func<TenantRecords, T> read, T nothing, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<T>(cancellationToken);
        _lock.EnterReadLock();
        try
        {
            return new(_tenants.TryGetValue(tenant, out var records) ? read(records) : nothing);
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    private ValueTask<T> Write<T>(Func<T> write, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<T>(cancellationToken);
        _lock.EnterWriteLock();
        try
        {
            return new(write());
        }
        finally
        {
            _lock.ExitWriteLock();
        }
    }

    private async IAsyncEnumerable<T> Pages<T>(
        string tenant, Func<TenantRecords, long, List<(long Row, T Record)>> page, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var before = long.MaxValue; ;)
        {
            var records = await Read<List<(long Row, T Record)>>(tenant, t => page(t, before), [], cancellationToken).ConfigureAwait(false);
            foreach (var (_, record) in records)
                yield return record;
            if (records.Count < PageSize)
                yield break;
            before = records[^1].Row;
        }
    }
}
