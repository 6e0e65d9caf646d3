namespace SpeedupLlm.Gateway.Forwarding;

/// <summary>How often, and for how long, a request may be tried again after all upstreams have refused it. Begins when it is made. Not thread-safe.</summary>
/// <param name="most">From the first try on.</param>
/// <param name="clock">The clock.</param>
internal sealed class Patience(TimeSpan most, TimeProvider clock)
{
    private const int MostRounds = 5;
    private static readonly TimeSpan LeastWait = TimeSpan.FromMilliseconds(250);

    private readonly long _began = clock.GetTimestamp();
    private int _rounds;

    /// <summary>Waits as long as the upstream asks, if there is time for it; says whether to try again.</summary>
    /// <param name="asked">What it asks; null: nothing, and then nothing is tried again.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async ValueTask<bool> WaitAsync(TimeSpan? asked, CancellationToken cancellationToken)
    {
        var least = LeastWait * Math.Pow(2, _rounds);
        var wait = asked < least ? least : asked;
        if (wait is null || _rounds == MostRounds || clock.GetElapsedTime(_began) + wait > most)
            return false;
        _rounds++;
        await Task.Delay(wait.Value, clock, cancellationToken);
        return true;
    }
}
