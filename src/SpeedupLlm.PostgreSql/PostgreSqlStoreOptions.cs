namespace SpeedupLlm.PostgreSql;

/// <summary>How a <see cref="PostgreSqlStore"/> works.</summary>
public sealed record PostgreSqlStoreOptions
{
    /// <summary>
    /// Whether nearest neighbours are searched on the server where it has the extension <c>vector</c>: then nothing is held here, and every look-up scans its partition there.
    /// Otherwise, and without the extension, they are searched in this process, where a partition takes some 2 bytes a dimension and vector. Both are exact.
    /// Default: no, since it is not tested in every run (docs/stores.md).
    /// </summary>
    public bool UsePgvector { get; init; }

    /// <summary>The most that the vectors in this process may take, in bytes, ≥ 0; partitions that were not asked for the longest are let go, never the one in use. Default 1 GiB.</summary>
    public long IndexMemory { get; init; } = 1L << 30;

    /// <summary>A look-up in this process never misses what was committed longer ago than this, even if no notification comes. 0 to 1 minute; default 1 s.</summary>
    public TimeSpan Staleness { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The clock, for pauses and staleness: no expiry and no lease hangs on it.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Itself, checked.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    internal PostgreSqlStoreOptions Validated()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(IndexMemory);
        ArgumentOutOfRangeException.ThrowIfLessThan(Staleness, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Staleness, TimeSpan.FromMinutes(1));
        return this;
    }
}
