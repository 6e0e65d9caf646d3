using System.Collections.Concurrent;
using SpeedupLlm.Experience;

namespace SpeedupLlm.Sqlite;

/// <summary>The numbers of realms, scopes and partitions. They never change once committed, so readers remember them.</summary>
internal sealed class Scopes
{
    private readonly ConcurrentDictionary<Realm, long> _realms = new();
    private readonly ConcurrentDictionary<PartitionKey, long> _partitions = new();

    /// <summary>A realm's number, or null if nothing was ever kept in it.</summary>
    public long? FindRealm(Database database, Realm realm)
    {
        if (_realms.TryGetValue(realm, out var known))
            return known;
        if (ReadRealm(database, realm) is not { } id)
            return null;
        _realms.TryAdd(realm, id);
        return id;
    }

    /// <summary>A partition's number, or null if it has no vectors.</summary>
    public long? FindPartition(Database database, PartitionKey key)
    {
        if (_partitions.TryGetValue(key, out var known))
            return known;
        if (FindRealm(database, key.Realm) is not { } realm || ReadPartition(database, realm, key) is not { } id)
            return null;
        _partitions.TryAdd(key, id);
        return id;
    }

    /// <summary>The scopes that a look-up sees, or null for all of the realm.</summary>
    public static HashSet<int>? Seen(Database database, long realm, Scope lookup)
    {
        if (lookup.User is null && lookup.Conversation is null)
            return null;
        var seen = new HashSet<int>();
        using var rows = database.Query(
            "SELECT id FROM scope WHERE realm = $1 AND ($2 IS NULL OR user = $2) AND ($3 IS NULL OR conversation = $3)", realm, lookup.User, lookup.Conversation);
        while (rows.Read())
            seen.Add(rows.GetInt32(0));
        return seen;
    }

    /// <summary>A scope's number, or null. Inside any transaction.</summary>
    public static long? FindScope(Database database, long realm, Scope scope) => database.Number(
        "SELECT id FROM scope WHERE realm = $1 AND ifnull('=' || user, '') = ifnull('=' || $2, '') AND ifnull('=' || conversation, '') = ifnull('=' || $3, '')",
        realm, scope.User, scope.Conversation);

    /// <summary>The numbers of a scope, written if new. Inside the writer's transaction, which may be rolled back: nothing is remembered.</summary>
    public static (long Realm, long Scope) Add(Database database, Scope scope)
    {
        var key = Realm.Of(scope);
        var realm = ReadRealm(database, key);
        if (realm is null)
        {
            database.Execute("INSERT INTO realm (tenant, model, prompt) VALUES ($1, $2, $3)", key.Tenant, key.Model, key.Prompt);
            realm = database.LastRow;
        }
        if (FindScope(database, realm.Value, scope) is { } known)
            return (realm.Value, known);
        database.Execute("INSERT INTO scope (realm, user, conversation) VALUES ($1, $2, $3)", realm, scope.User, scope.Conversation);
        return (realm.Value, database.LastRow);
    }

    /// <summary>A partition's number, written if new. Inside the writer's transaction.</summary>
    public static long AddPartition(Database database, long realm, PartitionKey key)
    {
        if (ReadPartition(database, realm, key) is { } known)
            return known;
        database.Execute("INSERT INTO partition (realm, kind, embedder, dimensions) VALUES ($1, $2, $3, $4)", realm, key.Kind, key.Embedder, key.Dimensions);
        return database.LastRow;
    }

    private static long? ReadRealm(Database database, Realm realm) =>
        database.Number("SELECT id FROM realm WHERE tenant = $1 AND model = $2 AND prompt = $3", realm.Tenant, realm.Model, realm.Prompt);

    private static long? ReadPartition(Database database, long realm, PartitionKey key) => database.Number(
        "SELECT id FROM partition WHERE realm = $1 AND kind = $2 AND embedder = $3 AND dimensions = $4", realm, key.Kind, key.Embedder, key.Dimensions);
}
