using SpeedupLlm.Experience;

namespace SpeedupLlm.Sqlite;

/// <summary>Bad records: moved here as they are, never dropped (case 31).</summary>
internal static class AsideTable
{
    /// <summary>Moves a record if it is still bad; says whether it did.</summary>
    public static bool Move(Database database, BadRecord record)
    {
        if (record.Origin == StoredRecords.EpisodeOrigin)
        {
            if (EpisodeTable.Find(database, record.Seq)?.Bad is null)
                return false;
            database.Execute(
                """
                INSERT INTO set_aside (origin, tenant, name, reason, record, vector)
                SELECT 'episode', e.tenant, e.id, $2, e.record, v.data FROM episode e LEFT JOIN vector v ON v.row = e.vector WHERE e.seq = $1
                """, record.Seq, record.Reason);
            EpisodeTable.Remove(database, record.Seq);
            return true;
        }
        if (DocumentTable.Find(database, record.Seq)?.Bad is null)
            return false;
        database.Execute(
            """
            INSERT INTO set_aside (origin, tenant, name, reason, record, content, vector)
            SELECT 'document', r.tenant, d.kind || ':' || d.key, $2, d.record, d.content, v.data
            FROM document d JOIN realm r ON r.id = d.realm LEFT JOIN vector v ON v.row = d.vector WHERE d.seq = $1
            """, record.Seq, record.Reason);
        // forgetting must reach it here as well: its sources now name it by a negative number
        database.Execute("UPDATE source SET document = -$2 WHERE document = $1", record.Seq, database.LastRow);
        DocumentTable.Retire(database, record.Seq);
        return true;
    }

    /// <summary>Removes what was set aside of a forgotten episode; says how many records went.</summary>
    public static int Remove(Database database, string tenant, string episode) =>
        database.Execute("DELETE FROM set_aside WHERE origin = 'episode' AND tenant = $1 AND name = $2", tenant, episode);
}
