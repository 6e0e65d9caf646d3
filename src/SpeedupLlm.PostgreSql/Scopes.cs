using System.Collections.Concurrent;
using Npgsql;
using SpeedupLlm.Experience;

namespace SpeedupLlm.PostgreSql;

/// <summary>The numbers of a scope.</summary>
internal readonly record struct ScopeNumbers(long Tenant, long Realm, int Scope);

/// <summary>The numbers of tenants, realms, scopes and partitions. They never change once committed, so they are remembered until a connection is lost. Thread-safe.</summary>
internal sealed class Scopes
{
    private const string ScopeSql =
        """
        SELECT t.id, r.id, s.id FROM speedup.tenant t JOIN speedup.realm r ON r.tenant = t.id LEFT JOIN speedup.scope s ON s.realm = r.id
          AND coalesce(sha256(s.username), '') = coalesce(sha256($4::bytea), '') AND coalesce(sha256(s.conversation), '') = coalesce(sha256($5::bytea), '')
        WHERE sha256(t.name) = sha256($1::bytea) AND sha256(r.model) = sha256($2::bytea) AND sha256(r.prompt) = sha256($3::bytea)
        """;

    private const string PartitionSql =
        "SELECT id FROM speedup.partition WHERE realm = $1 AND sha256(kind) = sha256($2::bytea) AND sha256(embedder) = sha256($3::bytea) AND dimensions = $4";

    private readonly ConcurrentDictionary<Scope, ScopeNumbers> _scopes = new();
    private readonly ConcurrentDictionary<Realm, long> _realms = new();
    private readonly ConcurrentDictionary<PartitionKey, long> _partitions = new();

    /// <summary>Forgets all numbers: the database may have been restored from a copy.</summary>
    public void Clear()
    {
        _scopes.Clear();
        _realms.Clear();
        _partitions.Clear();
    }

    /// <summary>A realm's number, or null if nothing was ever kept in it.</summary>
    public async ValueTask<long?> FindRealmAsync(NpgsqlConnection connection, Scope scope, CancellationToken cancellationToken)
    {
        var key = Realm.Of(scope);
        if (_realms.TryGetValue(key, out var known))
            return known;
        if (await ReadAsync(connection, scope, cancellationToken).ConfigureAwait(false) is not { } read)
            return null;
        _realms.TryAdd(key, read.Realm);
        return read.Realm;
    }

    /// <summary>A scope's numbers, or null if nothing was ever kept in it.</summary>
    public async ValueTask<ScopeNumbers?> FindAsync(NpgsqlConnection connection, Scope scope, CancellationToken cancellationToken)
    {
        if (_scopes.TryGetValue(scope, out var known))
            return known;
        if (await ReadAsync(connection, scope, cancellationToken).ConfigureAwait(false) is not { Scope: { } id } read)
            return null;
        var numbers = new ScopeNumbers(read.Tenant, read.Realm, id);
        _scopes.TryAdd(scope, numbers);
        return numbers;
    }

    /// <summary>A scope's numbers, written if new. Each in a transaction of its own: run it outside any other.</summary>
    public async ValueTask<ScopeNumbers> AddAsync(NpgsqlConnection connection, Scope scope, CancellationToken cancellationToken)
    {
        if (await FindAsync(connection, scope, cancellationToken).ConfigureAwait(false) is { } known)
            return known;
        var (tenant, model, prompt) = (Sql.Name(scope.Tenant), Sql.Name(scope.ModelFingerprint), Sql.Name(scope.PromptFingerprint));
        await connection.ExecuteAsync(
            "INSERT INTO speedup.tenant (name) SELECT $1 WHERE NOT EXISTS (SELECT 1 FROM speedup.tenant WHERE sha256(name) = sha256($1::bytea)) ON CONFLICT DO NOTHING",
            cancellationToken, tenant).ConfigureAwait(false);
        await connection.ExecuteAsync(
            """
            INSERT INTO speedup.realm (tenant, model, prompt) SELECT t.id, $2, $3 FROM speedup.tenant t WHERE sha256(t.name) = sha256($1::bytea)
            AND NOT EXISTS (SELECT 1 FROM speedup.realm r WHERE r.tenant = t.id AND sha256(r.model) = sha256($2::bytea) AND sha256(r.prompt) = sha256($3::bytea)) ON CONFLICT DO NOTHING
            """, cancellationToken, tenant, model, prompt).ConfigureAwait(false);
        await connection.ExecuteAsync(
            """
            INSERT INTO speedup.scope (realm, username, conversation) SELECT r.id, $4::bytea, $5::bytea FROM speedup.realm r JOIN speedup.tenant t ON t.id = r.tenant
            WHERE sha256(t.name) = sha256($1::bytea) AND sha256(r.model) = sha256($2::bytea) AND sha256(r.prompt) = sha256($3::bytea) ON CONFLICT DO NOTHING
            """, cancellationToken, tenant, model, prompt, Sql.NameOrNull(scope.User), Sql.NameOrNull(scope.Conversation)).ConfigureAwait(false);
        return await FindAsync(connection, scope, cancellationToken).ConfigureAwait(false)
            ?? throw new InvalidOperationException("A scope that was just written is not there.");
    }

    /// <summary>The numbers of a partition and its realm, or null if it has no vectors.</summary>
    public async ValueTask<(long Realm, long Partition)?> FindPartitionAsync(Database database, Scope scope, PartitionKey key, CancellationToken cancellationToken)
    {
        if (_realms.TryGetValue(key.Realm, out var realm) && _partitions.TryGetValue(key, out var partition))
            return (realm, partition);
        return await database.ReadAsync<(long, long)?>(
            async c => await FindPartitionAsync(c, scope, key, cancellationToken).ConfigureAwait(false) is { } id
                ? ((await FindRealmAsync(c, scope, cancellationToken).ConfigureAwait(false))!.Value, id)
                : null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A partition's number, or null if it has no vectors.</summary>
    public async ValueTask<long?> FindPartitionAsync(NpgsqlConnection connection, Scope scope, PartitionKey key, CancellationToken cancellationToken)
    {
        if (_partitions.TryGetValue(key, out var known))
            return known;
        if (await FindRealmAsync(connection, scope, cancellationToken).ConfigureAwait(false) is not { } realm
            || await connection.ScalarAsync(PartitionSql, cancellationToken, realm, Sql.Name(key.Kind), Sql.Name(key.Embedder), key.Dimensions).ConfigureAwait(false) is not long id)
            return null;
        _partitions.TryAdd(key, id);
        return id;
    }

    /// <summary>A partition's number, written if new; null if there is no vector. Run it outside any transaction.</summary>
    public async ValueTask<long?> AddPartitionAsync(NpgsqlConnection connection, Scope scope, PartitionKey key, CancellationToken cancellationToken)
    {
        if (key.Dimensions == 0)
            return null;
        if (await FindPartitionAsync(connection, scope, key, cancellationToken).ConfigureAwait(false) is { } known)
            return known;
        var realm = await FindRealmAsync(connection, scope, cancellationToken).ConfigureAwait(false);
        await connection.ExecuteAsync(
            "INSERT INTO speedup.partition (realm, kind, embedder, dimensions) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            cancellationToken, realm, Sql.Name(key.Kind), Sql.Name(key.Embedder), key.Dimensions).ConfigureAwait(false);
        return await FindPartitionAsync(connection, scope, key, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The scopes that a look-up sees, or null for all of the realm.</summary>
    public static async ValueTask<int[]?> SeenAsync(NpgsqlConnection connection, long realm, Scope lookup, CancellationToken cancellationToken)
    {
        if (lookup.User is null && lookup.Conversation is null)
            return null;
        // each of the two has its index
        var sql = lookup.User is not null
            ? "SELECT id FROM speedup.scope WHERE realm = $1 AND coalesce(sha256(username), '') = sha256($2::bytea) AND ($3::bytea IS NULL OR conversation = $3::bytea)"
            : "SELECT id FROM speedup.scope WHERE realm = $1 AND $2::bytea IS NULL AND sha256(conversation) = sha256($3::bytea)";
        return [.. await connection.RowsAsync(sql, row => row.GetInt32(0), cancellationToken, realm, Sql.NameOrNull(lookup.User), Sql.NameOrNull(lookup.Conversation)).ConfigureAwait(false)];
    }

    private static async ValueTask<(long Tenant, long Realm, int? Scope)?> ReadAsync(NpgsqlConnection connection, Scope scope, CancellationToken cancellationToken)
    {
        var rows = await connection.RowsAsync(
            ScopeSql, row => (row.GetInt64(0), row.GetInt64(1), row.IsDBNull(2) ? (int?)null : row.GetInt32(2)), cancellationToken,
            Sql.Name(scope.Tenant), Sql.Name(scope.ModelFingerprint), Sql.Name(scope.PromptFingerprint), Sql.NameOrNull(scope.User), Sql.NameOrNull(scope.Conversation)).ConfigureAwait(false);
        return rows is [var first] ? first : null;
    }
}
