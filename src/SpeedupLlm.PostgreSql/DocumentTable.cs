using Npgsql;
using SpeedupLlm.Experience;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.PostgreSql;

/// <summary>Documents in SQL. A new version is a new row, so that rows are in the order of writing.</summary>
internal static class DocumentTable
{
    private const string Columns =
        """
        SELECT d.row, n.kind, n.key, d.version, d.record, d.content, d.partition, v.data, p.dimensions, d.scope, s.username, s.conversation
        FROM speedup.document d JOIN speedup.document_name n ON n.id = d.name JOIN speedup.scope s ON s.id = d.scope
        LEFT JOIN speedup.vector v ON v.row = d.row LEFT JOIN speedup.partition p ON p.id = d.partition
        """;

    /// <summary>Writes a document if its version is the stored one; null if it is not. Inside a transaction.</summary>
    /// <returns>What is stored then, and the partitions whose vectors changed.</returns>
    public static async ValueTask<(MemoryDocument? Written, List<long> Partitions)> PutAsync(
        NpgsqlConnection connection, MemoryDocument document, ScopeNumbers scope, long? partition, CancellationToken cancellationToken)
    {
        var (kind, key) = (Sql.Name(document.Kind), Sql.Name(document.Key));
        if (document.Version == 0)
        {
            await connection.ExecuteAsync(
                """
                INSERT INTO speedup.document_name (scope, kind, key) SELECT $1, $2, $3
                WHERE NOT EXISTS (SELECT 1 FROM speedup.document_name WHERE scope = $1 AND sha256(kind) = sha256($2::bytea) AND sha256(key) = sha256($3::bytea)) ON CONFLICT DO NOTHING
                """, cancellationToken, scope.Scope, kind, key).ConfigureAwait(false);
        }
        // writers of one document take turns here
        var names = await connection.RowsAsync(
            "SELECT id, version FROM speedup.document_name WHERE scope = $1 AND sha256(kind) = sha256($2::bytea) AND sha256(key) = sha256($3::bytea) FOR UPDATE",
            row => (Id: row.GetInt64(0), Version: row.GetInt64(1)), cancellationToken, scope.Scope, kind, key).ConfigureAwait(false);
        if (names is not [var name] || await TakePlaceAsync(connection, name.Id, document.Version, cancellationToken).ConfigureAwait(false) is not { } partitions)
            return (null, []);
        var written = document with { Version = name.Version + 1, At = document.At.ToUniversalTime() };
        await connection.ExecuteAsync("UPDATE speedup.document_name SET version = $2 WHERE id = $1", cancellationToken, name.Id, written.Version).ConfigureAwait(false);
        var row = await connection.ScalarAsync(
            "INSERT INTO speedup.document (name, realm, scope, version, partition, record, content) VALUES ($1, $2, $3, $4, $5::bigint, $6, $7) RETURNING row", cancellationToken,
            name.Id, scope.Realm, scope.Scope, written.Version, partition, StoredRecords.Write(written), written.Content.ToArray()).ConfigureAwait(false);
        if (partition is not null)
        {
            partitions.Add(partition.Value);
            await connection.ExecuteAsync(
                "INSERT INTO speedup.vector (row, partition, scope, state, norm, data) VALUES ($1, $2, $3, $4, $5::float8, $6)", cancellationToken,
                row, partition, scope.Scope, (short)RowState.Usable, Cosine.Norm(written.Embedding.Span), written.Embedding.ToArray()).ConfigureAwait(false);
        }
        if (written.Sources.Count > 0)
        {
            await connection.ExecuteAsync(
                "INSERT INTO speedup.source (tenant, episode, document) SELECT $1, unnest($2::bytea[]), $3", cancellationToken,
                scope.Tenant, written.Sources.Distinct(StringComparer.Ordinal).Select(Sql.Name).ToArray(), row).ConfigureAwait(false);
        }
        return (written, partitions);
    }

    /// <summary>One document by name.</summary>
    public static async ValueTask<ReadRow<MemoryDocument>?> FindAsync(NpgsqlConnection connection, int scope, string kind, string key, CancellationToken cancellationToken) => First(
        await connection.RowsAsync(
            Columns + " WHERE n.scope = $1 AND sha256(n.kind) = sha256($2::bytea) AND sha256(n.key) = sha256($3::bytea)",
            Read, cancellationToken, scope, Sql.Name(kind), Sql.Name(key)).ConfigureAwait(false));

    /// <summary>One document by number; locked.</summary>
    public static async ValueTask<ReadRow<MemoryDocument>?> FindAsync(NpgsqlConnection connection, long row, CancellationToken cancellationToken) =>
        First(await connection.RowsAsync(Columns + " WHERE d.row = $1 FOR UPDATE OF d", Read, cancellationToken, row).ConfigureAwait(false));

    /// <summary>Those of these documents that are still there.</summary>
    public static ValueTask<List<FoundRow<MemoryDocument>>> FindAsync(NpgsqlConnection connection, long[] numbers, CancellationToken cancellationToken) => connection.RowsAsync(
        Columns + " WHERE d.row = ANY($1)",
        row =>
        {
            var vector = EpisodeTable.VectorOf(row, 6);
            return new FoundRow<MemoryDocument>(
                row.GetInt64(0), row.GetInt32(9), RowState.Usable, Records.IdOf(row.Text(2), row.TextOrNull(10), row.TextOrNull(11)), vector, Read(row, vector));
        }, cancellationToken, numbers);

    /// <summary>Documents of a realm before a number, newest write first.</summary>
    public static ValueTask<List<ReadRow<MemoryDocument>>> PageAsync(
        NpgsqlConnection connection, long realm, int[]? scopes, string? kind, long before, int count, CancellationToken cancellationToken) => connection.RowsAsync(
        Columns + " WHERE d.realm = $1 AND d.row < $2 AND ($3::bytea IS NULL OR n.kind = $3::bytea) AND ($4::integer[] IS NULL OR d.scope = ANY($4::integer[])) ORDER BY d.row DESC LIMIT $5",
        Read, cancellationToken, realm, before, Sql.NameOrNull(kind), scopes, count);

    /// <summary>Any documents before a number, newest first: for checking.</summary>
    public static ValueTask<List<ReadRow<MemoryDocument>>> PageAsync(NpgsqlConnection connection, long before, int count, CancellationToken cancellationToken) =>
        connection.RowsAsync(Columns + " WHERE d.row < $1 ORDER BY d.row DESC LIMIT $2", Read, cancellationToken, before, count);

    /// <summary>Removes the expected version (0: there is none); gives the partitions that lost a vector, or null if another version is stored.</summary>
    private static async ValueTask<List<long>?> TakePlaceAsync(NpgsqlConnection connection, long name, long version, CancellationToken cancellationToken)
    {
        if (version == 0)
            return await connection.ScalarAsync("SELECT row FROM speedup.document WHERE name = $1", cancellationToken, name).ConfigureAwait(false) is null ? [] : null;
        // who forgets it meanwhile is waited for, and then there is nothing to remove
        if (await connection.ScalarAsync(
            "DELETE FROM speedup.document WHERE name = $1 AND version = $2 RETURNING row", cancellationToken, name, version).ConfigureAwait(false) is not long row)
            return null;
        await connection.ExecuteAsync("DELETE FROM speedup.source WHERE document = $1", cancellationToken, row).ConfigureAwait(false);
        return await VectorTable.ForgetAsync(connection, [row], cancellationToken).ConfigureAwait(false);
    }

    private static ReadRow<MemoryDocument>? First(List<ReadRow<MemoryDocument>> rows) => rows is [var first] ? first : null;

    private static ReadRow<MemoryDocument> Read(NpgsqlDataReader row) => Read(row, EpisodeTable.VectorOf(row, 6));

    private static ReadRow<MemoryDocument> Read(NpgsqlDataReader row, StoredVector vector) => StoredRecords.Document(
        row.GetInt64(0), row.GetFieldValue<byte[]>(4), row.Text(1), row.Text(2), row.GetInt64(3), row.GetFieldValue<byte[]>(5), () => vector);
}
