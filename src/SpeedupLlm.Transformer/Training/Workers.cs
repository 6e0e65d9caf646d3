using System.Runtime.ExceptionServices;

namespace SpeedupLlm.Transformer.Training;

/// <summary>A fixed team of threads, the caller among them, that do one thing at a time together.</summary>
internal sealed class Workers : IDisposable
{
    private readonly Barrier _gate;
    private readonly Thread[] _threads;
    private Action<int>? _work;
    private ExceptionDispatchInfo? _failure;
    private int _next;

    public Workers(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Count = count;
        _gate = new(count);
        _threads = [.. Enumerable.Range(1, count - 1).Select(Start)];
    }

    /// <summary>How many, with the caller.</summary>
    public int Count { get; }

    /// <summary>Calls work(worker, job) once for each job; whoever is free takes the next. Returns when all are done.</summary>
    public void ForEach(int jobs, Action<int, int> work)
    {
        _next = 0;
        Together(worker =>
        {
            int job;
            while ((job = Interlocked.Increment(ref _next) - 1) < jobs)
                work(worker, job);
        });
    }

    public void Dispose()
    {
        _work = null;
        if (_threads.Length > 0)
            _gate.SignalAndWait();
        foreach (var thread in _threads)
            thread.Join();
        _gate.Dispose();
    }

    private void Together(Action<int> work)
    {
        if (_threads.Length == 0)
        {
            work(0);
            return;
        }

        _work = work;
        _gate.SignalAndWait();
        Guarded(0, work);
        _gate.SignalAndWait();
        var failure = Interlocked.Exchange(ref _failure, null);
        failure?.Throw();
    }

    private Thread Start(int worker)
    {
        var thread = new Thread(() =>
        {
            while (true)
            {
                _gate.SignalAndWait();
                if (_work is not { } work)
                    return;
                Guarded(worker, work);
                _gate.SignalAndWait();
            }
        })
        { IsBackground = true, Name = FormattableString.Invariant($"training {worker}") };
        thread.Start();
        return thread;
    }

    // the caller rethrows the first failure once all have stopped
    private void Guarded(int worker, Action<int> work)
    {
        try
        {
            work(worker);
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(e), null);
        }
    }
}
