using System.Threading.Channels;
using Npgsql;
using SpeedupLlm.Experience;

namespace SpeedupLlm.PostgreSql;

/// <summary>Episodes on their way into the database: what waits together goes in one round trip and one transaction. Tasks end after the commit.</summary>
internal sealed class AppendQueue : IAsyncDisposable
{
    private const int MostTogether = 512;

    private readonly Channel<Waiting> _queue = Channel.CreateUnbounded<Waiting>(new() { SingleReader = true });
    private readonly Database _database;
    private readonly Scopes _scopes;
    private readonly Action<IReadOnlyCollection<long>> _committed;
    private readonly Task _writing;

    /// <param name="database">Where to.</param>
    /// <param name="scopes">The numbers of scopes.</param>
    /// <param name="committed">Told of the partitions of every commit, before the tasks end.</param>
    public AppendQueue(Database database, Scopes scopes, Action<IReadOnlyCollection<long>> committed)
    {
        _database = database;
        _scopes = scopes;
        _committed = committed;
        _writing = Task.Run(WriteAsync);
    }

    private sealed record Waiting(Episode Episode, TaskCompletionSource Done, CancellationToken CancellationToken);

    /// <summary>Appends; returns after the commit.</summary>
    /// <exception cref="StoreDegradedException">It is not known to be kept.</exception>
    public async ValueTask AppendAsync(Episode episode, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var waiting = new Waiting(episode, new(TaskCreationOptions.RunContinuationsAsynchronously), cancellationToken);
        ObjectDisposedException.ThrowIf(!_queue.Writer.TryWrite(waiting), typeof(PostgreSqlStore));
        await waiting.Done.Task.ConfigureAwait(false);
    }

    /// <summary>Writes what waits, then ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _writing.ConfigureAwait(false);
    }

    private async Task WriteAsync()
    {
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            var batch = new List<Waiting>();
            while (batch.Count < MostTogether && _queue.Reader.TryRead(out var next))
            {
                if (next.CancellationToken.IsCancellationRequested)
                    next.Done.TrySetCanceled(next.CancellationToken); // nobody waits for it any more
                else
                    batch.Add(next);
            }
            if (batch.Count > 0)
                await WriteAsync(batch).ConfigureAwait(false);
        }
    }

    private async Task WriteAsync(IReadOnlyList<Waiting> batch)
    {
        try
        {
            // appending the same id again changes nothing, so it may be repeated if nobody knows how it ended
            _committed(await _database.RepeatableWriteAsync(c => CommitAsync(c, batch), CancellationToken.None).ConfigureAwait(false));
            foreach (var waiting in batch)
                waiting.Done.TrySetResult();
        }
        catch (Exception e) when (batch.Count > 1 && e is PostgresException)
        {
            // one that cannot be kept takes no other with it
            foreach (var waiting in batch)
                await WriteAsync([waiting]).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            foreach (var waiting in batch)
                waiting.Done.TrySetException(e);
        }
    }

    /// <summary>One round trip: the server commits all of a batch or nothing.</summary>
    private async ValueTask<IReadOnlyCollection<long>> CommitAsync(NpgsqlConnection connection, IReadOnlyList<Waiting> waiting)
    {
        await using var batch = new NpgsqlBatch(connection);
        var partitions = new HashSet<long>();
        foreach (var (episode, _, _) in waiting)
        {
            var scope = await _scopes.AddAsync(connection, episode.Scope, CancellationToken.None).ConfigureAwait(false);
            var partition = await _scopes.AddPartitionAsync(connection, episode.Scope, PartitionKey.Of(episode), CancellationToken.None).ConfigureAwait(false);
            if (partition is not null)
                partitions.Add(partition.Value);
            batch.BatchCommands.Add(EpisodeTable.Append(episode, scope, partition));
        }
        await batch.ExecuteNonQueryAsync(CancellationToken.None).ConfigureAwait(false);
        return partitions;
    }
}
