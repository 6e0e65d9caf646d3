using Npgsql;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.PostgreSql;

/// <summary>What happens to vectors. Each says in which partitions, for the bell.</summary>
internal static class VectorTable
{
    /// <summary>Where the id of a vector's record begins, if <see cref="WithNames"/> is joined; see <see cref="IdOrder"/>. A document's key is where its id begins.</summary>
    public const string IdBegins = "coalesce(substring(e.id FROM 1 FOR 8), substring(n.key FROM 1 FOR 8))";

    /// <summary>Joins the names of vectors' records.</summary>
    public const string WithNames =
        "LEFT JOIN speedup.episode e ON e.row = v.row LEFT JOIN speedup.document d ON d.row = v.row LEFT JOIN speedup.document_name n ON n.id = d.name";

    /// <summary>See <see cref="Twin.Id"/>; of a record that is gone, anything.</summary>
    public static ulong IdOrder(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? 0 : Twin.OrderOf(row.GetFieldValue<byte[]>(at));

    /// <summary>Changes whether a vector may be reused.</summary>
    public static ValueTask<List<long>> SetAsync(NpgsqlConnection connection, long row, RowState state, CancellationToken cancellationToken) => connection.RowsAsync(
        "UPDATE speedup.vector SET state = $2, changed = pg_current_xact_id() WHERE row = $1 RETURNING partition", Partition, cancellationToken, row, (short)state);

    /// <summary>Marks rows as gone: they stay and say so to other replicas' indexes; the values go.</summary>
    public static ValueTask<List<long>> ForgetAsync(NpgsqlConnection connection, long[] rows, CancellationToken cancellationToken) => connection.RowsAsync(
        "UPDATE speedup.vector SET state = 0, norm = NULL, data = NULL, changed = pg_current_xact_id() WHERE row = ANY($1) RETURNING partition", Partition, cancellationToken, rows);

    private static long Partition(NpgsqlDataReader row) => row.GetInt64(0);
}
