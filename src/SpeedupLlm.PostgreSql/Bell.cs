using System.Globalization;
using System.Threading.Channels;
using Npgsql;
using SpeedupLlm.Experience;

namespace SpeedupLlm.PostgreSql;

/// <summary>
/// Tells other replicas that something was committed, by <c>NOTIFY</c>, and hears them. A bell, not a mail: what happened is read from the tables,
/// and a ring that is lost costs time only. It is rung after the commit, in a statement of its own, because a notifying commit holds a lock of the whole server.
/// </summary>
internal sealed class Bell : IAsyncDisposable
{
    private const string ChannelName = "speedup";

    /// <summary>PostgreSQL takes payloads below 8,000 bytes.</summary>
    private const int MostBytes = 7_900;

    private static readonly TimeSpan BetweenRings = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(200);

    private readonly string _self = Guid.NewGuid().ToString("N");
    private readonly Channel<long> _rung = Channel.CreateUnbounded<long>(new() { SingleReader = true });
    private readonly CancellationTokenSource _ending = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _lock = new();
    private readonly Database _database;
    private readonly Action<IReadOnlyCollection<long>?> _heard;
    private readonly TimeProvider _clock;
    private readonly Task _ringing;
    private Task _listening = Task.CompletedTask;
    private bool _isListening;

    /// <param name="database">Where it hangs.</param>
    /// <param name="heard">Told of others' rings: the partitions, or null if some may have been missed.</param>
    /// <param name="clock">For pauses.</param>
    public Bell(Database database, Action<IReadOnlyCollection<long>?> heard, TimeProvider clock)
    {
        _database = database;
        _heard = heard;
        _clock = clock;
        _ringing = RingAsync();
    }

    /// <summary>Rings for partitions, soon.</summary>
    public void Ring(IEnumerable<long> partitions)
    {
        foreach (var partition in partitions)
            _rung.Writer.TryWrite(partition);
    }

    /// <summary>Begins to hear others; it takes a connection of its own from then on.</summary>
    public void Listen()
    {
        lock (_lock)
        {
            if (_isListening || _closing.IsCancellationRequested)
                return;
            _isListening = true;
            _listening = Task.Run(() => ListenAsync(_closing.Token), CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_rung.Writer.TryComplete())
            return;
        await _ending.CancelAsync().ConfigureAwait(false);
        await _ringing.ConfigureAwait(false);
        await _closing.CancelAsync().ConfigureAwait(false);
        await _listening.ConfigureAwait(false);
        _ending.Dispose();
        _closing.Dispose();
    }

    private async Task RingAsync()
    {
        while (await _rung.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
        {
            var partitions = new HashSet<long>();
            while (_rung.Reader.TryRead(out var partition))
                partitions.Add(partition);
            var list = string.Join(',', partitions.Select(p => p.ToString(CultureInfo.InvariantCulture)));
            try
            {
                await _database.ReadAsync(
                    c => c.ExecuteAsync("SELECT pg_notify($1, $2)", CancellationToken.None, ChannelName, $"{_self}:{(list.Length < MostBytes ? list : "")}"), CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception e) when (IsOutage(e))
            {
                // others find it by themselves, only later
            }
            await Task.Delay(BetweenRings, _clock, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
                connection.Notification += (_, ring) => Hear(ring.Payload);
                await connection.ExecuteAsync("LISTEN " + ChannelName, cancellationToken).ConfigureAwait(false);
                _heard(null);
                while (true)
                    await connection.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (IsOutage(e))
            {
                _heard(null);
                await Task.Delay(BetweenTries, _clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Hear(string payload)
    {
        if (payload.Split(':') is not [var sender, var list] || string.Equals(sender, _self, StringComparison.Ordinal))
            return;
        _heard(list.Length == 0 ? null : [.. list.Split(',').Select(p => long.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : -1)]);
    }

    private static bool IsOutage(Exception error) =>
        error is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException or StoreDegradedException or StoreFormatException or StoreCorruptException or ObjectDisposedException or IOException;
}
