using Npgsql;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.PostgreSql;

/// <summary>
/// The rows that may be among the nearest, by pgvector. It computes in single precision, so all rows are taken whose distance is within the rounding error
/// of the last one wanted; the caller compares them exactly. No approximate index is used: it would miss rows, and the promise is exact.
/// </summary>
internal static class ServerSearch
{
    /// <summary>The longest vector of pgvector.</summary>
    public const int MostDimensions = 16_000;

    /// <summary>See <see cref="VectorSearch.Candidates"/>.</summary>
    /// <param name="connection">Open.</param>
    /// <param name="schema">pgvector's schema, quoted.</param>
    /// <param name="partition">The partition's number.</param>
    /// <param name="query">The query.</param>
    /// <param name="count">How many are wanted, ≥ 1.</param>
    /// <param name="scopes">Whose rows, or null for all.</param>
    /// <param name="usableOnly">Only rows that may be reused.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async ValueTask<List<Found>> CandidatesAsync(
        NpgsqlConnection connection, string schema, long partition, QuantizedQuery query, int count, int[]? scopes, bool usableOnly, CancellationToken cancellationToken)
    {
        var unit = new float[query.Vector.Length];
        for (var i = 0; i < unit.Length; i++)
            unit[i] = (float)(query.Vector.Span[i] / query.Norm);
        var error = RoundingError(unit.Length);
        // vectors of an extreme length would overflow there, and are always compared here
        var sql =
            $"""
            WITH near AS MATERIALIZED (
              SELECT row, CASE WHEN norm BETWEEN 1e-12 AND 1e12 THEN {schema}.cosine_distance(data::{schema}.vector, $2::real[]::{schema}.vector) END AS distance
              FROM speedup.vector
              WHERE partition = $1 AND state >= $3 AND state > 0 AND norm IS NOT NULL AND cardinality(data) = $4 AND ($5::integer[] IS NULL OR scope = ANY($5::integer[])))
            SELECT v.row, near.distance, hash_array_extended(v.data, 0), {VectorTable.IdBegins}
            FROM near JOIN speedup.vector v ON v.row = near.row {VectorTable.WithNames}
            WHERE distance IS NULL OR distance <= $6::float8 + (SELECT max(distance) FROM (SELECT distance FROM near WHERE distance IS NOT NULL ORDER BY distance LIMIT $7) best)
            """;
        var near = await connection.RowsAsync(
            sql, row =>
                (Row: new Found(row.GetInt64(0), row.IsDBNull(1) ? 1 : Math.Min(1, 1 - row.GetDouble(1) + error)),
                Twin: new Twin((ulong)row.GetInt64(2), VectorTable.IdOrder(row, 3))), cancellationToken,
            partition, unit, (short)(usableOnly ? RowState.Usable : RowState.Unusable), unit.Length, scopes, 2 * error, count).ConfigureAwait(false);
        var candidates = Twin.Trim(near, count, n => n.Twin).ConvertAll(n => n.Row);
        candidates.Sort((x, y) => y.Similarity.CompareTo(x.Similarity));
        return candidates;
    }

    /// <summary>How far a cosine in single precision can be off: a sum of products is off by at most D·2⁻²⁴ of the lengths' product, in whatever order, and so are the two lengths; twice that, for the rounding of the query and at the end.</summary>
    private static double RoundingError(int dimensions) => (4.0 * dimensions + 64) / (1 << 24);
}
