using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Errors;

namespace SpeedupLlm.Gateway.Tenants;

/// <summary>A tenant with what it has used of its limits. Thread-safe.</summary>
internal sealed class Tenant : IDisposable
{
    private readonly Lock _lock = new();
    private readonly TenantOptions _options;
    private readonly TimeProvider _clock;
    private readonly RateLimiter? _rate;
    private DateOnly _day;
    private decimal _spent;

    public Tenant(TenantOptions options, TimeProvider clock)
    {
        (_options, _clock) = (options, clock);
        _rate = options.RequestsPerMinute is { } limit ? new FixedWindowRateLimiter(new() { PermitLimit = limit, Window = TimeSpan.FromMinutes(1), QueueLimit = 0 }) : null;
    }

    public string Name => _options.Name;

    /// <summary>Counts a request.</summary>
    /// <exception cref="ApiErrorException">The minute's requests are used up.</exception>
    public void Enter()
    {
        if (_rate is null)
            return;
        using var lease = _rate.AttemptAcquire();
        if (!lease.IsAcquired)
            throw new ApiErrorException(ApiError.TooMany("The minute's requests are used up.", lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : TimeSpan.FromSeconds(60)));
    }

    /// <summary>Refuses a treated request whose budget is spent.</summary>
    /// <exception cref="ApiErrorException">The day's cost is used up.</exception>
    public void CheckBudget()
    {
        if (_options.CostPerDay is not { } limit)
            return;
        var now = _clock.GetUtcNow();
        lock (_lock)
        {
            Turn(now);
            if (_spent >= limit)
                throw new ApiErrorException(new(StatusCodes.Status429TooManyRequests, "The day's budget is used up.", "insufficient_quota", "insufficient_quota") { RetryAfter = now.UtcDateTime.Date.AddDays(1) - now.UtcDateTime });
        }
    }

    /// <summary>Books what a request cost.</summary>
    public void Spend(decimal cost)
    {
        lock (_lock)
        {
            Turn(_clock.GetUtcNow());
            _spent += cost;
        }
    }

    public void Dispose() => _rate?.Dispose();

    /// <summary>A clock that goes backward gives no second budget (case 27).</summary>
    private void Turn(DateTimeOffset now)
    {
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        if (today > _day)
            (_day, _spent) = (today, 0);
    }
}
