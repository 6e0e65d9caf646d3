using SpeedupLlm.Benchmark.Results;

namespace SpeedupLlm.Benchmark.Experiments;

/// <summary>Counts finished trials and estimates the time left. Thread-safe.</summary>
internal sealed class Tally(int kept, int planned, TimeProvider clock, long start, Action<ExperimentProgress>? listener)
{
    private readonly Lock _gate = new();
    private int _fresh;
    private int _failed;

    /// <summary>Shows what there is before the first trial ends.</summary>
    public void Begin()
    {
        if (kept > 0)
            Add(0, 0);
    }

    public void Add(IReadOnlyList<Trial> trials) => Add(trials.Count, trials.Count(t => t.Error is not null));

    public void Add(int finished, int failed)
    {
        lock (_gate)
        {
            _fresh += finished;
            _failed += failed;
            var elapsed = clock.GetElapsedTime(start);
            var done = kept + _fresh;
            listener?.Invoke(new(done, planned, _failed, elapsed, _fresh > 0 ? elapsed * ((double)(planned - done) / _fresh) : null));
        }
    }
}
