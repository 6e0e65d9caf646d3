using Microsoft.Data.Sqlite;
using SpeedupLlm.Experience;

namespace SpeedupLlm.Sqlite;

/// <summary>Episodes in SQL.</summary>
internal static class EpisodeTable
{
    private const string Columns =
        """
        SELECT e.seq, e.tenant, e.id, e.record, e.vector, v.data, p.dimensions
        FROM episode e LEFT JOIN vector v ON v.row = e.vector LEFT JOIN partition p ON p.id = v.partition
        """;

    /// <summary>Writes an episode if its id is new.</summary>
    public static (bool Written, PartitionKey Partition) Append(Database database, Episode episode)
    {
        var key = PartitionKey.Of(episode);
        if (database.Number("SELECT seq FROM episode WHERE tenant = $1 AND id = $2", episode.Scope.Tenant, episode.Id) is not null)
            return (false, key);
        var (realm, scope) = Scopes.Add(database, episode.Scope);
        var vector = VectorTable.Add(database, key, realm, scope, episode.Usable, episode.Embedding.Span);
        database.Execute(
            "INSERT INTO episode (tenant, id, realm, scope, usable, vector, record) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            episode.Scope.Tenant, episode.Id, realm, scope, episode.Usable ? 1 : 0, vector, StoredRecords.Write(episode));
        VectorTable.Assign(database, vector, database.LastRow);
        return (true, key);
    }

    /// <summary>One episode by id.</summary>
    public static ReadRow<Episode>? Find(Database database, string tenant, string id) =>
        First(database.Query(Columns + " WHERE e.tenant = $1 AND e.id = $2", tenant, id));

    /// <summary>One episode by number.</summary>
    public static ReadRow<Episode>? Find(Database database, long seq) => First(database.Query(Columns + " WHERE e.seq = $1", seq));

    /// <summary>Episodes of a realm before a number, newest first.</summary>
    public static List<ReadRow<Episode>> Page(Database database, long realm, HashSet<int>? scopes, bool usableOnly, long before, int count)
    {
        // the index alone says which rows are wanted
        var wanted = new List<long>();
        using (var rows = database.Query(
            "SELECT seq, scope FROM episode WHERE realm = $1 AND seq < $2 AND usable >= $3 ORDER BY seq DESC", realm, before, usableOnly ? 1 : 0))
        {
            while (wanted.Count < count && rows.Read())
            {
                if (scopes?.Contains(rows.GetInt32(1)) != false)
                    wanted.Add(rows.GetInt64(0));
            }
        }
        return [.. wanted.Select(seq => Find(database, seq)).OfType<ReadRow<Episode>>()];
    }

    /// <summary>Any episodes before a number, newest first: for checking.</summary>
    public static List<ReadRow<Episode>> Page(Database database, long before, int count)
    {
        var page = new List<ReadRow<Episode>>();
        using var rows = database.Query(Columns + " WHERE e.seq < $1 ORDER BY e.seq DESC LIMIT $2", before, count);
        while (rows.Read())
            page.Add(Read(rows));
        return page;
    }

    /// <summary>Replaces what is known of an episode.</summary>
    public static void Update(Database database, long seq, Episode old, Episode changed)
    {
        database.Execute("UPDATE episode SET usable = $2, record = $3 WHERE seq = $1", seq, changed.Usable ? 1 : 0, StoredRecords.Write(changed));
        if (old.Usable != changed.Usable)
            VectorTable.SetUsable(database, database.Number("SELECT vector FROM episode WHERE seq = $1", seq), changed.Usable);
    }

    /// <summary>Removes an episode by id; says how many went.</summary>
    public static int Remove(Database database, string tenant, string id)
    {
        if (database.Number("SELECT seq FROM episode WHERE tenant = $1 AND id = $2", tenant, id) is not { } seq)
            return 0;
        Remove(database, seq);
        return 1;
    }

    /// <summary>Removes an episode by number.</summary>
    public static void Remove(Database database, long seq)
    {
        VectorTable.Remove(database, database.Number("SELECT vector FROM episode WHERE seq = $1", seq));
        database.Execute("DELETE FROM episode WHERE seq = $1", seq);
    }

    private static ReadRow<Episode>? First(SqliteDataReader rows)
    {
        using (rows)
            return rows.Read() ? Read(rows) : null;
    }

    private static ReadRow<Episode> Read(SqliteDataReader row) => StoredRecords.Episode(
        row.GetInt64(0), row.GetFieldValue<byte[]>(3), row.GetString(1), row.GetString(2), () => VectorTable.Read(row, 4));
}
