using Npgsql;
using SpeedupLlm.Experience;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.PostgreSql;

/// <summary>Exact nearest neighbours: candidates come from the index or from pgvector, and are compared in full with the records, as these are now.</summary>
internal sealed class Recall(Database database, Scopes scopes, PartitionIndexes indexes, Bell bell, bool usePgvector)
{
    /// <summary>So many records are read at once, at least and at most: nearly always all that may be among the nearest.</summary>
    private const int Together = 64, MostTogether = 1_024;

    private const int MostTries = 8;

    /// <summary>Reads records by number.</summary>
    public delegate ValueTask<List<FoundRow<T>>> Find<T>(NpgsqlConnection connection, long[] rows, CancellationToken cancellationToken)
        where T : class;

    /// <summary>What is asked, and where.</summary>
    private sealed record Request(long Realm, long Partition, Scope Lookup, QuantizedQuery Query, int Count, bool UsableOnly);

    /// <summary>Where to look: rows by what their similarity is at most, highest first.</summary>
    private sealed record Candidates(List<Found> Near, RowFilter Filter, PartitionIndex? Index);

    /// <summary>The nearest, best first, ties by id; and the bad records that were met.</summary>
    public async ValueTask<(IReadOnlyList<Neighbour<T>> Found, IReadOnlyCollection<BadRecord> Bad)> NearestAsync<T>(
        Lookup lookup, string kind, bool usableOnly, ReadOnlyMemory<float> query, int count, Find<T> find, CancellationToken cancellationToken)
        where T : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (count <= 0 || QuantizedQuery.Of(query) is not { } quantized)
            return ([], []);
        var key = new PartitionKey(Realm.Of(lookup.Scope), kind, lookup.EmbeddingFingerprint, query.Length);
        var bad = new Dictionary<long, BadRecord>();
        for (var attempt = 1; ; attempt++)
        {
            if (await scopes.FindPartitionAsync(database, lookup.Scope, key, cancellationToken).ConfigureAwait(false) is not var (realm, partition))
                return ([], []);
            var candidates = await CandidatesAsync(new(realm, partition, lookup.Scope, quantized, count, usableOnly), cancellationToken).ConfigureAwait(false);
            var (found, again) = await database.ReadAsync(c => RankAsync(c, candidates, quantized, count, bad, find, cancellationToken), cancellationToken).ConfigureAwait(false);
            // what was left out may have kept others out: look again without it
            if (!again || attempt == MostTries)
                return (found, bad.Values);
            candidates.Index?.Ring();
        }
    }

    private async ValueTask<Candidates> CandidatesAsync(Request request, CancellationToken cancellationToken)
    {
        if (usePgvector && database.VectorSchema is { } schema && request.Query.Vector.Length <= ServerSearch.MostDimensions)
        {
            return await database.ReadAsync(async c =>
            {
                var seen = await Scopes.SeenAsync(c, request.Realm, request.Lookup, cancellationToken).ConfigureAwait(false);
                return new Candidates(
                    await ServerSearch.CandidatesAsync(c, schema, request.Partition, request.Query, request.Count, seen, request.UsableOnly, cancellationToken).ConfigureAwait(false),
                    new(seen?.ToHashSet(), request.UsableOnly), null);
            }, cancellationToken).ConfigureAwait(false);
        }
        bell.Listen();
        var index = indexes.Of(request.Partition, request.Query.Vector.Length);
        var view = await index.ViewAsync(cancellationToken).ConfigureAwait(false);
        indexes.Trim(index);
        var filter = new RowFilter(await SeenAsync(view, request, cancellationToken).ConfigureAwait(false), request.UsableOnly);
        return new(VectorSearch.Candidates(view.Blocks, view.Tail, request.Query, request.Count, filter), filter, index);
    }

    private async ValueTask<IReadOnlySet<int>?> SeenAsync(IndexView view, Request request, CancellationToken cancellationToken)
    {
        var (user, conversation) = (request.Lookup.User, request.Lookup.Conversation);
        if (user is null && conversation is null)
            return null;
        if (view.Seen.TryGetValue((user, conversation), out var known))
            return known;
        var seen = await database.ReadAsync(c => Scopes.SeenAsync(c, request.Realm, request.Lookup, cancellationToken), cancellationToken).ConfigureAwait(false);
        return view.Seen.GetOrAdd((user, conversation), seen!.ToHashSet());
    }

    /// <summary>Compares candidates in full; says whether one of them was not as it was said to be.</summary>
    private static async ValueTask<(IReadOnlyList<Neighbour<T>> Found, bool Again)> RankAsync<T>(
        NpgsqlConnection connection, Candidates candidates, QuantizedQuery query, int count, Dictionary<long, BadRecord> bad, Find<T> find, CancellationToken cancellationToken)
        where T : class
    {
        var rows = new Dictionary<long, FoundRow<T>>();
        var best = new BestRows(count, row => rows[row].Id);
        var again = false;
        foreach (var chunk in candidates.Near.Where(c => !bad.ContainsKey(c.Row)).Chunk(Math.Clamp(count, Together, MostTogether)))
        {
            if (chunk[0].Similarity < best.Least)
                break;
            var asked = Array.ConvertAll(chunk, c => c.Row);
            foreach (var row in await find(connection, asked, cancellationToken).ConfigureAwait(false))
            {
                rows.Add(row.Row, row);
                if (row.Record.Bad is { } found)
                {
                    bad.Add(row.Row, found);
                    again = true;
                }
                else if (candidates.Filter.Takes(row.State, row.Scope) && Cosine.Norm(row.Vector.Values.Span) is { } norm)
                    best.Offer(new(row.Row, Cosine.Similarity(query.Vector.Span, query.Norm, row.Vector.Values.Span, norm)));
                else
                    again = true;
            }
            foreach (var row in asked.Where(r => !rows.ContainsKey(r)))
            {
                candidates.Index?.Drop(row);
                again = true;
            }
        }
        return ([.. best.InOrder().Select(f => new Neighbour<T>(rows[f.Row].Record.Record!, f.Similarity))], again);
    }
}
