using Microsoft.Data.Sqlite;
using SpeedupLlm.Experience;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Sqlite;

/// <summary>Rows of the vector table. A row never changes; what happens to it is written in the change table.</summary>
internal static class VectorTable
{
    /// <summary>Writes a vector for an item; null if there is none.</summary>
    public static long? Add(Database database, PartitionKey key, long realm, long scope, bool usable, ReadOnlySpan<float> vector)
    {
        if (vector.IsEmpty)
            return null;
        var partition = Scopes.AddPartition(database, realm, key);
        database.Execute(
            "INSERT INTO vector (partition, scope, item, usable, data) VALUES ($1, $2, 0, $3, $4)", partition, scope, usable ? 1 : 0, FloatBytes.Write(vector));
        return database.LastRow;
    }

    /// <summary>The vector of a record, in three columns from <paramref name="at"/> on: its row, its bytes, its partition's length.</summary>
    public static StoredVector Read(SqliteDataReader row, int at) =>
        row.IsDBNull(at) ? StoredVector.None
        : row.IsDBNull(at + 1) || row.IsDBNull(at + 2) ? StoredVector.Missing
        : StoredVector.Of(FloatBytes.Read(row.GetFieldValue<byte[]>(at + 1)), row.GetInt32(at + 2));

    /// <summary>Says whose vector it is.</summary>
    public static void Assign(Database database, long? row, long item)
    {
        if (row is not null)
            database.Execute("UPDATE vector SET item = $2 WHERE row = $1", row, item);
    }

    /// <summary>Changes whether a row may be reused.</summary>
    public static void SetUsable(Database database, long? row, bool usable)
    {
        if (row is null)
            return;
        database.Execute("UPDATE vector SET usable = $2 WHERE row = $1", row, usable ? 1 : 0);
        Log(database, row.Value, usable ? RowState.Usable : RowState.Unusable);
    }

    /// <summary>Removes a row.</summary>
    public static void Remove(Database database, long? row)
    {
        if (row is null)
            return;
        Log(database, row.Value, RowState.Forgotten);
        database.Execute("DELETE FROM vector WHERE row = $1", row);
    }

    private static void Log(Database database, long row, RowState state) =>
        database.Execute("INSERT INTO change (partition, row, state) SELECT partition, row, $2 FROM vector WHERE row = $1", row, (int)state);
}
