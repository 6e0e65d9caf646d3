using System.Collections.Concurrent;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Memory;

/// <summary>Questions that are being answered now, by scope and key: the same question asked meanwhile waits for that answer instead of being searched beside it (case 36). Thread-safe.</summary>
internal sealed class Flights
{
    private readonly ConcurrentDictionary<(Scope Scope, string Key), TaskCompletionSource<Solution?>> _flights = [];

    /// <summary>
    /// Joins a flight, or starts one. Who joins gets the accepted answer of the one who started, or null if there was none: then everybody searches alone.
    /// Who starts gets a flight to land.
    /// </summary>
    public async ValueTask<(Solution? Answered, Flight? Own)> EnterAsync(Scope scope, Question question, CancellationToken cancellationToken)
    {
        if (QuestionKey.Of(question) is not { } key)
            return (null, null);
        var mine = new TaskCompletionSource<Solution?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var flight = _flights.GetOrAdd((scope, key), mine);
        return flight == mine
            ? (null, new(this, (scope, key), mine))
            : (await flight.Task.WaitAsync(cancellationToken).ConfigureAwait(false), null);
    }

    /// <summary>A flight that was started. Disposing it lands it, with an answer or without.</summary>
    internal sealed class Flight(Flights flights, (Scope, string) key, TaskCompletionSource<Solution?> outcome) : IDisposable
    {
        /// <summary>Gives the answer to those who wait, if it was accepted and is whole.</summary>
        public void Land(Solution solution)
        {
            if (solution is { Accepted: true, Best.Complete: true })
                End(solution);
        }

        public void Dispose() => End(null);

        private void End(Solution? solution)
        {
            // who comes from now on finds no flight, and soon the memory of it
            if (outcome.TrySetResult(solution))
                flights._flights.TryRemove(key, out _);
        }
    }
}
