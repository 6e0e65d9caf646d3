using System.Collections.Concurrent;

namespace SpeedupLlm.Sqlite;

/// <summary>Records as they were last read, kept until anybody commits: what is asked for again and again is not read and parsed each time. Thread-safe.</summary>
/// <remarks>
/// SQLite tells each connection whether another one, here or in another process, has committed since it last looked (<c>PRAGMA data_version</c>).
/// Whoever hears of a commit begins a new collection; a record goes into the collection that stood before its reader asked, so that one
/// read before a commit never stands among those read after it.
/// </remarks>
internal sealed class ReadRecords
{
    private volatile Collection _current = new();

    /// <summary>What is known, if nobody has committed meanwhile; see <see cref="Of"/>.</summary>
    public Collection Current => _current;

    /// <summary>What holds for a connection that is outside a transaction: a new collection if somebody has committed since it last looked.</summary>
    public Collection Of(Database database)
    {
        var current = _current;
        return database.IsChangedByOthers() ? _current = new() : current;
    }

    /// <summary>Records of one state of the store.</summary>
    internal sealed class Collection
    {
        // for the few that are asked for often; full, it begins anew
        private const int Most = 2048;

        private readonly ConcurrentDictionary<object, object> _records = new();

        /// <summary>The record of a key, or null.</summary>
        public T? Find<T>(object key)
            where T : class => _records.TryGetValue(key, out var record) ? (T)record : null;

        /// <summary>Keeps what was read.</summary>
        public void Keep(object key, object record)
        {
            if (_records.Count >= Most)
                _records.Clear();
            _records[key] = record;
        }
    }
}
