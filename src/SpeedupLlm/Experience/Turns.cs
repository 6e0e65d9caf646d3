namespace SpeedupLlm.Experience;

/// <summary>Lets one at a time, of those in this process, do what has a name in a scope. Thread-safe.</summary>
internal sealed class Turns
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(Scope Scope, string Name), Line> _lines = [];

    /// <summary>Waits for the turn; dispose it for the next one.</summary>
    public async ValueTask<IAsyncDisposable> TakeAsync(Scope scope, string name, CancellationToken cancellationToken)
    {
        Line? line;
        lock (_lock)
        {
            if (!_lines.TryGetValue((scope, name), out line))
                _lines.Add((scope, name), line = new());
            line.Length++;
        }
        var turn = new Turn(this, (scope, name), line);
        try
        {
            await line.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            Leave((scope, name), line);
            throw;
        }
        return turn;
    }

    private void Leave((Scope, string) key, Line line)
    {
        lock (_lock)
        {
            if (--line.Length > 0)
                return;
            _lines.Remove(key);
        }
        line.Gate.Dispose();
    }

    /// <summary>Who waits, and who has the turn.</summary>
    private sealed class Line
    {
        public SemaphoreSlim Gate { get; } = new(1);

        public int Length { get; set; }
    }

    private sealed class Turn(Turns turns, (Scope, string) key, Line line) : IAsyncDisposable
    {
        private int _over;

        public ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref _over, 1) == 0)
            {
                line.Gate.Release();
                turns.Leave(key, line);
            }
            return ValueTask.CompletedTask;
        }
    }
}
