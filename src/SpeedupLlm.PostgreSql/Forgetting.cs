using Npgsql;
using SpeedupLlm.Experience;

namespace SpeedupLlm.PostgreSql;

/// <summary>What takes records out of sight: forgetting, and setting bad ones aside. Inside a transaction.</summary>
internal static class Forgetting
{
    /// <summary>Removes an episode, what was made from it, and what of both was set aside.</summary>
    /// <returns>How many records went, and the partitions that lost a vector.</returns>
    public static async ValueTask<(int Records, List<long> Partitions)> ForgetAsync(NpgsqlConnection connection, string tenant, string episode, CancellationToken cancellationToken)
    {
        var (whose, id) = (Sql.Name(tenant), Sql.Name(episode));
        if (await connection.ScalarAsync("SELECT id FROM speedup.tenant WHERE sha256(name) = sha256($1::bytea)", cancellationToken, whose).ConfigureAwait(false) is not long owner)
            return (0, []);
        var rows = await NumbersAsync("DELETE FROM speedup.episode WHERE tenant = $1 AND sha256(id) = sha256($2::bytea) RETURNING row", owner, id).ConfigureAwait(false);
        var gone = rows.Count + await connection.ExecuteAsync(
            "DELETE FROM speedup.set_aside WHERE origin = 'episode' AND tenant = $1 AND sha256(name) = sha256($2::bytea)", cancellationToken, owner, id).ConfigureAwait(false);
        var made = await NumbersAsync("SELECT document FROM speedup.source WHERE tenant = $1 AND sha256(episode) = sha256($2::bytea)", owner, id).ConfigureAwait(false);
        if (made.Count > 0)
        {
            long[] documents = [.. made];
            var removed = await NumbersAsync("DELETE FROM speedup.document WHERE row = ANY($1) RETURNING row", documents).ConfigureAwait(false);
            rows.AddRange(removed);
            gone += removed.Count;
            gone += await connection.ExecuteAsync("DELETE FROM speedup.set_aside WHERE origin = 'document' AND row = ANY($1)", cancellationToken, documents).ConfigureAwait(false);
            await connection.ExecuteAsync("DELETE FROM speedup.source WHERE document = ANY($1)", cancellationToken, documents).ConfigureAwait(false);
        }
        return (gone, rows.Count == 0 ? [] : await VectorTable.ForgetAsync(connection, [.. rows], cancellationToken).ConfigureAwait(false));

        ValueTask<List<long>> NumbersAsync(string sql, params object?[] arguments) => connection.RowsAsync(sql, row => row.GetInt64(0), cancellationToken, arguments);
    }

    /// <summary>Moves a record aside as it is, if it is still bad (case 31).</summary>
    public static async ValueTask<List<long>> SetAsideAsync(NpgsqlConnection connection, BadRecord record, CancellationToken cancellationToken)
    {
        var isEpisode = record.Origin == StoredRecords.EpisodeOrigin;
        var bad = isEpisode
            ? (await EpisodeTable.FindAsync(connection, record.Seq, cancellationToken).ConfigureAwait(false))?.Bad
            : (await DocumentTable.FindAsync(connection, record.Seq, cancellationToken).ConfigureAwait(false))?.Bad;
        if (bad is null)
            return [];
        await connection.ExecuteAsync(
            isEpisode
                ? """
                  WITH gone AS (DELETE FROM speedup.episode WHERE row = $1 RETURNING *)
                  INSERT INTO speedup.set_aside (row, origin, tenant, name, reason, record, vector)
                  SELECT e.row, 'episode', e.tenant, e.id, $2, e.record, v.data FROM gone e LEFT JOIN speedup.vector v ON v.row = e.row
                  """
                // its sources stay: forgetting must reach it here as well
                : """
                  WITH gone AS (DELETE FROM speedup.document WHERE row = $1 RETURNING *)
                  INSERT INTO speedup.set_aside (row, origin, tenant, name, reason, record, content, vector)
                  SELECT d.row, 'document', r.tenant, n.kind || ':'::bytea || n.key, $2, d.record, d.content, v.data
                  FROM gone d JOIN speedup.realm r ON r.id = d.realm JOIN speedup.document_name n ON n.id = d.name LEFT JOIN speedup.vector v ON v.row = d.row
                  """, cancellationToken, record.Seq, bad.Value.Reason).ConfigureAwait(false);
        return await VectorTable.ForgetAsync(connection, [record.Seq], cancellationToken).ConfigureAwait(false);
    }
}
