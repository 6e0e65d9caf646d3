using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using SpeedupLlm.Experience;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Errors;
using SpeedupLlm.Gateway.Replicas;

namespace SpeedupLlm.Gateway.Tenants;

/// <summary>A tenant with what it has used of its limits, in an account that replicas share. Thread-safe.</summary>
/// <remarks>
/// Requests are taken from the account in batches before they are let in: over all replicas a minute has never more than its limit. Costs are known after the
/// answer only: each replica adds its own within <see cref="Fresh"/>, and reads those of the others when what it knows is older. While the store fails, or is
/// slow, each replica counts by itself.
/// </remarks>
internal sealed partial class Tenant(TenantOptions options, IExperienceStore store, TimeProvider clock, ILogger<Tenant> logger) : IAsyncDisposable
{
    /// <summary>How old the account may be that a request is let in by, and how long costs may wait to be in it.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    // few writes for a store, and little that a replica can withhold from the others
    private const int BatchesAMinute = 50;

    // nobody waits for ever for a store that hangs; one that failed is left alone for a while
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10), Alone = TimeSpan.FromSeconds(15);

    private readonly SharedDocument<TenantAccount> _shared = new(store, clock, TenantJson.Default.TenantAccount, options.Name, "account", "limits");
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Lock _lock = new();
    private TenantAccount _account = new();
    private (DateOnly Day, decimal Cost) _pending;
    private (DateTimeOffset Minute, long Left) _taken;
    private long? _read;
    private long? _failed;

    public string Name => options.Name;

    /// <summary>Counts a request.</summary>
    /// <exception cref="ApiErrorException">The minute's requests are used up.</exception>
    public async ValueTask EnterAsync(CancellationToken cancellationToken)
    {
        if (options.RequestsPerMinute is not { } limit || TryEnter())
            return;
        await _turn.WaitAsync(cancellationToken);
        try
        {
            // whoever had the turn before may have taken enough for all
            if (TryEnter())
                return;
            if (Now().Requests < limit)
                await ShareAsync(takes: true);
            if (TryEnter())
                return;
        }
        finally
        {
            _turn.Release();
        }
        throw new ApiErrorException(ApiError.TooMany("The minute's requests are used up.", TimeSpan.FromTicks(TimeSpan.TicksPerMinute - clock.GetUtcNow().UtcTicks % TimeSpan.TicksPerMinute)));
    }

    /// <summary>Refuses a treated request whose budget is spent.</summary>
    /// <exception cref="ApiErrorException">The day's cost is used up.</exception>
    public async ValueTask CheckBudgetAsync(CancellationToken cancellationToken)
    {
        if (options.CostPerDay is not { } limit)
            return;
        if (!IsFresh())
        {
            await _turn.WaitAsync(cancellationToken);
            try
            {
                if (!IsFresh())
                    await ShareAsync(takes: false);
            }
            finally
            {
                _turn.Release();
            }
        }
        if (Now().Spent < limit)
            return;
        var now = clock.GetUtcNow().UtcDateTime;
        throw new ApiErrorException(new(StatusCodes.Status429TooManyRequests, "The day's budget is used up.", "insufficient_quota", "insufficient_quota") { RetryAfter = now.Date.AddDays(1) - now });
    }

    /// <summary>Books what a request cost.</summary>
    public void Spend(decimal cost)
    {
        if (options.CostPerDay is null)
            return;
        lock (_lock)
        {
            _pending = Pending();
            _pending.Cost += cost;
        }
    }

    /// <summary>Adds what was spent to the account, if it is not there yet.</summary>
    public async ValueTask StoreAsync(CancellationToken cancellationToken)
    {
        if (Pending().Cost == 0)
            return;
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (Pending().Cost > 0)
                await ShareAsync(takes: false);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StoreAsync(CancellationToken.None);
        _turn.Dispose();
    }

    /// <summary>Brings what is spent here into the account, takes a batch of requests from it if wanted, and learns what others did. The caller has the turn.</summary>
    private async ValueTask ShareAsync(bool takes)
    {
        var sent = Pending();
        var taken = 0L;
        TenantAccount Changed(TenantAccount? held, decimal spent)
        {
            var account = (held is { FormatVersion: TenantAccount.CurrentFormat } ? held : new()).At(clock.GetUtcNow());
            taken = takes ? Math.Clamp(options.RequestsPerMinute!.Value - account.Requests, 0, Math.Max(1, options.RequestsPerMinute.Value / BatchesAMinute)) : 0;
            return account with { Requests = account.Requests + taken, Spent = account.Spent + (account.Day == sent.Day ? spent : 0) };
        }
        var shared = await TryShareAsync(
            takes || sent.Cost > 0
                ? token => _shared.ChangeAsync(held => Changed(held, sent.Cost), token)
                : async token => Changed(await _shared.ReadAsync(token), 0));
        lock (_lock)
        {
            // what was not shared stays pending, and is counted here all the same
            _account = shared ?? Changed(_account, 0);
            if (shared is not null && _pending.Day == sent.Day)
                _pending.Cost -= sent.Cost;
            if (takes)
                _taken = (_account.Minute, taken);
            _read = clock.GetTimestamp();
        }
    }

    /// <summary>The account after a look into the store; null if the store fails or is slow.</summary>
    private async ValueTask<TenantAccount?> TryShareAsync(Func<CancellationToken, ValueTask<TenantAccount?>> share)
    {
        if (_failed is { } failed && clock.GetElapsedTime(failed) < Alone)
            return null;
        // a caller that goes away must not leave it open whether its costs were added
        using var patience = new CancellationTokenSource(Patience, clock);
        try
        {
            var shared = await share(patience.Token);
            _failed = shared is null ? clock.GetTimestamp() : null;
            return shared;
        }
        catch (Exception e)
        {
            // a store that fails keeps nobody from an answer
            _failed = clock.GetTimestamp();
            NotShared(e, Name);
            return null;
        }
    }

    private bool TryEnter()
    {
        lock (_lock)
        {
            if (_taken.Left == 0 || _account.At(clock.GetUtcNow()).Minute != _taken.Minute)
                return false;
            _taken.Left--;
            return true;
        }
    }

    private bool IsFresh()
    {
        lock (_lock)
            return _read is { } read && clock.GetElapsedTime(read) < Fresh;
    }

    /// <summary>What is spent here and not in the account yet; what a day that is over cost is nothing to the next.</summary>
    private (DateOnly Day, decimal Cost) Pending()
    {
        lock (_lock)
        {
            var day = _account.At(clock.GetUtcNow()).Day;
            return _pending.Day == day ? _pending : (day, 0);
        }
    }

    /// <summary>The account as far as it is known here.</summary>
    private TenantAccount Now()
    {
        lock (_lock)
        {
            var account = _account.At(clock.GetUtcNow());
            return account with { Spent = account.Spent + (_pending.Day == account.Day ? _pending.Cost : 0) };
        }
    }

    [LoggerMessage(5, LogLevel.Warning, "The account of {Tenant} could not be shared: this replica counts by itself for the moment")]
    private partial void NotShared(Exception exception, string tenant);
}
