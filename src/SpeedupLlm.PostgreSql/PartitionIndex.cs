using System.Collections.Concurrent;
using Npgsql;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.PostgreSql;

/// <summary>The vectors of a partition as they were at some moment.</summary>
internal sealed record IndexView(VectorBlock[] Blocks, VectorEntry[] Tail)
{
    /// <summary>The scopes that look-ups see, as far as they were asked for. A scope that is newer than the view has no vector in it.</summary>
    public ConcurrentDictionary<(string? User, string? Conversation), IReadOnlySet<int>> Seen { get; } = new();
}

/// <summary>The vectors of a partition in this process, kept up with the database. Thread-safe.</summary>
/// <remarks>
/// The order of row numbers is not the order of commits: a row with a smaller number may become visible later. So what is new is not asked for by number
/// but by visibility: <c>NOT pg_visible_in_snapshot(changed, S)</c>, where S is the snapshot of the last catching up. Nothing that was committed is ever passed over,
/// whatever else is running; what comes twice changes nothing.
/// </remarks>
/// <param name="database">Where the vectors are.</param>
/// <param name="partition">Its number.</param>
/// <param name="dimensions">The length of its vectors.</param>
/// <param name="options">How old a view may be.</param>
internal sealed class PartitionIndex(Database database, long partition, int dimensions, PostgreSqlStoreOptions options)
{
    // transaction numbers go on without a gap only as long as none of these changes
    private const string Moment =
        """
        SELECT pg_current_snapshot()::text, coalesce((SELECT id::text FROM speedup.epoch), ''),
          pg_postmaster_start_time()::text || ' ' || 'speedup.vector'::regclass::oid || ' ' || current_database()
        """;

    private const string Columns = $"SELECT v.row, v.scope, v.state, v.data, {VectorTable.IdBegins} FROM speedup.vector v {VectorTable.WithNames} WHERE v.partition = $1";

    private const string Everything = $"{Columns} AND v.state > 0 AND v.norm IS NOT NULL ORDER BY v.row";

    private const string Changes =
        $"{Columns} AND v.changed >= pg_snapshot_xmin($2::text::pg_snapshot) AND NOT pg_visible_in_snapshot(v.changed, $2::text::pg_snapshot) ORDER BY v.row";

    /// <summary>Rows that wait for smaller numbers of transactions that are still running.</summary>
    private const int Waiting = VectorBlock.Rows;

    /// <summary>More in the tail than this: most of them came too late for their block, and it is time to begin anew.</summary>
    private const int MostInTail = 16 * VectorBlock.Rows;

    private readonly SemaphoreSlim _catchingUp = new(1);
    private readonly Lock _lock = new();
    private readonly VectorRows _rows = new(dimensions, Waiting);
    private volatile IndexView? _view;
    private string? _snapshot;
    private string? _incarnation;
    private int _forgotten;
    private long _rung;
    private long _heard;
    private long _asOf;

    private readonly record struct Change(long Row, int Owner, RowState State, float[]? Vector, ulong IdOrder)
    {
        public static Change Read(NpgsqlDataReader row) =>
            new(row.GetInt64(0), row.GetInt32(1), (RowState)row.GetInt16(2), row.IsDBNull(3) ? null : row.GetFieldValue<float[]>(3), VectorTable.IdOrder(row, 4));
    }

    /// <summary>When it was last asked for, as the clock's timestamp.</summary>
    public long UsedAt { get; private set; }

    /// <summary>Whether it was ever asked for.</summary>
    public bool IsLoaded => _view is not null;

    /// <summary>What it takes in memory, in bytes.</summary>
    public long Bytes => _view is { } view ? view.Blocks.Length * (long)(VectorBlock.ImageBytes(dimensions) + VectorBlock.Rows) + view.Tail.Length * (64L + 4 * dimensions) : 0;

    /// <summary>Something was committed in this partition.</summary>
    public void Ring() => Interlocked.Increment(ref _rung);

    /// <summary>The vectors: no older than the last ring, and no older than the options allow.</summary>
    public ValueTask<IndexView> ViewAsync(CancellationToken cancellationToken)
    {
        UsedAt = options.Clock.GetTimestamp();
        return CatchUpAsync(cancellationToken);
    }

    /// <summary>Keeps up without being asked.</summary>
    public async ValueTask<IndexView> CatchUpAsync(CancellationToken cancellationToken)
    {
        if (Fresh() is { } fresh)
            return fresh;
        await _catchingUp.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Fresh() is { } meanwhile)
                return meanwhile;
            var (rung, now) = (Interlocked.Read(ref _rung), options.Clock.GetTimestamp());
            await database.ReadAsync(async connection =>
            {
                await CatchUpAsync(connection, cancellationToken).ConfigureAwait(false);
                return true;
            }, cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref _asOf, now);
            Interlocked.Exchange(ref _heard, rung);
            return _view!;
        }
        finally
        {
            _catchingUp.Release();
        }
    }

    /// <summary>Takes a row out that the database does not have as the index said.</summary>
    public void Drop(long row)
    {
        lock (_lock)
        {
            Set(row, RowState.Forgotten);
            Publish();
        }
    }

    private IndexView? Fresh() =>
        _view is { } view && Interlocked.Read(ref _heard) == Interlocked.Read(ref _rung) && options.Clock.GetElapsedTime(Volatile.Read(ref _asOf)) <= options.Staleness ? view : null;

    private async ValueTask CatchUpAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (_snapshot is null || _rows.Tail.Count > MostInTail || (_forgotten > VectorBlock.Rows && _forgotten > _rows.Blocks.Count * VectorBlock.Rows / 2)
            || !await ReadAsync(connection, anew: false, cancellationToken).ConfigureAwait(false))
        {
            await connection.EnsureEpochAsync(cancellationToken).ConfigureAwait(false);
            _snapshot = null; // until it was read to the end
            await ReadAsync(connection, anew: true, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads changes, or everything; false if the database is not the one of the last time. The moment is asked for first: what is committed between the two comes again.</summary>
    private async ValueTask<bool> ReadAsync(NpgsqlConnection connection, bool anew, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Sql.BatchCommand(Moment));
        batch.BatchCommands.Add(anew ? Sql.BatchCommand(Everything, partition) : Sql.BatchCommand(Changes, partition, _snapshot));
        if (anew)
            batch.Timeout = 0;
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        var snapshot = reader.GetString(0);
        var (epoch, incarnation) = (reader.GetString(1), $"{reader.GetString(1)} {reader.GetString(2)}");
        if (!anew && (epoch.Length == 0 || !string.Equals(incarnation, _incarnation, StringComparison.Ordinal)))
            return false;
        await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        var changes = new List<Change>();
        if (anew)
            Clear();
        do
        {
            changes.Clear();
            while (changes.Count < VectorBlock.Rows && await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                changes.Add(Change.Read(reader));
            lock (_lock)
            {
                foreach (var change in changes)
                    Apply(change);
            }
        }
        while (changes.Count > 0);
        lock (_lock)
            Publish();
        (_snapshot, _incarnation) = (snapshot, incarnation);
        return true;
    }

    private void Apply(Change change)
    {
        if (change.State == RowState.Forgotten || _rows.Contains(change.Row))
            Set(change.Row, change.State);
        // a vector of a wrong length is found when its record is read
        else if (change.Vector?.Length == dimensions && VectorEntry.Of(change.Row, change.Owner, change.State, change.Vector, change.IdOrder) is { } entry)
            _rows.Add(entry);
    }

    private void Set(long row, RowState state)
    {
        if (_rows.Set(row, state) && state == RowState.Forgotten)
            _forgotten++;
    }

    private void Clear()
    {
        lock (_lock)
        {
            _rows.Clear();
            _forgotten = 0;
        }
    }

    private void Publish() => _view = new([.. _rows.Blocks], [.. _rows.Tail]);
}

/// <summary>The mark that the server forgets after a crash.</summary>
internal static class Epoch
{
    /// <summary>Sets the mark anew if the server forgot it.</summary>
    public static async ValueTask EnsureEpochAsync(this NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (await connection.ScalarAsync("SELECT id FROM speedup.epoch", cancellationToken).ConfigureAwait(false) is not null)
            return;
        try
        {
            await connection.ExecuteAsync("INSERT INTO speedup.epoch DEFAULT VALUES ON CONFLICT DO NOTHING", cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ReadOnlySqlTransaction)
        {
            // without the mark everything is read anew each time
        }
    }
}
