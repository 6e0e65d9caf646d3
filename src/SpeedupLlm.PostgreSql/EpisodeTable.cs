using Npgsql;
using SpeedupLlm.Experience;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.PostgreSql;

/// <summary>A record with what the search wants to know of its vector.</summary>
/// <param name="Row">Its number.</param>
/// <param name="Scope">Its scope's number.</param>
/// <param name="State">What may be done with it.</param>
/// <param name="Id">What breaks ties.</param>
/// <param name="Vector">Its vector, which may be missing.</param>
/// <param name="Record">The record, or what is wrong with it.</param>
internal readonly record struct FoundRow<T>(long Row, int Scope, RowState State, string Id, StoredVector Vector, ReadRow<T> Record)
    where T : class;

/// <summary>Episodes in SQL.</summary>
internal static class EpisodeTable
{
    private const string Columns =
        """
        SELECT e.row, t.name, e.id, e.record, e.partition, v.data, p.dimensions, e.usable, e.scope
        FROM speedup.episode e JOIN speedup.tenant t ON t.id = e.tenant
        LEFT JOIN speedup.vector v ON v.row = e.row LEFT JOIN speedup.partition p ON p.id = e.partition
        """;

    private const string ByName = " WHERE e.tenant = (SELECT id FROM speedup.tenant WHERE sha256(name) = sha256($1::bytea)) AND sha256(e.id) = sha256($2::bytea)";

    /// <summary>Writes an episode if its id is new.</summary>
    public static NpgsqlBatchCommand Append(Episode episode, ScopeNumbers scope, long? partition) => Sql.BatchCommand(
        """
        WITH added AS (
          INSERT INTO speedup.episode (tenant, id, realm, scope, usable, partition, record) VALUES ($1, $2, $3, $4, $5, $6::bigint, $7)
          ON CONFLICT (tenant, sha256(id)) DO NOTHING RETURNING row)
        INSERT INTO speedup.vector (row, partition, scope, state, norm, data) SELECT row, $6::bigint, $4, $8, $9::float8, $10::real[] FROM added WHERE $6::bigint IS NOT NULL
        """,
        scope.Tenant, Sql.Name(episode.Id), scope.Realm, scope.Scope, episode.Usable, partition, StoredRecords.Write(episode),
        (short)StateOf(episode.Usable), Cosine.Norm(episode.Embedding.Span), episode.Embedding.ToArray());

    /// <summary>One episode by id; locked if it is to be changed.</summary>
    public static async ValueTask<ReadRow<Episode>?> FindAsync(NpgsqlConnection connection, string tenant, string id, bool forUpdate, CancellationToken cancellationToken) =>
        First(await connection.RowsAsync(Columns + ByName + (forUpdate ? " FOR UPDATE OF e" : ""), Read, cancellationToken, Sql.Name(tenant), Sql.Name(id)).ConfigureAwait(false));

    /// <summary>One episode by number; locked.</summary>
    public static async ValueTask<ReadRow<Episode>?> FindAsync(NpgsqlConnection connection, long row, CancellationToken cancellationToken) =>
        First(await connection.RowsAsync(Columns + " WHERE e.row = $1 FOR UPDATE OF e", Read, cancellationToken, row).ConfigureAwait(false));

    /// <summary>Those of these episodes that are still there.</summary>
    public static ValueTask<List<FoundRow<Episode>>> FindAsync(NpgsqlConnection connection, long[] numbers, CancellationToken cancellationToken) => connection.RowsAsync(
        Columns + " WHERE e.row = ANY($1)",
        row =>
        {
            var vector = VectorOf(row, 4);
            return new FoundRow<Episode>(row.GetInt64(0), row.GetInt32(8), StateOf(row.GetBoolean(7)), row.Text(2), vector, Read(row, vector));
        }, cancellationToken, numbers);

    /// <summary>Episodes of a realm before a number, newest first.</summary>
    public static ValueTask<List<ReadRow<Episode>>> PageAsync(
        NpgsqlConnection connection, long realm, int[]? scopes, bool usableOnly, long before, int count, CancellationToken cancellationToken) => connection.RowsAsync(
        Columns + " WHERE e.realm = $1 AND e.row < $2 AND (e.usable OR NOT $3) AND ($4::integer[] IS NULL OR e.scope = ANY($4::integer[])) ORDER BY e.row DESC LIMIT $5",
        Read, cancellationToken, realm, before, usableOnly, scopes, count);

    /// <summary>Any episodes before a number, newest first: for checking.</summary>
    public static ValueTask<List<ReadRow<Episode>>> PageAsync(NpgsqlConnection connection, long before, int count, CancellationToken cancellationToken) =>
        connection.RowsAsync(Columns + " WHERE e.row < $1 ORDER BY e.row DESC LIMIT $2", Read, cancellationToken, before, count);

    /// <summary>Replaces what is known of an episode; says in which partition its vector changed.</summary>
    public static async ValueTask<List<long>> UpdateAsync(NpgsqlConnection connection, long row, Episode old, Episode changed, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync("UPDATE speedup.episode SET usable = $2, record = $3 WHERE row = $1", cancellationToken, row, changed.Usable, StoredRecords.Write(changed)).ConfigureAwait(false);
        return old.Usable == changed.Usable
            ? []
            : await VectorTable.SetAsync(connection, row, StateOf(changed.Usable), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A vector in three columns: its partition, its values, its partition's length.</summary>
    public static StoredVector VectorOf(NpgsqlDataReader row, int at) =>
        row.IsDBNull(at) ? StoredVector.None
        : row.IsDBNull(at + 1) || row.IsDBNull(at + 2) ? StoredVector.Missing
        : StoredVector.Of(row.GetFieldValue<float[]>(at + 1), row.GetInt32(at + 2));

    private static RowState StateOf(bool usable) => usable ? RowState.Usable : RowState.Unusable;

    private static ReadRow<Episode>? First(List<ReadRow<Episode>> rows) => rows is [var first] ? first : null;

    private static ReadRow<Episode> Read(NpgsqlDataReader row) => Read(row, VectorOf(row, 4));

    private static ReadRow<Episode> Read(NpgsqlDataReader row, StoredVector vector) =>
        StoredRecords.Episode(row.GetInt64(0), row.GetFieldValue<byte[]>(3), row.Text(1), row.Text(2), () => vector);
}
