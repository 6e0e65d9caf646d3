using Npgsql;
using SpeedupLlm.Experience;

namespace SpeedupLlm.PostgreSql;

/// <summary>The connections to a store's database, and how it is. Made ready when it is first reached. Thread-safe.</summary>
internal sealed class Database : IAsyncDisposable
{
    private const int MostTries = 8;

    private readonly SemaphoreSlim _preparing = new(1);
    private readonly NpgsqlDataSource _source;
    private readonly TimeProvider _clock;
    private volatile bool _ready;
    private volatile bool _closed;
    private volatile string? _unreachable;
    private volatile string? _unwritable;
    private long _notBefore;

    /// <summary>A database that nobody has asked yet.</summary>
    public Database(Address address, TimeProvider clock)
    {
        Name = address.Name;
        _clock = clock;
        var builder = new NpgsqlDataSourceBuilder(address.ConnectionString);
        builder.UsePhysicalConnectionInitializer(_ => throw new NotSupportedException("Connections are opened asynchronously."), PrepareConnectionAsync);
        _source = builder.Build();
    }

    /// <summary>Called when a connection was lost: the database may be another one afterwards.</summary>
    public event Action? Lost;

    /// <summary>For messages.</summary>
    public string Name { get; }

    /// <summary>Why it could not be reached when it was last asked, or null.</summary>
    public string? Unreachable => _unreachable;

    /// <summary>Why nothing can be kept, or null.</summary>
    public string? Degraded => _unreachable ?? _unwritable;

    /// <summary>The schema of pgvector, quoted, or null: as it was when the database was first reached.</summary>
    public string? VectorSchema { get; private set; }

    /// <summary>Runs a read, on another connection if its own is lost.</summary>
    /// <exception cref="StoreDegradedException">The database cannot be reached.</exception>
    public ValueTask<T> ReadAsync<T>(Func<NpgsqlConnection, ValueTask<T>> read, CancellationToken cancellationToken) => RunAsync(async () =>
    {
        await using var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        return await read(connection).ConfigureAwait(false);
    }, () => true, cancellationToken);

    /// <summary>Runs a write that may be repeated; it is kept when it returns.</summary>
    /// <exception cref="StoreDegradedException">It cannot be kept.</exception>
    public ValueTask<T> RepeatableWriteAsync<T>(Func<NpgsqlConnection, ValueTask<T>> write, CancellationToken cancellationToken) => RunAsync(async () =>
    {
        await using var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        var result = await write(connection).ConfigureAwait(false);
        _unwritable = null;
        return result;
    }, () => true, cancellationToken);

    /// <summary>Runs a write in a transaction, from the beginning if others were in the way; it is committed when it returns.</summary>
    /// <exception cref="StoreDegradedException">It is not known to be kept.</exception>
    public ValueTask<T> WriteAsync<T>(Func<NpgsqlConnection, ValueTask<T>> write, CancellationToken cancellationToken)
    {
        var committing = false;
        return RunAsync(async () =>
        {
            await using var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            var result = await write(connection).ConfigureAwait(false);
            committing = true;
            // from here on it must end one way or the other
            await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
            _unwritable = null;
            return result;
        }, () => !committing, cancellationToken);
    }

    /// <summary>A connection for as long as the caller likes.</summary>
    public async ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_closed, typeof(PostgreSqlStore));
        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_ready)
                await PrepareAsync(connection, cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Reads whether the database takes writes.</summary>
    public async ValueTask ProbeAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (await connection.ScalarAsync("SELECT current_setting('transaction_read_only')", cancellationToken).ConfigureAwait(false) is "on")
            _unwritable = Failures.ReadOnly;
        else if (_unwritable is Failures.ReadOnly)
            _unwritable = null;
    }

    public async ValueTask DisposeAsync()
    {
        _closed = true;
        await _source.DisposeAsync().ConfigureAwait(false);
        _preparing.Dispose();
    }

    private async ValueTask<T> RunAsync<T>(Func<ValueTask<T>> run, Func<bool> mayRepeat, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_closed, typeof(PostgreSqlStore));
        // a host that does not answer must not hold every question up: it is asked about half of the time
        var began = _clock.GetTimestamp();
        if (_unreachable is { } reason && began < Volatile.Read(ref _notBefore))
            throw new StoreDegradedException(Name, reason);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var result = await run().ConfigureAwait(false);
                _unreachable = null;
                return result;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException && !cancellationToken.IsCancellationRequested)
            {
                if (attempt < MostTries && mayRepeat() && (Failures.IsConflict(e) || (Failures.IsLostConnection(e) && await IsThereAsync(cancellationToken).ConfigureAwait(false))))
                    continue;
                throw Failed(e, began);
            }
        }
    }

    private Exception Failed(Exception error, long began)
    {
        var translated = Failures.Translate(error, Name);
        if (translated is not StoreDegradedException degraded)
            return translated;
        if (error is PostgresException { SqlState: var state } && state[..2] is "53" or "25" or "42" or "58" && state is not PostgresErrorCodes.TooManyConnections)
        {
            _unwritable = degraded.Reason;
        }
        else if (!Failures.IsConflict(error) && error is not PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable })
        {
            _unreachable = degraded.Reason;
            var now = _clock.GetTimestamp();
            Volatile.Write(ref _notBefore, now + (now - began) + _clock.TimestampFrequency / 5);
        }
        return translated;
    }

    /// <summary>Whether a connection can be had: the pool may hold more that were lost with the one that failed.</summary>
    private async ValueTask<bool> IsThereAsync(CancellationToken cancellationToken)
    {
        _source.Clear();
        _ready = false;
        Lost?.Invoke();
        try
        {
            await using var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    private async ValueTask PrepareAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await _preparing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_ready)
                return;
            await Schema.MigrateAsync(connection, Name, cancellationToken).ConfigureAwait(false);
            VectorSchema = await connection.ScalarAsync(
                "SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector'", cancellationToken).ConfigureAwait(false) as string;
            _ready = true;
        }
        finally
        {
            _preparing.Release();
        }
    }

    /// <summary>A writer that hangs must not hold others up for ever.</summary>
    private static async Task PrepareConnectionAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'", connection);
        await command.ExecuteNonQueryAsync().ConfigureAwait(false);
    }
}
