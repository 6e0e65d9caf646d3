using System.Text.Json;
using Microsoft.Data.Sqlite;
using SpeedupLlm.Experience;

namespace SpeedupLlm.Sqlite;

/// <summary>A record that cannot be read, to be set aside.</summary>
/// <param name="Origin">Its table.</param>
/// <param name="Seq">Its number there.</param>
/// <param name="Reason">What is wrong.</param>
internal readonly record struct BadRecord(string Origin, long Seq, string Reason);

/// <summary>A row as it was read: a record, or what is wrong with it.</summary>
internal readonly record struct ReadRow<T>(long Seq, T? Record, BadRecord? Bad)
    where T : class;

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
            episode.Scope.Tenant, episode.Id, realm, scope, episode.Usable ? 1 : 0, vector, Json(episode));
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
        database.Execute("UPDATE episode SET usable = $2, record = $3 WHERE seq = $1", seq, changed.Usable ? 1 : 0, Json(changed));
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

    /// <summary>The vector has its own table; times are UTC.</summary>
    private static byte[] Json(Episode episode) => RecordJson.Write(episode with { Embedding = default, At = episode.At.ToUniversalTime() });

    private static ReadRow<Episode>? First(SqliteDataReader rows)
    {
        using (rows)
            return rows.Read() ? Read(rows) : null;
    }

    private static ReadRow<Episode> Read(SqliteDataReader row)
    {
        var seq = row.GetInt64(0);
        try
        {
            var episode = RecordJson.ReadEpisode(row.GetFieldValue<byte[]>(3));
            if (!string.Equals(episode.Id, row.GetString(2), StringComparison.Ordinal) || !string.Equals(episode.Scope.Tenant, row.GetString(1), StringComparison.Ordinal))
                return Bad("it names another episode");
            if (row.IsDBNull(4))
                return new(seq, episode, null);
            if (row.IsDBNull(5) || row.IsDBNull(6))
                return Bad("its vector is missing");
            return FloatBytes.Read(row.GetFieldValue<byte[]>(5)) is { } vector && vector.Length == row.GetInt32(6)
                ? new(seq, episode with { Embedding = vector }, null)
                : Bad("its vector has a wrong length");
        }
        catch (Exception e) when (e is JsonException or InvalidCastException or FormatException or ArgumentException)
        {
            return Bad("it cannot be read: " + e.Message);
        }

        ReadRow<Episode> Bad(string reason) => new(seq, null, new("episode", seq, reason));
    }
}
