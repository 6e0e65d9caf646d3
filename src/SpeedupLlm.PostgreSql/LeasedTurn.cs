using System.Globalization;
using SpeedupLlm.Experience;

namespace SpeedupLlm.PostgreSql;

/// <summary>A turn among the replicas: a lease that is renewed until it is given back.</summary>
internal sealed class LeasedTurn : IAsyncDisposable
{
    /// <summary>Renewed three times within; what a dead replica held is free after it.</summary>
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private static readonly string Holder = string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}/{Environment.ProcessId}");

    private readonly WorkQueue _work;
    private readonly IAsyncDisposable _own;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _over = new();
    private readonly Task _renewing;
    private WorkLease _lease;

    private LeasedTurn(WorkQueue work, WorkLease lease, IAsyncDisposable own, TimeProvider clock)
    {
        (_work, _lease, _own, _clock) = (work, lease, own, clock);
        _renewing = RenewAsync(_over.Token);
    }

    /// <summary>Waits for a lease.</summary>
    /// <param name="work">Where leases are.</param>
    /// <param name="name">The lease.</param>
    /// <param name="own">The turn within this replica, which goes with it.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public static async ValueTask<LeasedTurn> TakeAsync(WorkQueue work, string name, IAsyncDisposable own, TimeProvider clock, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await work.LeaseAsync(name, Holder, Duration, cancellationToken).ConfigureAwait(false) is { } lease)
                return new(work, lease, own, clock);
            await Task.Delay(Pause, clock, cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_over.IsCancellationRequested)
            return;
        await _over.CancelAsync().ConfigureAwait(false);
        await _renewing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            await _work.ReleaseAsync(_lease, CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreDegradedException)
        {
            // it is free by itself when its time is over
        }
        await _own.DisposeAsync().ConfigureAwait(false);
        _over.Dispose();
    }

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(Duration / 3, _clock, cancellationToken).ConfigureAwait(false);
            try
            {
                if (await _work.RenewAsync(_lease, Duration, cancellationToken).ConfigureAwait(false) is not { } renewed)
                    return; // lost: versions decide what is written
                _lease = renewed;
            }
            catch (StoreDegradedException)
            {
                // what is learnt meanwhile cannot be written either
            }
        }
    }
}
