using SpeedupLlm.Experience;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Sqlite;

/// <summary>Exact cosines from the records, within one read transaction.</summary>
internal sealed class RecordSource(Database database, long partition, QuantizedQuery query, RowFilter filter, bool documents) : IRowSource
{
    /// <summary>Whether a row that the index named was not as the index said: the index knows a later state than this transaction.</summary>
    public bool Missed { get; private set; }

    /// <summary>Rows whose vector has a wrong length.</summary>
    public List<long> Bad { get; } = [];

    public double? Similarity(long row)
    {
        using var rows = database.Query("SELECT scope, usable, data FROM vector WHERE row = $1 AND partition = $2", row, partition);
        if (!rows.Read() || !filter.Takes(rows.GetInt32(1) == 0 ? RowState.Unusable : RowState.Usable, rows.GetInt32(0)))
        {
            Missed = true;
            return null;
        }
        if (FloatBytes.Read(rows.GetFieldValue<byte[]>(2)) is not { } vector || vector.Length != query.Vector.Length || Cosine.Norm(vector) is not { } norm)
        {
            Bad.Add(row);
            return null;
        }
        return Cosine.Similarity(query.Vector.Span, query.Norm, vector, norm);
    }

    public string IdOf(long row)
    {
        if (!documents)
            return database.Scalar("SELECT e.id FROM vector v JOIN episode e ON e.seq = v.item WHERE v.row = $1", row) as string ?? "";
        using var rows = database.Query(
            "SELECT d.key, s.user, s.conversation FROM vector v JOIN document d ON d.seq = v.item JOIN scope s ON s.id = d.scope WHERE v.row = $1", row);
        return rows.Read() ? Records.IdOf(rows.GetString(0), rows.IsDBNull(1) ? null : rows.GetString(1), rows.IsDBNull(2) ? null : rows.GetString(2)) : "";
    }
}
