using Npgsql;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.PostgreSql;

/// <summary>What happens to vectors. Each says in which partitions, for the bell.</summary>
internal static class VectorTable
{
    /// <summary>Changes whether a vector may be reused.</summary>
    public static ValueTask<List<long>> SetAsync(NpgsqlConnection connection, long row, RowState state, CancellationToken cancellationToken) => connection.RowsAsync(
        "UPDATE speedup.vector SET state = $2, changed = pg_current_xact_id() WHERE row = $1 RETURNING partition", Partition, cancellationToken, row, (short)state);

    /// <summary>Marks rows as gone: they stay and say so to other replicas' indexes; the values go.</summary>
    public static ValueTask<List<long>> ForgetAsync(NpgsqlConnection connection, long[] rows, CancellationToken cancellationToken) => connection.RowsAsync(
        "UPDATE speedup.vector SET state = 0, norm = NULL, data = NULL, changed = pg_current_xact_id() WHERE row = ANY($1) RETURNING partition", Partition, cancellationToken, rows);

    private static long Partition(NpgsqlDataReader row) => row.GetInt64(0);
}
