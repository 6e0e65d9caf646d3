using SpeedupLlm.Compute;

namespace SpeedupLlm.Gateway.History;

/// <summary>What a tenant's requests came to since it was last stored, and the last of them. Thread-safe.</summary>
internal sealed class TenantUsage
{
    /// <summary>How many requests are shown.</summary>
    public const int Shown = 50;

    // a store that fails for longer loses the oldest hours: memory has an end
    private const int MostPending = 48;

    private readonly Lock _lock = new();
    private readonly Queue<EndedRequest> _last = new();
    private readonly SortedDictionary<DateTimeOffset, UsageHour> _pending = [];

    /// <summary>The last requests, newest first.</summary>
    public IReadOnlyList<EndedRequest> Last
    {
        get
        {
            lock (_lock)
                return [.. _last.Reverse()];
        }
    }

    public void Add(EndedRequest request)
    {
        lock (_lock)
        {
            _last.Enqueue(request);
            if (_last.Count > Shown)
                _last.Dequeue();
            HourOf(request.At).Add(request);
        }
    }

    public void Add(DateTimeOffset at, Ledger booking)
    {
        lock (_lock)
        {
            var hour = HourOf(at);
            hour.Ledger = hour.Ledger.Then(booking);
        }
    }

    /// <summary>Copies of the hours that are not stored yet.</summary>
    public IReadOnlyList<UsageHour> Pending()
    {
        lock (_lock)
            return new UsageDay(UsageDay.CurrentFormat, default, []).With(_pending.Values).Hours;
    }

    /// <summary>Takes the hours that are not stored yet.</summary>
    public IReadOnlyList<UsageHour> Take()
    {
        lock (_lock)
        {
            UsageHour[] taken = [.. _pending.Values];
            _pending.Clear();
            return taken;
        }
    }

    /// <summary>Gives back hours that could not be stored.</summary>
    public void Return(IReadOnlyList<UsageHour> hours)
    {
        lock (_lock)
        {
            foreach (var hour in hours)
            {
                if (_pending.Remove(hour.At, out var later))
                    hour.Add(later);
                _pending.Add(hour.At, hour);
            }
            while (_pending.Count > MostPending)
                _pending.Remove(_pending.Keys.First());
        }
    }

    private UsageHour HourOf(DateTimeOffset at)
    {
        var begins = UsageHour.HourOf(at);
        if (!_pending.TryGetValue(begins, out var hour))
            _pending.Add(begins, hour = new() { At = begins });
        return hour;
    }
}
