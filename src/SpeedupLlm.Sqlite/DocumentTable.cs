using Microsoft.Data.Sqlite;
using SpeedupLlm.Experience;

namespace SpeedupLlm.Sqlite;

/// <summary>Documents in SQL. A new version is a new row, so that rows are in the order of writing.</summary>
internal static class DocumentTable
{
    private const string Columns =
        """
        SELECT d.seq, d.kind, d.key, d.version, d.record, d.content, d.vector, v.data, p.dimensions
        FROM document d LEFT JOIN vector v ON v.row = d.vector LEFT JOIN partition p ON p.id = v.partition
        """;

    /// <summary>Writes a document if its version is the stored one; null if it is not.</summary>
    public static MemoryDocument? Put(Database database, MemoryDocument document)
    {
        var (realm, scope) = Scopes.Add(database, document.Scope);
        long? seq = null;
        var stored = 0L;
        using (var rows = database.Query("SELECT seq, version FROM document WHERE scope = $1 AND kind = $2 AND key = $3", scope, document.Kind, document.Key))
        {
            if (rows.Read())
                (seq, stored) = (rows.GetInt64(0), rows.GetInt64(1));
        }
        if (document.Version != stored)
            return null;
        if (seq is not null)
            Remove(database, seq.Value);
        else
            stored = database.Number("SELECT version FROM retired WHERE scope = $1 AND kind = $2 AND key = $3", scope, document.Kind, document.Key) ?? 0;
        var written = document with { Version = stored + 1, At = document.At.ToUniversalTime() };
        var vector = VectorTable.Add(database, PartitionKey.Of(document), realm, scope, usable: true, document.Embedding.Span);
        database.Execute(
            "INSERT INTO document (realm, scope, kind, key, version, vector, record, content) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            realm, scope, written.Kind, written.Key, written.Version, vector, StoredRecords.Write(written), written.Content.ToArray());
        var row = database.LastRow;
        VectorTable.Assign(database, vector, row);
        foreach (var source in written.Sources.Distinct(StringComparer.Ordinal))
            database.Execute("INSERT INTO source (tenant, episode, document) VALUES ($1, $2, $3)", written.Scope.Tenant, source, row);
        return written;
    }

    /// <summary>One document by name.</summary>
    public static ReadRow<MemoryDocument>? Find(Database database, long scope, string kind, string key) =>
        First(database.Query(Columns + " WHERE d.scope = $1 AND d.kind = $2 AND d.key = $3", scope, kind, key));

    /// <summary>One document by number.</summary>
    public static ReadRow<MemoryDocument>? Find(Database database, long seq) => First(database.Query(Columns + " WHERE d.seq = $1", seq));

    /// <summary>Documents of a realm before a number, newest write first.</summary>
    public static List<ReadRow<MemoryDocument>> Page(Database database, long realm, HashSet<int>? scopes, string? kind, long before, int count)
    {
        var wanted = new List<long>();
        using (var rows = database.Query(
            "SELECT seq, scope FROM document WHERE realm = $1 AND seq < $2 AND ($3 IS NULL OR kind = $3) ORDER BY seq DESC", realm, before, kind))
        {
            while (wanted.Count < count && rows.Read())
            {
                if (scopes?.Contains(rows.GetInt32(1)) != false)
                    wanted.Add(rows.GetInt64(0));
            }
        }
        return [.. wanted.Select(seq => Find(database, seq)).OfType<ReadRow<MemoryDocument>>()];
    }

    /// <summary>Any documents before a number, newest first: for checking.</summary>
    public static List<ReadRow<MemoryDocument>> Page(Database database, long before, int count)
    {
        var page = new List<ReadRow<MemoryDocument>>();
        using var rows = database.Query(Columns + " WHERE d.seq < $1 ORDER BY d.seq DESC LIMIT $2", before, count);
        while (rows.Read())
            page.Add(Read(rows));
        return page;
    }

    /// <summary>Removes what was made from an episode; says how many went.</summary>
    public static int RemoveMadeFrom(Database database, string tenant, string episode)
    {
        var made = new List<long>();
        using (var rows = database.Query("SELECT document FROM source WHERE tenant = $1 AND episode = $2", tenant, episode))
        {
            while (rows.Read())
                made.Add(rows.GetInt64(0));
        }
        foreach (var seq in made)
        {
            if (seq > 0)
            {
                Retire(database, seq);
                continue;
            }
            // set aside meanwhile
            database.Execute("DELETE FROM set_aside WHERE id = $1", -seq);
            database.Execute("DELETE FROM source WHERE document = $1", seq);
        }
        return made.Count;
    }

    /// <summary>Removes a document for good; its versions go on where they ended.</summary>
    public static void Retire(Database database, long seq)
    {
        database.Execute(
            """
            INSERT INTO retired (scope, kind, key, version) SELECT scope, kind, key, version FROM document WHERE seq = $1
            ON CONFLICT (scope, kind, key) DO UPDATE SET version = excluded.version
            """, seq);
        Remove(database, seq);
    }

    private static void Remove(Database database, long seq)
    {
        VectorTable.Remove(database, database.Number("SELECT vector FROM document WHERE seq = $1", seq));
        database.Execute("DELETE FROM source WHERE document = $1", seq);
        database.Execute("DELETE FROM document WHERE seq = $1", seq);
    }

    private static ReadRow<MemoryDocument>? First(SqliteDataReader rows)
    {
        using (rows)
            return rows.Read() ? Read(rows) : null;
    }

    private static ReadRow<MemoryDocument> Read(SqliteDataReader row) => StoredRecords.Document(
        row.GetInt64(0), row.GetFieldValue<byte[]>(4), row.GetString(1), row.GetString(2), row.GetInt64(3), row.GetFieldValue<byte[]>(5), () => VectorTable.Read(row, 6));
}
