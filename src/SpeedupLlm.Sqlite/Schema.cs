using SpeedupLlm.Experience;

namespace SpeedupLlm.Sqlite;

/// <summary>The tables, and how older ones become newer ones.</summary>
internal static class Schema
{
    /// <summary>The format that this program writes (<c>user_version</c>).</summary>
    public const long Current = 1;

    /// <summary>Marks the file as ours (<c>application_id</c>, "SpLM").</summary>
    public const long Application = 0x5370_4C4D;

    private const string Version1 =
        """
        -- what may be shared at most: memory never crosses a tenant, a model or a prompt set
        CREATE TABLE realm (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, model TEXT NOT NULL, prompt TEXT NOT NULL, UNIQUE (tenant, model, prompt));
        CREATE TABLE scope (id INTEGER PRIMARY KEY, realm INTEGER NOT NULL, user TEXT, conversation TEXT);
        CREATE UNIQUE INDEX scope_name ON scope (realm, ifnull('=' || user, ''), ifnull('=' || conversation, ''));

        -- vectors that may be compared; kind is '' for episodes, 'document:' and the kind for documents
        CREATE TABLE partition (id INTEGER PRIMARY KEY, realm INTEGER NOT NULL, kind TEXT NOT NULL, embedder TEXT NOT NULL, dimensions INTEGER NOT NULL,
          UNIQUE (realm, kind, embedder, dimensions));
        -- rows are never reused nor changed, so that what was derived from them stays true
        CREATE TABLE vector (row INTEGER PRIMARY KEY AUTOINCREMENT, partition INTEGER NOT NULL, scope INTEGER NOT NULL, item INTEGER NOT NULL,
          usable INTEGER NOT NULL, data BLOB NOT NULL);
        CREATE INDEX vector_partition ON vector (partition);
        -- what happened to vectors since they were written; state: 0 gone, 1 not usable, 2 usable
        CREATE TABLE change (seq INTEGER PRIMARY KEY AUTOINCREMENT, partition INTEGER NOT NULL, row INTEGER NOT NULL, state INTEGER NOT NULL);
        CREATE INDEX change_partition ON change (partition);

        CREATE TABLE episode (seq INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, id TEXT NOT NULL, realm INTEGER NOT NULL, scope INTEGER NOT NULL,
          usable INTEGER NOT NULL, vector INTEGER, record BLOB NOT NULL, UNIQUE (tenant, id));
        CREATE INDEX episode_realm ON episode (realm, seq, scope, usable);

        CREATE TABLE document (seq INTEGER PRIMARY KEY AUTOINCREMENT, realm INTEGER NOT NULL, scope INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
          version INTEGER NOT NULL, vector INTEGER, record BLOB NOT NULL, content BLOB NOT NULL, UNIQUE (scope, kind, key));
        CREATE INDEX document_realm ON document (realm, seq, scope, kind);
        -- forgetting an episode reaches what was made from it
        CREATE TABLE source (tenant TEXT NOT NULL, episode TEXT NOT NULL, document INTEGER NOT NULL, PRIMARY KEY (tenant, episode, document)) WITHOUT ROWID;
        CREATE INDEX source_document ON source (document);
        -- versions of forgotten documents go on where they ended
        CREATE TABLE retired (scope INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (scope, kind, key)) WITHOUT ROWID;

        -- unreadable records, kept as they were found
        CREATE TABLE set_aside (id INTEGER PRIMARY KEY, origin TEXT NOT NULL, tenant TEXT, name TEXT, reason TEXT NOT NULL, record BLOB, content BLOB, vector BLOB);
        CREATE TABLE store (id BLOB NOT NULL);
        """;

    /// <summary>Brings a writable database to the current format.</summary>
    /// <param name="database">Open, outside a transaction.</param>
    /// <param name="name">For messages.</param>
    /// <exception cref="StoreFormatException">It is newer.</exception>
    /// <exception cref="StoreCorruptException">It is another program's.</exception>
    public static void Migrate(Database database, string name)
    {
        if (Check(database, name) == Current)
            return;
        database.Execute("BEGIN IMMEDIATE");
        try
        {
            // another process may have been faster
            if (Check(database, name) == 0)
            {
                database.Script(Version1);
                database.Execute("INSERT INTO store (id) VALUES ($1)", Guid.NewGuid().ToByteArray());
                database.Script(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"PRAGMA application_id = {Application}; PRAGMA user_version = {Current}"));
            }
            database.Execute("COMMIT");
        }
        catch
        {
            database.RollBack();
            throw;
        }
    }

    /// <summary>The format of a database: 0 is empty.</summary>
    /// <exception cref="StoreFormatException">It is newer.</exception>
    /// <exception cref="StoreCorruptException">It is another program's.</exception>
    public static long Check(Database database, string name)
    {
        // one statement, one snapshot: asked one after the other, another process that makes the store in between is taken for another program
        using var header = database.Query("SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_master)");
        header.Read();
        var (version, application, tables) = (header.GetInt64(0), header.GetInt64(1), header.GetInt64(2));
        if (version == 0 && application == 0 && tables == 0)
            return 0;
        if (application != Application)
            throw new StoreCorruptException(name, "it is another program's database");
        if (version > Current)
            throw new StoreFormatException(name, version, Current);
        return version;
    }
}
