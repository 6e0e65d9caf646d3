using System.Text;
using Npgsql;

namespace SpeedupLlm.PostgreSql;

/// <summary>Short ways to run SQL whose parameters are <c>$1</c>, <c>$2</c>, …</summary>
internal static class Sql
{
    /// <summary>A command. A null goes as a value of no type: the SQL says which it is.</summary>
    public static NpgsqlCommand Command(this NpgsqlConnection connection, string sql, params ReadOnlySpan<object?> arguments)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var argument in arguments)
            command.Parameters.Add(Parameter(argument));
        return command;
    }

    /// <summary>A command of a batch.</summary>
    public static NpgsqlBatchCommand BatchCommand(string sql, params ReadOnlySpan<object?> arguments)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var argument in arguments)
            command.Parameters.Add(Parameter(argument));
        return command;
    }

    /// <summary>Runs a statement; says how many rows it touched.</summary>
    public static async ValueTask<int> ExecuteAsync(this NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object?[] arguments)
    {
        await using var command = connection.Command(sql, arguments);
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The first column of the first row, or null.</summary>
    public static async ValueTask<object?> ScalarAsync(this NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object?[] arguments)
    {
        await using var command = connection.Command(sql, arguments);
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is { } value and not DBNull ? value : null;
    }

    /// <summary>All rows.</summary>
    public static async ValueTask<List<T>> RowsAsync<T>(
        this NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, params object?[] arguments)
    {
        await using var command = connection.Command(sql, arguments);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>A name as it is stored: half a surrogate becomes U+FFFD, as in the record.</summary>
    public static byte[] Name(string name) => Encoding.UTF8.GetBytes(name);

    /// <summary>A name that may be missing.</summary>
    public static byte[]? NameOrNull(string? name) => name is null ? null : Name(name);

    /// <summary>A name that was read.</summary>
    public static string Text(this NpgsqlDataReader row, int column) => Encoding.UTF8.GetString(row.GetFieldValue<byte[]>(column));

    /// <summary>A name that was read, or null.</summary>
    public static string? TextOrNull(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.Text(column);

    private static NpgsqlParameter Parameter(object? value) => new() { Value = value ?? DBNull.Value };
}
