using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using SpeedupLlm.Compute;
using SpeedupLlm.Gateway.Telemetry;

namespace SpeedupLlm.Gateway.History;

/// <summary>What requests came to, by tenant and hour: in this process at once, in the store within <see cref="UsageKeeper.Every"/> and at the end. Thread-safe.</summary>
internal sealed partial class UsageHistory(UsageStore store, TimeProvider clock, ILogger<UsageHistory> logger) : IAsyncDisposable
{
    // days that are over hardly change; those of other replicas are read again
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5), Settled = TimeSpan.FromMinutes(15);
    private const int MostCached = 4 * UsageStore.Days;

    private readonly ConcurrentDictionary<string, TenantUsage> _tenants = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Tenant, DateOnly Day), (UsageDay? Day, long Read)> _days = [];
    private readonly SemaphoreSlim _stored = new(1, 1);
    private long _number;
    private long _version;

    /// <summary>Changes whenever something is added.</summary>
    public long Version => Interlocked.Read(ref _version);

    /// <summary>Counts a request that ended.</summary>
    public void Ended(string tenant, RequestTelemetry telemetry)
    {
        Of(tenant).Add(EndedRequest.Of(telemetry, Interlocked.Increment(ref _number), clock.GetUtcNow()));
        Interlocked.Increment(ref _version);
    }

    /// <summary>Counts what a question cost.</summary>
    public void Booked(string tenant, Ledger booking)
    {
        Of(tenant).Add(clock.GetUtcNow(), booking);
        Interlocked.Increment(ref _version);
    }

    /// <summary>The last requests of a tenant, newest first.</summary>
    public IReadOnlyList<EndedRequest> Last(string tenant) => Of(tenant).Last;

    /// <summary>A tenant's hours from a moment on, oldest first; those without requests are missing.</summary>
    public async ValueTask<IReadOnlyList<UsageHour>> ReadAsync(string tenant, DateTimeOffset from, CancellationToken cancellationToken)
    {
        // what is being stored is neither missed nor counted twice
        await _stored.WaitAsync(cancellationToken);
        try
        {
            var hours = new List<UsageHour>();
            var last = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
            for (var day = DateOnly.FromDateTime(from.UtcDateTime); day <= last; day = day.AddDays(1))
                hours.AddRange((await DayAsync(tenant, day, day == last ? Fresh : Settled, cancellationToken))?.Hours ?? []);
            var all = new UsageDay(UsageDay.CurrentFormat, last, hours).With(Of(tenant).Pending()).Hours;
            return [.. all.Where(h => h.At >= UsageHour.HourOf(from))];
        }
        finally
        {
            _stored.Release();
        }
    }

    /// <summary>What a tenant's questions cost from a moment on, over all replicas.</summary>
    public async ValueTask<Ledger> SumAsync(string tenant, DateTimeOffset from, CancellationToken cancellationToken) =>
        (await ReadAsync(tenant, from, cancellationToken)).Aggregate(Ledger.Empty, (sum, hour) => sum.Then(hour.Ledger));

    /// <summary>Stores what is not stored yet. What cannot be stored is kept for the next time.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        await _stored.WaitAsync(cancellationToken);
        try
        {
            foreach (var (tenant, usage) in _tenants)
            {
                foreach (var day in usage.Take().GroupBy(h => DateOnly.FromDateTime(h.At.UtcDateTime)))
                    await StoreAsync(tenant, usage, day.Key, [.. day], cancellationToken);
            }
        }
        finally
        {
            _stored.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await FlushAsync(CancellationToken.None);
        _stored.Dispose();
    }

    private async Task StoreAsync(string tenant, TenantUsage usage, DateOnly day, IReadOnlyList<UsageHour> hours, CancellationToken cancellationToken)
    {
        try
        {
            if (await store.AddAsync(tenant, day, hours, cancellationToken) is { } stored)
                _days[(tenant, day)] = (stored, clock.GetTimestamp());
            else
                usage.Return(hours);
        }
        catch (Exception e)
        {
            usage.Return(hours);
            // memory that fails is told by /healthz; the account goes on in this process
            NotStored(e, tenant);
        }
    }

    private async ValueTask<UsageDay?> DayAsync(string tenant, DateOnly day, TimeSpan fresh, CancellationToken cancellationToken)
    {
        if (_days.TryGetValue((tenant, day), out var known) && clock.GetElapsedTime(known.Read) < fresh)
            return known.Day;
        if (_days.Count >= MostCached)
            _days.Clear();
        var read = await store.ReadAsync(tenant, day, cancellationToken);
        _days[(tenant, day)] = (read, clock.GetTimestamp());
        return read;
    }

    private TenantUsage Of(string tenant) => _tenants.GetOrAdd(tenant, static _ => new());

    [LoggerMessage(4, LogLevel.Warning, "The account of {Tenant} could not be stored; it is tried again")]
    private partial void NotStored(Exception exception, string tenant);
}
