using System.Collections.Concurrent;

namespace SpeedupLlm.Sqlite;

/// <summary>All writing of a store: one thread, one connection; what waits together is committed together.</summary>
/// <remarks>Each piece of work has its savepoint, so that one that fails takes no other with it. Tasks end after the commit.</remarks>
internal sealed class WriterThread : IAsyncDisposable
{
    private const int MostTogether = 512;

    private readonly BlockingCollection<Work> _queue = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<Database> _open;
    private readonly Action<Exception?> _outcome;
    private readonly Func<Exception, Exception> _translate;
    private Database? _database;

    /// <summary>Starts the thread.</summary>
    /// <param name="open">Opens the connection; called again after it failed.</param>
    /// <param name="translate">Makes an SQLite error the store's own.</param>
    /// <param name="outcome">Told of every commit (null) and every failure of one.</param>
    public WriterThread(Func<Database> open, Func<Exception, Exception> translate, Action<Exception?> outcome)
    {
        _open = open;
        _translate = translate;
        _outcome = outcome;
        new Thread(Run) { IsBackground = true, Name = "experience writer" }.Start();
    }

    private abstract class Work
    {
        public abstract bool Do(Database database);

        public abstract void Complete();

        public abstract void Fail(Exception error);
    }

    private sealed class Work<T>(Func<Database, T> what, CancellationToken cancellationToken) : Work
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T _result = default!;

        public Task<T> Done => _done.Task;

        /// <summary>False if nobody waits for it any more.</summary>
        public override bool Do(Database database)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                _done.TrySetCanceled(cancellationToken);
                return false;
            }
            _result = what(database);
            return true;
        }

        public override void Complete() => _done.TrySetResult(_result);

        public override void Fail(Exception error) => _done.TrySetException(error);
    }

    /// <summary>Does a piece of work in a transaction; returns after its commit.</summary>
    /// <exception cref="ObjectDisposedException">The store was closed.</exception>
    public async ValueTask<T> RunAsync<T>(Func<Database, T> what, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var work = new Work<T>(what, cancellationToken);
        try
        {
            _queue.Add(work, CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            throw new ObjectDisposedException(nameof(SqliteStore));
        }
        return await work.Done.ConfigureAwait(false);
    }

    /// <summary>Writes what waits, then ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.CompleteAdding();
        await _ended.Task.ConfigureAwait(false);
    }

    private void Run()
    {
        var batch = new List<Work>();
        foreach (var first in _queue.GetConsumingEnumerable())
        {
            batch.Add(first);
            while (batch.Count < MostTogether && _queue.TryTake(out var next))
                batch.Add(next);
            Commit(batch);
            batch.Clear();
        }
        _database?.Dispose();
        _queue.Dispose();
        _ended.SetResult();
    }

    private void Commit(List<Work> batch)
    {
        var written = new List<Work>(batch.Count);
        try
        {
            var database = _database ??= _open();
            database.Execute("BEGIN IMMEDIATE");
            foreach (var work in batch)
            {
                database.Execute("SAVEPOINT work");
                try
                {
                    if (work.Do(database))
                        written.Add(work);
                    database.Execute("RELEASE work");
                }
                catch (Exception e) when (database.InTransaction && _translate(e) == e)
                {
                    database.Execute("ROLLBACK TO work");
                    database.Execute("RELEASE work");
                    work.Fail(e);
                }
            }
            database.Execute("COMMIT");
        }
        catch (Exception e)
        {
            Abandon();
            var error = _translate(e);
            _outcome(error);
            foreach (var work in batch)
                work.Fail(error); // those that ended before are not touched
            return;
        }
        _outcome(null);
        foreach (var work in written)
            work.Complete();
    }

    /// <summary>A connection that failed is not trusted again.</summary>
    private void Abandon()
    {
        try
        {
            _database?.RollBack();
        }
        catch (Microsoft.Data.Sqlite.SqliteException)
        {
            // closing rolls back as well
        }
        _database?.Dispose();
        _database = null;
    }
}
