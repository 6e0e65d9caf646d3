using System.Text.Json.Serialization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SpeedupLlm.Gateway.Administration;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Replicas;

namespace SpeedupLlm.Gateway;

/// <summary>The mode in force: one call turns everything off, on all replicas. Thread-safe.</summary>
/// <remarks>
/// A switch holds here at once, on the others when they next look, and over restarts too, until somebody switches again or the configuration names another mode
/// than it did then. While the store fails it holds here, and the others are told as soon as that can be.
/// </remarks>
internal sealed partial class GatewaySwitch(GatewayOptions options, GatewayParts parts, AuditLog audit, ILogger<GatewaySwitch> log) : BackgroundService
{
    /// <summary>How often a replica looks.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    // neither a start nor the one call waits for ever for a store that hangs
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly SharedDocument<ModeSwitched> _shared = new(parts.Store, parts.Clock, ModeJson.Default.ModeSwitched, "gateway", "mode", "switch");
    private readonly SemaphoreSlim _telling = new(1);
    private readonly Lock _lock = new();
    private volatile int _mode = (int)options.Mode;
    private long _number;
    private ExperienceMode? _untold;

    public ExperienceMode Mode => (ExperienceMode)_mode;

    /// <summary>The modes by the names that people use for them.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Enum.GetNames<ExperienceMode>().Select(n => n.ToLowerInvariant())];

    /// <summary>Switches to a mode by its name; says whether there is such a mode. It is in the audit log.</summary>
    public async ValueTask<bool> SetAsync(string name, string by, CancellationToken cancellationToken)
    {
        var index = Names.ToList().FindIndex(n => n.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (index < 0)
            return false;
        var mode = Enum.Parse<ExperienceMode>(Names[index], ignoreCase: true);
        lock (_lock)
        {
            _mode = (int)mode;
            _untold = mode;
        }
        audit.Write("mode", by, null, Names[index], 0);
        await LookAsync(cancellationToken);
        return true;
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await WithPatienceAsync(BeginAsync, cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _telling.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, parts.Clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            await LookAsync(stoppingToken);
    }

    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        if (await _shared.ReadAsync(cancellationToken) is not { } switched)
            return;
        _number = switched.Number;
        if (switched.Configured == options.Mode && switched.Mode != options.Mode)
        {
            _mode = (int)switched.Mode;
            Switched(switched.Mode, options.Mode);
        }
    }

    /// <summary>Tells the others of a switch that was made here, or hears of theirs.</summary>
    private async Task LookAsync(CancellationToken cancellationToken)
    {
        await _telling.WaitAsync(cancellationToken);
        try
        {
            await WithPatienceAsync(_untold is null ? HearAsync : TellAsync, cancellationToken);
        }
        finally
        {
            _telling.Release();
        }
    }

    private async Task TellAsync(CancellationToken cancellationToken)
    {
        while (_untold is { } mode)
        {
            if (await _shared.ChangeAsync(last => new((last?.Number ?? 0) + 1, mode, options.Mode), cancellationToken) is not { } told)
                return;
            lock (_lock)
            {
                _number = told.Number;
                if (_untold == mode)
                    _untold = null;
            }
        }
    }

    private async Task HearAsync(CancellationToken cancellationToken)
    {
        var last = await _shared.ReadAsync(cancellationToken);
        lock (_lock)
        {
            if (last is null || last.Number <= _number || _untold is not null)
                return;
            (_number, _mode) = (last.Number, (int)last.Mode);
        }
        Switched(last.Mode, options.Mode);
    }

    private async Task WithPatienceAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            // a store that hangs may not heed the token
            await work(patience.Token).WaitAsync(Patience, parts.Clock, cancellationToken);
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // the store's health says what is wrong with it
            await patience.CancelAsync();
        }
    }

    [LoggerMessage(6, LogLevel.Warning, "The mode is {Mode}, as somebody switched; the configuration says {Configured}")]
    private partial void Switched(ExperienceMode mode, ExperienceMode configured);
}

/// <summary>The last switch, as it is stored.</summary>
/// <param name="Number">Counts up.</param>
/// <param name="Mode">The mode that was switched to.</param>
/// <param name="Configured">What the configuration of the replica said that was asked.</param>
internal sealed record ModeSwitched(long Number, ExperienceMode Mode, ExperienceMode Configured);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ModeSwitched))]
internal sealed partial class ModeJson : JsonSerializerContext
{
}
