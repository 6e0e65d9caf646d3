using System.Globalization;
using Npgsql;
using SpeedupLlm.Experience;

namespace SpeedupLlm.PostgreSql;

/// <summary>The tables, all in the schema <c>speedup</c>, and how older ones become newer ones.</summary>
internal static class Schema
{
    /// <summary>The format that this program writes.</summary>
    public const long Current = 1;

    /// <summary>Two that migrate take turns ("SpLM").</summary>
    private const long MigrationLock = 0x5370_4C4D;

    // names are UTF-8 bytes, so that every string has one; they are found by their hash, so that none is too long for an index
    private const string Version1 =
        """
        CREATE SCHEMA IF NOT EXISTS speedup;
        CREATE TABLE speedup.store (id uuid NOT NULL, format bigint NOT NULL);
        -- emptied by the server after a crash: transaction numbers that no commit used are given anew then
        CREATE UNLOGGED TABLE speedup.epoch (one boolean PRIMARY KEY DEFAULT true CHECK (one), id uuid NOT NULL DEFAULT gen_random_uuid());

        CREATE TABLE speedup.tenant (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name bytea NOT NULL);
        CREATE UNIQUE INDEX tenant_name ON speedup.tenant (sha256(name));
        -- what may be shared at most: memory never crosses a tenant, a model or a prompt set
        CREATE TABLE speedup.realm (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant bigint NOT NULL, model bytea NOT NULL, prompt bytea NOT NULL);
        CREATE UNIQUE INDEX realm_name ON speedup.realm (tenant, sha256(model), sha256(prompt));
        CREATE TABLE speedup.scope (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, realm bigint NOT NULL, username bytea, conversation bytea);
        CREATE UNIQUE INDEX scope_name ON speedup.scope (realm, coalesce(sha256(username), ''), coalesce(sha256(conversation), ''));
        CREATE INDEX scope_conversation ON speedup.scope (realm, sha256(conversation)) WHERE conversation IS NOT NULL;

        -- vectors that may be compared; kind is empty for episodes, 'document:' and the kind for documents
        CREATE TABLE speedup.partition (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, realm bigint NOT NULL, kind bytea NOT NULL, embedder bytea NOT NULL, dimensions integer NOT NULL);
        CREATE UNIQUE INDEX partition_name ON speedup.partition (realm, sha256(kind), sha256(embedder), dimensions);
        -- one number for a record and its vector, never used again
        CREATE SEQUENCE speedup.record_row;
        -- state: 0 gone, 1 not usable, 2 usable; norm: null without a direction; changed: the transaction that wrote it last
        CREATE TABLE speedup.vector (row bigint PRIMARY KEY, partition bigint NOT NULL, scope integer NOT NULL, state smallint NOT NULL,
          norm double precision, data real[], changed xid8 NOT NULL DEFAULT pg_current_xact_id());
        ALTER TABLE speedup.vector ALTER COLUMN data SET STORAGE EXTERNAL;
        CREATE INDEX vector_partition ON speedup.vector (partition, row) WHERE state > 0 AND norm IS NOT NULL;
        CREATE INDEX vector_changed ON speedup.vector (partition, changed);

        CREATE TABLE speedup.episode (row bigint PRIMARY KEY DEFAULT nextval('speedup.record_row'), tenant bigint NOT NULL, id bytea NOT NULL, realm bigint NOT NULL,
          scope integer NOT NULL, usable boolean NOT NULL, partition bigint, record bytea NOT NULL);
        CREATE UNIQUE INDEX episode_name ON speedup.episode (tenant, sha256(id));
        CREATE INDEX episode_realm ON speedup.episode (realm, row) INCLUDE (scope, usable);
        CREATE INDEX episode_scope ON speedup.episode (scope);

        -- stays when the document is forgotten: its versions go on where they ended
        CREATE TABLE speedup.document_name (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, scope integer NOT NULL, kind bytea NOT NULL, key bytea NOT NULL, version bigint NOT NULL DEFAULT 0);
        CREATE UNIQUE INDEX document_name_name ON speedup.document_name (scope, sha256(kind), sha256(key));
        -- a new version is a new row, so that rows are in the order of writing
        CREATE TABLE speedup.document (row bigint PRIMARY KEY DEFAULT nextval('speedup.record_row'), name bigint NOT NULL UNIQUE, realm bigint NOT NULL, scope integer NOT NULL,
          version bigint NOT NULL, partition bigint, record bytea NOT NULL, content bytea NOT NULL);
        CREATE INDEX document_realm ON speedup.document (realm, row);
        CREATE INDEX document_scope ON speedup.document (scope);
        -- forgetting an episode reaches what was made from it, also where it was set aside
        CREATE TABLE speedup.source (tenant bigint NOT NULL, episode bytea NOT NULL, document bigint NOT NULL);
        CREATE INDEX source_episode ON speedup.source (tenant, sha256(episode));
        CREATE INDEX source_document ON speedup.source (document);

        -- unreadable records, kept as they were found
        CREATE TABLE speedup.set_aside (row bigint PRIMARY KEY, origin text NOT NULL, tenant bigint, name bytea, reason text NOT NULL, record bytea, content bytea, vector real[]);
        CREATE INDEX set_aside_name ON speedup.set_aside (tenant, sha256(name)) WHERE origin = 'episode';

        -- work and leases; token counts up with every taking, so that a holder who lost it is known
        CREATE TABLE speedup.work (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, queue text NOT NULL, name text NOT NULL, payload bytea NOT NULL,
          holder text, until timestamptz, token bigint NOT NULL DEFAULT 0, attempts integer NOT NULL DEFAULT 0, done timestamptz, result bytea, UNIQUE (queue, name));
        CREATE INDEX work_open ON speedup.work (queue, id) WHERE done IS NULL;
        """;

    /// <summary>Brings a database to the current format.</summary>
    /// <param name="connection">Open, outside a transaction.</param>
    /// <param name="name">For messages.</param>
    /// <param name="cancellationToken">Ends the waiting for others that migrate.</param>
    /// <exception cref="StoreFormatException">It is newer.</exception>
    /// <exception cref="StoreCorruptException">The schema is another program's.</exception>
    public static async ValueTask MigrateAsync(NpgsqlConnection connection, string name, CancellationToken cancellationToken)
    {
        if (await CheckAsync(connection, name, cancellationToken).ConfigureAwait(false) == Current)
            return;
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await connection.ExecuteAsync("SET LOCAL lock_timeout = 0", cancellationToken).ConfigureAwait(false);
        await connection.ExecuteAsync("SELECT pg_advisory_xact_lock($1)", cancellationToken, MigrationLock).ConfigureAwait(false);
        // another process may have been faster
        if (await CheckAsync(connection, name, cancellationToken).ConfigureAwait(false) == 0)
        {
            await connection.ExecuteAsync(Version1, cancellationToken).ConfigureAwait(false);
            await connection.ExecuteAsync("INSERT INTO speedup.store (id, format) VALUES (gen_random_uuid(), $1)", cancellationToken, Current).ConfigureAwait(false);
        }
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The format of a database: 0 has no store yet.</summary>
    /// <exception cref="StoreFormatException">It is newer.</exception>
    /// <exception cref="StoreCorruptException">The schema is another program's.</exception>
    private static async ValueTask<long> CheckAsync(NpgsqlConnection connection, string name, CancellationToken cancellationToken)
    {
        var tables = await connection.ScalarAsync(
            "SELECT string_agg(c.relname, ',') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'speedup' AND c.relkind IN ('r', 'p', 'v', 'm')",
            cancellationToken).ConfigureAwait(false) as string;
        if (tables is null)
            return 0;
        if (!tables.Split(',').Contains("store", StringComparer.Ordinal))
            throw new StoreCorruptException(name, "the schema speedup is another program's");
        var format = Convert.ToInt64(await connection.ScalarAsync("SELECT max(format) FROM speedup.store", cancellationToken).ConfigureAwait(false) ?? -1L, CultureInfo.InvariantCulture);
        return format > Current ? throw new StoreFormatException(name, format, Current)
            : format < 1 ? throw new StoreCorruptException(name, "the schema speedup names no format")
            : format;
    }
}
