namespace SpeedupLlm.Benchmark.Experiments;

/// <summary>Where the processes that share a run meet: what is left to do, who does it, and what came out. Thread-safe.</summary>
/// <remarks>A piece is done by one at a time. One whose holder died is free again after a while; what a slow holder brings then is refused, so every piece is done once.</remarks>
public interface ISharedRun
{
    /// <summary>For messages.</summary>
    string Name { get; }

    /// <summary>Begins the run, or joins it.</summary>
    /// <param name="manifest">What this process would run.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The manifest of who began it.</returns>
    ValueTask<string> BeginAsync(string manifest, CancellationToken cancellationToken);

    /// <summary>Adds the pieces that are not there yet, in the order in which they should be done.</summary>
    ValueTask AddAsync(IReadOnlyList<string> pieces, CancellationToken cancellationToken);

    /// <summary>Takes a piece that nobody has, or null. It is held until it is completed or disposed.</summary>
    ValueTask<ISharedPiece?> TakeAsync(CancellationToken cancellationToken);

    /// <summary>How many pieces are done, and how many there are; none at all if the run was removed.</summary>
    ValueTask<(long Done, long All)> CountAsync(CancellationToken cancellationToken);

    /// <summary>What came out of all pieces that are done.</summary>
    ValueTask<IReadOnlyList<string>> ResultsAsync(CancellationToken cancellationToken);
}

/// <summary>A piece of a shared run that this process holds; disposing gives it back if it is not completed.</summary>
public interface ISharedPiece : IAsyncDisposable
{
    /// <summary>Which.</summary>
    string Name { get; }

    /// <summary>Says what came out. False if it was lost meanwhile to another process: then it is not kept.</summary>
    ValueTask<bool> CompleteAsync(string result, CancellationToken cancellationToken);
}
