using SpeedupLlm.Experience;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Sqlite;

/// <summary>The vectors of a partition as a reader saw them.</summary>
internal sealed record IndexView(VectorBlock[] Blocks, VectorEntry[] Tail);

/// <summary>The vectors of a partition in this process: blocks of the sidecar, then what was written since. Thread-safe.</summary>
/// <param name="partition">Its number.</param>
/// <param name="dimensions">The length of its vectors.</param>
/// <param name="documents">Whether they are documents' and not episodes'.</param>
/// <param name="sidecar">Where blocks are kept, or null: in this process only.</param>
internal sealed class PartitionIndex(long partition, int dimensions, bool documents, SidecarFile? sidecar)
{
    // a rebuilt index of a million rows should not be in memory twice
    private const int MostUnsaved = 16;

    private readonly Lock _lock = new();
    private readonly VectorRows _rows = new(dimensions);
    private readonly HashSet<long> _unreadable = [];
    private SidecarFile? _sidecar = sidecar;
    private bool _loaded;
    private bool _anew;
    private int _saved;
    private long _lastRow;
    private long _lastChange;
    private long _base;

    private List<VectorBlock> Blocks => _rows.Blocks;

    /// <summary>Whether it was read before.</summary>
    public bool IsLoaded
    {
        get
        {
            lock (_lock)
                return _loaded;
        }
    }

    /// <summary>Brings it to what a reader sees.</summary>
    /// <param name="begin">Begins the read transaction. It runs inside this index's lock, so that the index is never ahead of the transaction.</param>
    public IndexView Refresh(Func<Database> begin)
    {
        lock (_lock)
        {
            var database = begin();
            if (_loaded && _saved < Blocks.Count && _sidecar?.IsAt(_saved) == false)
                Reset(anew: false); // another process saved its own blocks first
            if (!_loaded)
                Load(database);
            ReadChanges(database);
            ReadRows(database);
            Save();
            return new([.. Blocks], [.. _rows.Tail]);
        }
    }

    /// <summary>Never finds a row again: its record cannot be read.</summary>
    public void Exclude(long row)
    {
        lock (_lock)
        {
            _unreadable.Add(row);
            Set(row, RowState.Forgotten);
        }
    }

    /// <summary>Forgets all blocks and makes them again from the records: the sidecar is damaged.</summary>
    public void Rebuild()
    {
        lock (_lock)
            Reset(anew: true);
    }

    private void Reset(bool anew)
    {
        _rows.Clear();
        (_loaded, _anew, _saved, _lastRow, _lastChange) = (false, anew, 0, 0, 0);
    }

    private void Load(Database database)
    {
        var latest = database.Number("SELECT max(seq) FROM change") ?? 0;
        var sound = !_anew;
        if (sound && _sidecar is not null)
            Blocks.AddRange(_sidecar.Open(out sound));
        if (!sound || !IsOurs(database) || IsMostlyForgotten(database))
        {
            _rows.Clear();
            _anew = true;
        }
        _loaded = true;
        _saved = Blocks.Count;
        _lastRow = _saved == 0 ? 0 : Blocks[^1].Numbers[^1];
        // states read from now on are at least as new as this
        _base = _saved == 0 ? latest : _sidecar!.BaseChange;
        _lastChange = _base;
        foreach (var row in _unreadable)
            Set(row, RowState.Forgotten);
    }

    /// <summary>A store that was restored from a copy may have given row numbers anew: the last rows must be those of the records.</summary>
    private bool IsOurs(Database database)
    {
        if (Blocks.Count == 0)
            return true;
        var last = Blocks[^1];
        for (var i = VectorBlock.Rows - 1; i >= 0; i--)
        {
            if (database.Scalar("SELECT data FROM vector WHERE row = $1 AND partition = $2", last.Numbers[i], partition) is byte[] data)
                return FloatBytes.Read(data) is { } vector && vector.Length == dimensions && last.IsOf(i, vector);
        }
        return last.Numbers[^1] <= (database.Number("SELECT seq FROM sqlite_sequence WHERE name = 'vector'") ?? 0);
    }

    private bool IsMostlyForgotten(Database database)
    {
        if (Blocks.Count < 4)
            return false;
        var forgotten = database.Number(
            "SELECT count(*) FROM change WHERE partition = $1 AND seq > $2 AND state = 0 AND row <= $3", partition, _sidecar!.BaseChange, Blocks[^1].Numbers[^1]) ?? 0;
        return forgotten > Blocks.Count * VectorBlock.Rows / 4;
    }

    private void ReadChanges(Database database)
    {
        using var rows = database.Query("SELECT seq, row, state FROM change WHERE partition = $1 AND seq > $2 ORDER BY seq", partition, _lastChange);
        while (rows.Read())
        {
            _lastChange = rows.GetInt64(0);
            Set(rows.GetInt64(1), (RowState)rows.GetInt32(2));
        }
    }

    private void ReadRows(Database database)
    {
        // a document's key is where its id begins
        using var rows = database.Query(
            $"""
            SELECT v.row, v.scope, v.usable, v.data, r.{(documents ? "key FROM vector v LEFT JOIN document" : "id FROM vector v LEFT JOIN episode")} r ON r.seq = v.item
            WHERE v.partition = $1 AND v.row > $2 ORDER BY v.row
            """, partition, _lastRow);
        while (rows.Read())
        {
            _lastRow = rows.GetInt64(0);
            // a vector of a wrong length is found when its record is read
            if (_unreadable.Contains(_lastRow) || FloatBytes.Read(rows.GetFieldValue<byte[]>(3)) is not { } vector || vector.Length != dimensions)
                continue;
            var state = rows.GetInt32(2) == 0 ? RowState.Unusable : RowState.Usable;
            if (VectorEntry.Of(_lastRow, rows.GetInt32(1), state, vector, rows.IsDBNull(4) ? 0 : Twin.OrderOf(rows.GetString(4))) is { } entry && _rows.Add(entry) && Blocks.Count - _saved >= MostUnsaved)
                Save();
        }
    }

    private void Save()
    {
        if (_sidecar is null || (_saved == Blocks.Count && !(_anew && _sidecar.Generation > 0)))
            return;
        try
        {
            var fresh = _anew || _sidecar.Generation == 0;
            var mapped = fresh ? _sidecar.Begin([.. Blocks], _base) : _sidecar.Append([.. Blocks.Skip(_saved)], _saved);
            if (mapped is null)
                return; // another process is at it
            if (fresh)
                _saved = 0;
            Blocks.RemoveRange(_saved, mapped.Count);
            Blocks.InsertRange(_saved, mapped);
            _saved += mapped.Count;
            _anew = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _sidecar = null; // a cache that cannot be kept is done without
        }
    }

    private void Set(long row, RowState state)
    {
        if (_unreadable.Contains(row))
            state = RowState.Forgotten;
        _rows.Set(row, state);
    }
}
