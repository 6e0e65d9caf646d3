using Npgsql;
using SpeedupLlm.Experience;

namespace SpeedupLlm.PostgreSql;

/// <summary>A piece of work that a holder has for a time.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Name">The work's name, unique in the queue.</param>
/// <param name="Payload">What is to be done.</param>
/// <param name="Holder">Who has it.</param>
/// <param name="Token">Counts up with every taking: what a holder does who has lost the work meanwhile is refused.</param>
/// <param name="Attempts">How often it was taken, this time included.</param>
/// <param name="Until">Until when, by the database's clock.</param>
public sealed record WorkLease(string Queue, string Name, ReadOnlyMemory<byte> Payload, string Holder, long Token, int Attempts, DateTimeOffset Until);

/// <summary>How a piece of work is.</summary>
/// <param name="Holder">Who has it, or had it last; null if nobody did.</param>
/// <param name="Attempts">How often it was taken.</param>
/// <param name="Done">When it was done, by the database's clock, or null.</param>
/// <param name="Result">What came out; empty before.</param>
/// <param name="Payload">What is to be done.</param>
public sealed record WorkState(string? Holder, int Attempts, DateTimeOffset? Done, ReadOnlyMemory<byte> Result, ReadOnlyMemory<byte> Payload);

/// <summary>What came out of a piece of work that is done.</summary>
public sealed record WorkResult(string Name, ReadOnlyMemory<byte> Result);

/// <summary>How a queue is.</summary>
/// <param name="Free">Waiting, or lost by a holder who did not renew in time.</param>
/// <param name="Held">Being done.</param>
/// <param name="Done">Done.</param>
public sealed record WorkCount(long Free, long Held, long Done);

/// <summary>
/// Named work that several processes share, each piece done by one at a time. Who takes a piece holds it for a time and renews it; of a holder who died it is free after that time.
/// All times are the database's. Thread-safe. A method throws <see cref="StoreDegradedException"/> while the database cannot be reached.
/// </summary>
/// <remarks>A holder may be slow rather than dead, so a piece may be done by two; the second finds its <see cref="WorkLease.Token"/> refused when it completes. What work does elsewhere must bear that.</remarks>
public sealed class WorkQueue
{
    /// <summary>The queue of leases by name.</summary>
    private const string Leases = "lease";

    private const string Returned = " RETURNING queue, name, payload, holder, token, attempts, until";

    private readonly Database _database;

    internal WorkQueue(Database database) => _database = database;

    /// <summary>Adds a piece of work; false if the queue has it already, done or not.</summary>
    public async ValueTask<bool> AddAsync(string queue, string name, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) => await RunAsync(
        c => c.ExecuteAsync(
            "INSERT INTO speedup.work (queue, name, payload) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", cancellationToken, Named(queue), Named(name), payload.ToArray()),
        cancellationToken).ConfigureAwait(false) > 0;

    /// <summary>Adds many pieces without a payload, to be taken in this order, all or none; says how many the queue had not yet.</summary>
    public ValueTask<int> AddAsync(string queue, IReadOnlyCollection<string> names, CancellationToken cancellationToken) => RunAsync(
        c => c.ExecuteAsync(
            "INSERT INTO speedup.work (queue, name, payload) SELECT $1, name, '' FROM unnest($2) WITH ORDINALITY AS n(name, place) ORDER BY place ON CONFLICT DO NOTHING",
            cancellationToken, Named(queue), names.Select(Named).ToArray()),
        cancellationToken);

    /// <summary>Takes the oldest piece that is free, or null.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="holder">Who takes it: unique among the processes.</param>
    /// <param name="duration">For how long, more than zero; renew it well before.</param>
    /// <param name="mostAttempts">A piece that was taken so often is left: it may be what kills its holders. ≥ 1.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async ValueTask<WorkLease?> TakeAsync(string queue, string holder, TimeSpan duration, int mostAttempts, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(mostAttempts, 1);
        return await LeaseAsync(
            """
            UPDATE speedup.work SET holder = $2, until = clock_timestamp() + $3, token = token + 1, attempts = attempts + 1
            WHERE id = (SELECT id FROM speedup.work WHERE queue = $1 AND done IS NULL AND attempts < $4 AND (until IS NULL OR until < clock_timestamp())
              ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
            """, cancellationToken, Named(queue), Named(holder), Positive(duration), mostAttempts).ConfigureAwait(false);
    }

    /// <summary>Takes the lease of a name if it is free, or null. Nothing needs to be added before, and it is never done: background work that should happen once among the replicas.</summary>
    /// <param name="name">The lease.</param>
    /// <param name="holder">Who takes it: unique among the processes. It does not get a lease that it holds already: see <see cref="RenewAsync"/>.</param>
    /// <param name="duration">For how long, more than zero.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async ValueTask<WorkLease?> LeaseAsync(string name, string holder, TimeSpan duration, CancellationToken cancellationToken) => await LeaseAsync(
        """
        INSERT INTO speedup.work AS w (queue, name, payload, holder, until, token, attempts) VALUES ($1, $2, '', $3, clock_timestamp() + $4, 1, 1)
        ON CONFLICT (queue, name) DO UPDATE SET holder = excluded.holder, until = clock_timestamp() + $4, token = w.token + 1, attempts = w.attempts + 1
        WHERE w.until IS NULL OR w.until < clock_timestamp()
        """, cancellationToken, Leases, Named(name), Named(holder), Positive(duration)).ConfigureAwait(false);

    /// <summary>Holds on for a time from now; null if somebody else has it, or it is done or removed.</summary>
    public async ValueTask<WorkLease?> RenewAsync(WorkLease lease, TimeSpan duration, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return await LeaseAsync(
            "UPDATE speedup.work SET until = clock_timestamp() + $4 WHERE queue = $1 AND name = $2 AND token = $3 AND done IS NULL AND until IS NOT NULL",
            cancellationToken, lease.Queue, lease.Name, lease.Token, Positive(duration)).ConfigureAwait(false);
    }

    /// <summary>Gives a piece back undone: it is free at once. False if it was lost before.</summary>
    public async ValueTask<bool> ReleaseAsync(WorkLease lease, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return await RunAsync(
            c => c.ExecuteAsync("UPDATE speedup.work SET until = NULL WHERE queue = $1 AND name = $2 AND token = $3 AND done IS NULL", cancellationToken, lease.Queue, lease.Name, lease.Token),
            cancellationToken).ConfigureAwait(false) > 0;
    }

    /// <summary>Says that a piece is done; once, and nobody gets it again. False if it was lost before: then the result is not kept.</summary>
    public async ValueTask<bool> CompleteAsync(WorkLease lease, ReadOnlyMemory<byte> result, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        // told twice because an acknowledgement was lost, it is done all the same
        return await RunAsync(
            c => c.ExecuteAsync(
                "UPDATE speedup.work SET done = coalesce(done, clock_timestamp()), result = coalesce(result, $4) WHERE queue = $1 AND name = $2 AND token = $3",
                cancellationToken, lease.Queue, lease.Name, lease.Token, result.ToArray()), cancellationToken).ConfigureAwait(false) > 0;
    }

    /// <summary>How a piece of work is, or null if there is none.</summary>
    public async ValueTask<WorkState?> FindAsync(string queue, string name, CancellationToken cancellationToken)
    {
        var rows = await _database.ReadAsync(c => c.RowsAsync(
            "SELECT holder, attempts, done, result, payload FROM speedup.work WHERE queue = $1 AND name = $2",
            row => new WorkState(
                row.IsDBNull(0) ? null : row.GetString(0), row.GetInt32(1), row.IsDBNull(2) ? null : row.GetFieldValue<DateTimeOffset>(2), row.IsDBNull(3) ? default(ReadOnlyMemory<byte>) : row.GetFieldValue<byte[]>(3),
                row.GetFieldValue<byte[]>(4)),
            cancellationToken, Named(queue), Named(name)), cancellationToken).ConfigureAwait(false);
        return rows is [var state] ? state : null;
    }

    /// <summary>How a queue is.</summary>
    public async ValueTask<WorkCount> CountAsync(string queue, CancellationToken cancellationToken) => (await _database.ReadAsync(c => c.RowsAsync(
        """
        SELECT count(*) FILTER (WHERE done IS NULL AND (until IS NULL OR until < clock_timestamp())), count(*) FILTER (WHERE done IS NULL AND until >= clock_timestamp()), count(done)
        FROM speedup.work WHERE queue = $1
        """, row => new WorkCount(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)), cancellationToken, Named(queue)), cancellationToken).ConfigureAwait(false))[0];

    /// <summary>What came out of all pieces that are done, in the order of their adding.</summary>
    public async ValueTask<IReadOnlyList<WorkResult>> ResultsAsync(string queue, CancellationToken cancellationToken) => await _database.ReadAsync(
        c => c.RowsAsync(
            "SELECT name, result FROM speedup.work WHERE queue = $1 AND done IS NOT NULL ORDER BY id",
            row => new WorkResult(row.GetString(0), row.GetFieldValue<byte[]>(1)), cancellationToken, Named(queue)),
        cancellationToken).ConfigureAwait(false);

    /// <summary>Removes a queue with all its work, done or not; says how much there was. Who holds some of it finds it lost.</summary>
    public ValueTask<int> RemoveAsync(string queue, CancellationToken cancellationToken) =>
        RunAsync(c => c.ExecuteAsync("DELETE FROM speedup.work WHERE queue = $1", cancellationToken, Named(queue)), cancellationToken);

    private async ValueTask<WorkLease?> LeaseAsync(string sql, CancellationToken cancellationToken, params object?[] arguments)
    {
        var rows = await RunAsync(c => c.RowsAsync(
            sql + Returned,
            row => new WorkLease(row.GetString(0), row.GetString(1), row.GetFieldValue<byte[]>(2), row.GetString(3), row.GetInt64(4), row.GetInt32(5), row.GetFieldValue<DateTimeOffset>(6)),
            cancellationToken, arguments), cancellationToken).ConfigureAwait(false);
        return rows is [var lease] ? lease : null;
    }

    private ValueTask<T> RunAsync<T>(Func<NpgsqlConnection, ValueTask<T>> write, CancellationToken cancellationToken) => _database.RepeatableWriteAsync(write, cancellationToken);

    private static string Named(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return name.Contains('\0', StringComparison.Ordinal) ? throw new ArgumentException("A name has no null character.", nameof(name)) : name;
    }

    private static TimeSpan Positive(TimeSpan duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(duration, TimeSpan.Zero);
        return duration;
    }
}
