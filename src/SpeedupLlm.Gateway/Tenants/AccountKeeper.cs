using Microsoft.Extensions.Hosting;

namespace SpeedupLlm.Gateway.Tenants;

/// <summary>Adds what tenants spent to their accounts, so that other replicas know of it.</summary>
internal sealed class AccountKeeper(Access access, TimeProvider clock) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Tenant.Fresh, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            await access.StoreAsync(stoppingToken);
    }
}
