namespace SpeedupLlm.Models.Tests;

/// <summary>A clock whose timers fire at once and move it forward by what they would have waited: retries are tested without waiting.</summary>
internal sealed class FakeClock(DateTimeOffset start) : TimeProvider
{
    private readonly Lock _lock = new();
    private TimeSpan _passed;

    public FakeClock()
        : this(new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero))
    {
    }

    public List<TimeSpan> Waits { get; } = [];

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
            return start + _passed;
    }

    public override long GetTimestamp()
    {
        lock (_lock)
            return _passed.Ticks;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        lock (_lock)
        {
            if (dueTime > TimeSpan.Zero)
            {
                Waits.Add(dueTime);
                _passed += dueTime;
            }
        }
        if (dueTime >= TimeSpan.Zero)
            ThreadPool.QueueUserWorkItem(_ => callback(state));
        return new Fired();
    }

    private sealed class Fired : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
