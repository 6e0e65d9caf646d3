namespace SpeedupLlm.Gateway.Forwarding;

/// <summary>Ends a request when its upstream has been silent for too long, or when the caller goes away.</summary>
internal sealed class Silence : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly TimeSpan _longest;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenRegistration _gone;

    public Silence(TimeSpan longest, TimeProvider clock, CancellationToken caller)
    {
        _longest = longest;
        _caller = caller;
        _source = new(longest, clock);
        _gone = caller.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _source);
    }

    public CancellationToken Token => _source.Token;

    /// <summary>Whether it was the upstream's silence that ended the request.</summary>
    public bool IsOver => _source.IsCancellationRequested && !_caller.IsCancellationRequested;

    /// <summary>Something was heard.</summary>
    public void Heard() => _source.CancelAfter(_longest);

    public void Dispose()
    {
        _gone.Dispose();
        _source.Dispose();
    }
}
