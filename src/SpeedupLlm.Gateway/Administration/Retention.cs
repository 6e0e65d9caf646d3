using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Tenants;

namespace SpeedupLlm.Gateway.Administration;

/// <summary>Forgets what is older than the configured retention: when the server starts, and then once a day.</summary>
internal sealed partial class Retention(GatewayOptions options, Access access, MemoryAdministration memory, TimeProvider clock, ILogger<Retention> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.RetentionDays is not { } days)
            return;
        using var timer = new PeriodicTimer(TimeSpan.FromDays(1), clock);
        do
        {
            foreach (var tenant in access.Tenants)
            {
                try
                {
                    await memory.ExpireAsync(tenant, clock.GetUtcNow() - TimeSpan.FromDays(days), stoppingToken);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    Failed(e, tenant);
                }
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(2, LogLevel.Error, "What is too old of {Tenant} was not forgotten")]
    private partial void Failed(Exception exception, string tenant);
}
