using Microsoft.Data.Sqlite;
using SpeedupLlm.Experience;
using SQLitePCL;

namespace SpeedupLlm.Sqlite;

/// <summary>What SQLite's errors mean for a store.</summary>
internal static class Failures
{
    /// <summary>Why nothing can be kept, or null if the error says something else.</summary>
    public static string? WhyDegraded(Exception error) => error is not SqliteException sqlite ? null : sqlite.SqliteErrorCode switch
    {
        raw.SQLITE_FULL => "the disk is full",
        raw.SQLITE_READONLY => "it is read-only",
        raw.SQLITE_CANTOPEN => "the file cannot be opened",
        raw.SQLITE_IOERR => "the disk fails",
        raw.SQLITE_PERM or raw.SQLITE_AUTH => "access is denied",
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => "another process holds it",
        raw.SQLITE_NOMEM => "memory is short",
        _ => null,
    };

    /// <summary>Whether the file itself is damaged.</summary>
    public static bool IsCorrupt(Exception error) => error is SqliteException { SqliteErrorCode: raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB };

    /// <summary>The store's exception for an SQLite error; any other error stays what it is.</summary>
    public static Exception Translate(Exception error, string store) =>
        IsCorrupt(error) ? new StoreCorruptException(store, error.Message.Contains("not a database", StringComparison.Ordinal) ? "it is not a database" : "the file is damaged", error)
        : WhyDegraded(error) is { } reason ? new StoreDegradedException(store, reason, error)
        : error;
}
