using Microsoft.Data.Sqlite;
using SpeedupLlm.Experience;

namespace SpeedupLlm.Sqlite;

/// <summary>How a store's file can be used: written, only read, or not at all.</summary>
internal sealed class StorePlace
{
    private const string InMemory = ":memory:";

    private readonly SqliteStoreOptions _options;
    private readonly string _source;
    private readonly SqliteOpenMode _mode;

    private StorePlace(string path, SqliteStoreOptions options, string source, SqliteOpenMode mode, string? readOnly)
    {
        Path = path;
        _options = options;
        _source = source;
        _mode = mode;
        ReadOnly = readOnly;
    }

    /// <summary>The file, as it was given.</summary>
    public string Path { get; }

    /// <summary>Why nothing can be kept here, or null.</summary>
    public string? ReadOnly { get; }

    /// <summary>Where derived files go, or null.</summary>
    public string? Folder => ReadOnly is null ? Path + ".index" : null;

    /// <summary>The store's id; zeros if there is no file.</summary>
    public Guid Id { get; private set; }

    /// <summary>Makes the file ready; falls back to reading it, then to nothing, if the disk does not let it.</summary>
    /// <exception cref="StoreFormatException">It is newer.</exception>
    /// <exception cref="StoreCorruptException">It is damaged or no store.</exception>
    public static async ValueTask<StorePlace> PrepareAsync(string path, SqliteStoreOptions options, CancellationToken cancellationToken)
    {
        try
        {
            try
            {
                return await WritableAsync(path, options, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (WhyNot(e) is { } reason)
            {
                return Readable(path, options, reason);
            }
        }
        catch (SqliteException e)
        {
            throw Failures.Translate(e, path);
        }
    }

    /// <summary>A connection for the writer.</summary>
    /// <exception cref="StoreDegradedException">Nothing can be kept here.</exception>
    public Database OpenWriter()
    {
        if (ReadOnly is not null)
            throw new StoreDegradedException(Path, ReadOnly);
        var database = Database.Open(_source, _mode, _options.Busy);
        try
        {
            // a forgotten record is overwritten, not only unlinked
            database.Script($"PRAGMA synchronous = {(_options.SurvivesPowerLoss ? "FULL" : "NORMAL")}; PRAGMA secure_delete = ON; PRAGMA cache_size = -16000");
            if (_options.MostPages is { } pages)
                database.Script(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"PRAGMA max_page_count = {pages}"));
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>A connection for readers.</summary>
    public Database OpenReader()
    {
        var database = Database.Open(_source, _mode == SqliteOpenMode.ReadWriteCreate ? SqliteOpenMode.ReadWrite : _mode, _options.Busy);
        if (_source == InMemory)
            Schema.Migrate(database, Path);
        database.Script("PRAGMA query_only = ON");
        return database;
    }

    private static async ValueTask<StorePlace> WritableAsync(string path, SqliteStoreOptions options, CancellationToken cancellationToken)
    {
        var full = System.IO.Path.GetFullPath(path);
        if (System.IO.Path.GetDirectoryName(full) is { Length: > 0 } folder)
            Directory.CreateDirectory(folder);
        if (new FileInfo(full) is { Exists: true, Length: 0 } && Directory.Exists(full + ".index"))
            throw new StoreCorruptException(path, "the file was cut to nothing");
        using var database = Database.Open(full, SqliteOpenMode.ReadWriteCreate, options.Busy);
        if (database.IsReadOnly)
            throw new UnauthorizedAccessException("it is read-only");
        Schema.Check(database, path);
        await UseWriteAheadLogAsync(database, options, cancellationToken).ConfigureAwait(false);
        Schema.Migrate(database, path);
        return new(path, options, full, SqliteOpenMode.ReadWriteCreate, readOnly: null) { Id = ReadId(database) };
    }

    /// <summary>Changing the journal does not wait for other processes by itself: two that open a new store at once must take turns.</summary>
    private static async ValueTask UseWriteAheadLogAsync(Database database, SqliteStoreOptions options, CancellationToken cancellationToken)
    {
        for (var waited = TimeSpan.Zero; ;)
        {
            try
            {
                database.Scalar("PRAGMA journal_mode = WAL");
                return;
            }
            catch (SqliteException e) when (e.SqliteErrorCode is SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED && waited < options.Busy)
            {
                var pause = TimeSpan.FromMilliseconds(20);
                waited += pause;
                await Task.Delay(pause, options.Clock, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static StorePlace Readable(string path, SqliteStoreOptions options, string reason)
    {
        var full = System.IO.Path.GetFullPath(path);
        if (File.Exists(full))
        {
            // the second is for a read-only folder, where the log's files cannot be made
            foreach (var source in (string[])[full, $"file:{Uri.EscapeDataString(full).Replace("%2F", "/", StringComparison.Ordinal)}?immutable=1"])
            {
                try
                {
                    using var database = Database.Open(source, SqliteOpenMode.ReadOnly, options.Busy);
                    if (Schema.Check(database, path) == Schema.Current)
                        return new(path, options, source, SqliteOpenMode.ReadOnly, reason) { Id = ReadId(database) };
                }
                catch (SqliteException e) when (!Failures.IsCorrupt(e))
                {
                    reason = Failures.WhyDegraded(e) is { } why && !reason.Contains(why, StringComparison.Ordinal) ? $"{reason}, {why}" : reason;
                }
            }
        }
        return new(path, options, InMemory, SqliteOpenMode.Memory, reason);
    }

    private static string? WhyNot(Exception error) => error switch
    {
        StoreCorruptException or StoreFormatException => null,
        UnauthorizedAccessException => "it is read-only",
        IOException => "its folder cannot be used",
        _ => Failures.WhyDegraded(error),
    };

    private static Guid ReadId(Database database) => database.Scalar("SELECT id FROM store") is byte[] { Length: 16 } id ? new(id) : Guid.Empty;
}
