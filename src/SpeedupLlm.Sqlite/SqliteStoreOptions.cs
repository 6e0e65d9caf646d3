namespace SpeedupLlm.Sqlite;

/// <summary>How a <see cref="SqliteStore"/> works.</summary>
public sealed record SqliteStoreOptions
{
    /// <summary>
    /// What "kept" means. True (default, <c>synchronous = FULL</c>): an acknowledged record survives the loss of power, if the disk tells the truth; about 1,600 commits a second.
    /// False (<c>NORMAL</c>): it survives the end of the process at any moment, <c>kill -9</c> included, and the last ones may be lost with the power; about ten times as many.
    /// The store opens again after either.
    /// </summary>
    public bool SurvivesPowerLoss { get; init; } = true;

    /// <summary>How long to wait for other processes, ≥ 1 s. Default 10 s.</summary>
    public TimeSpan Busy { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The clock, for pauses only: no expiry hangs on it.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>A full disk, for tests: the most pages that the file may have.</summary>
    internal long? MostPages { get; init; }

    /// <summary>Itself, checked.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The wait is too short.</exception>
    internal SqliteStoreOptions Validated()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Busy, TimeSpan.FromSeconds(1));
        return this;
    }
}
