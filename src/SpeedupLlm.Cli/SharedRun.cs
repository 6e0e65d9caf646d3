using System.Globalization;
using System.Text;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Experience;
using SpeedupLlm.PostgreSql;

namespace SpeedupLlm.Cli;

/// <summary>A run that several processes share in a PostgreSQL database. A lifeline is held by lease, and free again when its process has not renewed it in time.</summary>
internal sealed class SharedRun : ISharedRun, IAsyncDisposable
{
    /// <summary>Renewed three times within; what a dead process held is taken over after it.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    /// <summary>For so long a database that is away is waited for.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>At once: many processes share the database's connections.</summary>
    private const int Connections = 8;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(0.5);

    private readonly PostgreSqlStore _store;
    private readonly TimeProvider _clock;
    private readonly SemaphoreSlim _connections = new(Connections);
    private readonly string _run;
    private readonly string _holder = string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}/{Environment.ProcessId}");

    private SharedRun(PostgreSqlStore store, string name, TimeProvider clock)
    {
        _store = store;
        _run = "bench/" + name;
        _clock = clock;
        Name = $"the run {name} in {store.Name}";
    }

    public string Name { get; }

    private string Pieces => _run + "/lifelines";

    /// <summary>Opens the run that is named like the folder.</summary>
    /// <exception cref="UsageException">The address is none, or the database cannot be reached.</exception>
    public static async ValueTask<SharedRun> OpenAsync(string address, string folder, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (!PostgreSqlStore.IsAddress(address))
            throw new UsageException("--workers is the address of a database: postgres://user:password@host:port/database");
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        var store = await PostgreSqlStore.OpenAsync(address, null, cancellationToken).ConfigureAwait(false);
        if (store.Unreachable is not { } reason)
            return new(store, name, clock);
        await store.DisposeAsync().ConfigureAwait(false);
        throw new UsageException($"--workers {store.Name}: {reason}");
    }

    public async ValueTask<string> BeginAsync(string manifest, CancellationToken cancellationToken)
    {
        await PatientlyAsync(() => _store.Work.AddAsync(_run, "manifest", Encoding.UTF8.GetBytes(manifest), cancellationToken), cancellationToken).ConfigureAwait(false);
        var begun = await PatientlyAsync(() => _store.Work.FindAsync(_run, "manifest", cancellationToken), cancellationToken).ConfigureAwait(false);
        return Encoding.UTF8.GetString((begun ?? throw new SharedRunRemovedException(Name)).Payload.Span);
    }

    public async ValueTask AddAsync(IReadOnlyList<string> pieces, CancellationToken cancellationToken) =>
        await PatientlyAsync(() => _store.Work.AddAsync(Pieces, pieces, cancellationToken), cancellationToken).ConfigureAwait(false);

    public async ValueTask<ISharedPiece?> TakeAsync(CancellationToken cancellationToken) =>
        await PatientlyAsync(() => _store.Work.TakeAsync(Pieces, _holder, Lease, int.MaxValue, cancellationToken), cancellationToken).ConfigureAwait(false) is { } lease
            ? new Piece(this, lease)
            : null;

    public async ValueTask<(long Done, long All)> CountAsync(CancellationToken cancellationToken)
    {
        var count = await PatientlyAsync(() => _store.Work.CountAsync(Pieces, cancellationToken), cancellationToken).ConfigureAwait(false);
        return (count.Done, count.Free + count.Held + count.Done);
    }

    public async ValueTask<IReadOnlyList<string>> ResultsAsync(CancellationToken cancellationToken)
    {
        var results = await PatientlyAsync(() => _store.Work.ResultsAsync(Pieces, cancellationToken), cancellationToken).ConfigureAwait(false);
        return [.. results.Select(r => Encoding.UTF8.GetString(r.Result.Span))];
    }

    /// <summary>Removes the run; false if there was none.</summary>
    public async ValueTask<bool> RemoveAsync(CancellationToken cancellationToken) =>
        await PatientlyAsync(() => _store.Work.RemoveAsync(Pieces, cancellationToken), cancellationToken).ConfigureAwait(false)
        + await PatientlyAsync(() => _store.Work.RemoveAsync(_run, cancellationToken), cancellationToken).ConfigureAwait(false) > 0;

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync().ConfigureAwait(false);
        _connections.Dispose();
    }

    private async ValueTask<T> PatientlyAsync<T>(Func<ValueTask<T>> ask, CancellationToken cancellationToken)
    {
        for (var began = _clock.GetTimestamp(); ;)
        {
            try
            {
                return await AskAsync(ask, cancellationToken).ConfigureAwait(false);
            }
            catch (StoreDegradedException away)
            {
                if (_clock.GetElapsedTime(began) > Patience)
                    throw new SharedRunAwayException($"{Name}: {away.Reason}; what is finished is kept there, and the same command goes on with the rest.");
            }

            await Task.Delay(Pause, _clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<T> AskAsync<T>(Func<ValueTask<T>> ask, CancellationToken cancellationToken)
    {
        await _connections.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await ask().ConfigureAwait(false);
        }
        finally
        {
            _connections.Release();
        }
    }

    private sealed class Piece : ISharedPiece
    {
        private readonly SharedRun _run;
        private readonly WorkLease _lease;
        private readonly CancellationTokenSource _over = new();
        private readonly Task _renewing;
        private bool _completed;

        public Piece(SharedRun run, WorkLease lease)
        {
            _run = run;
            _lease = lease;
            _renewing = RenewAsync(_over.Token);
        }

        public string Name => _lease.Name;

        public async ValueTask<bool> CompleteAsync(string result, CancellationToken cancellationToken) =>
            _completed = await _run.PatientlyAsync(() => _run._store.Work.CompleteAsync(_lease, Encoding.UTF8.GetBytes(result), cancellationToken), cancellationToken).ConfigureAwait(false);

        public async ValueTask DisposeAsync()
        {
            await _over.CancelAsync().ConfigureAwait(false);
            await _renewing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _over.Dispose();
            if (_completed)
                return;
            try
            {
                await _run.AskAsync(() => _run._store.Work.ReleaseAsync(_lease, CancellationToken.None), CancellationToken.None).ConfigureAwait(false);
            }
            catch (StoreDegradedException)
            {
                // it is free by itself when its time is over
            }
        }

        /// <summary>A lease that is lost meanwhile is noticed when the piece is completed.</summary>
        private async Task RenewAsync(CancellationToken cancellationToken)
        {
            while (true)
            {
                await Task.Delay(Lease / 3, _run._clock, cancellationToken).ConfigureAwait(false);
                try
                {
                    await _run.AskAsync(() => _run._store.Work.RenewAsync(_lease, Lease, cancellationToken), cancellationToken).ConfigureAwait(false);
                }
                catch (StoreDegradedException)
                {
                    // who completes a piece waits for the database
                }
            }
        }
    }
}

/// <summary>The database of a shared run stayed away. Remedy: bring it back, and give the same command again.</summary>
internal sealed class SharedRunAwayException(string message) : Exception(message);
