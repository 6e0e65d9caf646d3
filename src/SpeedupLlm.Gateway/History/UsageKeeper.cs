using Microsoft.Extensions.Hosting;

namespace SpeedupLlm.Gateway.History;

/// <summary>Stores the account from time to time, so that a process that dies loses little of it.</summary>
internal sealed class UsageKeeper(UsageHistory history, TimeProvider clock) : BackgroundService
{
    /// <summary>How often.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            await history.FlushAsync(stoppingToken);
    }
}
