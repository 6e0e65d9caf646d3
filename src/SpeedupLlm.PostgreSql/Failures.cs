using Npgsql;
using SpeedupLlm.Experience;

namespace SpeedupLlm.PostgreSql;

/// <summary>What PostgreSQL's errors mean for a store.</summary>
internal static class Failures
{
    /// <summary>A standby, or set so.</summary>
    public const string ReadOnly = "the database is read-only";

    /// <summary>Why nothing can be kept or read, or null if the error says something else.</summary>
    public static string? WhyDegraded(Exception error) => error switch
    {
        PostgresException postgres => WhyDegraded(postgres),
        NpgsqlException { InnerException: TimeoutException } => "the database does not answer in time",
        NpgsqlException { InnerException: System.Security.Authentication.AuthenticationException } => "the database's certificate is not accepted",
        // Npgsql has no code for it
        NpgsqlException { InnerException: null } missing when missing.Message.Contains("password", StringComparison.OrdinalIgnoreCase) => "the database wants a password",
        NpgsqlException => "the database cannot be reached",
        System.Net.Sockets.SocketException => "the database cannot be reached",
        TimeoutException => "the database does not answer in time",
        _ => null,
    };

    /// <summary>Whether a connection that was open is gone: what was not committed can be tried on another one.</summary>
    public static bool IsLostConnection(Exception error) =>
        error is PostgresException postgres ? postgres.SqlState.StartsWith("57P0", StringComparison.Ordinal) || postgres.SqlState.StartsWith("08", StringComparison.Ordinal)
        : error is NpgsqlException { InnerException: IOException };

    /// <summary>Whether others were in the way: the transaction can be tried again.</summary>
    public static bool IsConflict(Exception error) =>
        error is PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure };

    /// <summary>The store's exception for an error; any other stays what it is.</summary>
    public static Exception Translate(Exception error, string store) =>
        error is PostgresException { SqlState: "XX001" or "XX002" } ? new StoreCorruptException(store, "the database is damaged", error)
        : WhyDegraded(error) is { } reason ? new StoreDegradedException(store, reason, error)
        : error;

    private static string? WhyDegraded(PostgresException error) => error.SqlState switch
    {
        PostgresErrorCodes.DiskFull => "the database's disk is full",
        PostgresErrorCodes.TooManyConnections => "the database has no free connection",
        PostgresErrorCodes.ReadOnlySqlTransaction => ReadOnly,
        PostgresErrorCodes.InsufficientPrivilege => "the database denies access",
        PostgresErrorCodes.InvalidCatalogName => "there is no such database",
        PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure => "others hold it",
        PostgresErrorCodes.QueryCanceled => "the database does not answer in time",
        PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName => "its tables are gone",
        _ => error.SqlState[..2] switch
        {
            "08" or "57" => "the database cannot be reached",
            "28" => "the database refuses user or password",
            "53" => "the database is short of resources",
            "58" => "the database's disk fails",
            "25" => "the connection was broken off",
            _ => null,
        },
    };
}
