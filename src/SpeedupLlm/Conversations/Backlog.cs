namespace SpeedupLlm.Conversations;

/// <summary>Work that is done after the answer: one piece after another, in order, so many waiting at most. Thread-safe.</summary>
internal sealed class Backlog(int capacity)
{
    private readonly Lock _lock = new();
    private Task _last = Task.CompletedTask;
    private int _waiting;

    /// <summary>Takes work, unless too much waits already. What it throws is lost: nobody waits for it, and the answer was given.</summary>
    public bool TryAdd(Func<Task> work)
    {
        lock (_lock)
        {
            if (_waiting == capacity)
                return false;
            _waiting++;
            _last = RunAsync(_last, work);
            return true;
        }
    }

    /// <summary>Waits until all that was taken so far is done.</summary>
    public Task FlushAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            return _last.WaitAsync(cancellationToken);
    }

    private async Task RunAsync(Task before, Func<Task> work)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (Exception)
        {
            // the next one must not go with it
        }
        finally
        {
            lock (_lock)
                _waiting--;
        }
    }
}
