using System.Globalization;
using Microsoft.Data.Sqlite;

namespace SpeedupLlm.Sqlite;

/// <summary>A connection with its prepared statements. One thread at a time.</summary>
internal sealed class Database : IDisposable
{
    private readonly Dictionary<string, SqliteCommand> _prepared = new(StringComparer.Ordinal);
    private readonly SqliteConnection _connection;
    private long? _seen;

    private Database(SqliteConnection connection) => _connection = connection;

    /// <summary>Opens a connection.</summary>
    /// <param name="source">A file, a URI, or <c>:memory:</c>.</param>
    /// <param name="mode">How.</param>
    /// <param name="busy">How long to wait for other processes.</param>
    /// <exception cref="SqliteException">It cannot be opened.</exception>
    public static Database Open(string source, SqliteOpenMode mode, TimeSpan busy)
    {
        SystemSqlite.Ensure();
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = source,
            Mode = mode,
            Pooling = false,
            DefaultTimeout = Math.Max(1, (int)busy.TotalSeconds),
        }.ToString());
        try
        {
            connection.Open();
            var database = new Database(connection);
            database.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA busy_timeout = {(int)busy.TotalMilliseconds}"));
            return database;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The connection itself, for what has no other name.</summary>
    public SQLitePCL.sqlite3 Handle => _connection.Handle ?? throw new ObjectDisposedException(nameof(Database));

    /// <summary>Whether a transaction is open; some errors end it.</summary>
    public bool InTransaction => SQLitePCL.raw.sqlite3_get_autocommit(Handle) == 0;

    /// <summary>Whether the file could only be opened for reading.</summary>
    public bool IsReadOnly => SQLitePCL.raw.sqlite3_db_readonly(Handle, "main") == 1;

    /// <summary>Runs a statement; its parameters are <c>$1</c>, <c>$2</c>, …</summary>
    public int Execute(string sql, params ReadOnlySpan<object?> arguments) => Prepare(sql, arguments).ExecuteNonQuery();

    /// <summary>The first column of the first row, or null.</summary>
    public object? Scalar(string sql, params ReadOnlySpan<object?> arguments) => Prepare(sql, arguments).ExecuteScalar() is { } value and not DBNull ? value : null;

    /// <summary>The first column of the first row as a number, or null.</summary>
    public long? Number(string sql, params ReadOnlySpan<object?> arguments) => Scalar(sql, arguments) is long number ? number : null;

    /// <summary>The rows; dispose the reader before the same statement runs again.</summary>
    public SqliteDataReader Query(string sql, params ReadOnlySpan<object?> arguments) => Prepare(sql, arguments).ExecuteReader();

    /// <summary>Runs several statements without parameters.</summary>
    public void Script(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>The number of the row written last.</summary>
    public long LastRow => SQLitePCL.raw.sqlite3_last_insert_rowid(Handle);

    /// <summary>Whether another connection, of any process, has committed since this was asked last; true the first time.</summary>
    public bool IsChangedByOthers()
    {
        var version = Number("PRAGMA data_version");
        var changed = version is null || version != _seen;
        _seen = version;
        return changed;
    }

    /// <summary>Ends the transaction without keeping it, if there is one.</summary>
    public void RollBack()
    {
        if (InTransaction)
            Execute("ROLLBACK");
    }

    public void Dispose()
    {
        foreach (var command in _prepared.Values)
            command.Dispose();
        _connection.Dispose();
    }

    private SqliteCommand Prepare(string sql, ReadOnlySpan<object?> arguments)
    {
        if (!_prepared.TryGetValue(sql, out var command))
        {
            command = _connection.CreateCommand();
            command.CommandText = sql;
            for (var i = 0; i < arguments.Length; i++)
                command.Parameters.Add(new SqliteParameter { ParameterName = string.Create(CultureInfo.InvariantCulture, $"${i + 1}") });
            _prepared.Add(sql, command);
        }
        for (var i = 0; i < arguments.Length; i++)
            command.Parameters[i].Value = arguments[i] ?? DBNull.Value;
        return command;
    }
}
