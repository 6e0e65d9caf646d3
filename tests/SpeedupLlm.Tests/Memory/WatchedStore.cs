using SpeedupLlm.Experience;

namespace SpeedupLlm.Tests.Memory;

/// <summary>A store whose documents a test can see, and whose writes it can interrupt.</summary>
internal sealed class WatchedStore(IExperienceStore inner) : IExperienceStore
{
    /// <summary>Called before a document is written: what happens in between.</summary>
    public Func<MemoryDocument, Task>? BeforePut { get; set; }

    /// <summary>Whether learners wait for each other; without it, as after a turn that was lost.</summary>
    public bool TakesTurns { get; set; } = true;

    /// <summary>All documents of a tenant, scope by scope in the order of writing.</summary>
    public async Task<IReadOnlyList<MemoryDocument>> DocumentsAsync(string tenant = "tenant")
    {
        var documents = new List<MemoryDocument>();
        foreach (var scope in await inner.ScopesAsync(tenant, CancellationToken.None))
        {
            await foreach (var document in inner.ListDocumentsAsync(scope, null, CancellationToken.None))
            {
                if (document.Scope == scope) // a scope without user lists those with one too
                    documents.Add(document);
            }
        }
        documents.Reverse(); // they are listed newest first
        return documents;
    }

    public ValueTask AppendAsync(Episode episode, CancellationToken cancellationToken) => inner.AppendAsync(episode, cancellationToken);

    public ValueTask<Episode?> GetEpisodeAsync(string tenant, string id, CancellationToken cancellationToken) => inner.GetEpisodeAsync(tenant, id, cancellationToken);

    public ValueTask<bool> UpdateEpisodeAsync(string tenant, string id, Func<Episode, Episode> change, CancellationToken cancellationToken) =>
        inner.UpdateEpisodeAsync(tenant, id, change, cancellationToken);

    public ValueTask<IReadOnlyList<Neighbour<Episode>>> NearestAsync(Lookup lookup, ReadOnlyMemory<float> query, int count, CancellationToken cancellationToken) =>
        inner.NearestAsync(lookup, query, count, cancellationToken);

    public IAsyncEnumerable<Episode> ListAsync(Lookup lookup, CancellationToken cancellationToken) => inner.ListAsync(lookup, cancellationToken);

    public ValueTask<MemoryDocument?> GetAsync(Scope scope, string kind, string key, CancellationToken cancellationToken) =>
        inner.GetAsync(scope, kind, key, cancellationToken);

    public async ValueTask<MemoryDocument?> PutAsync(MemoryDocument document, CancellationToken cancellationToken)
    {
        if (BeforePut is { } before)
            await before(document);
        await Task.Yield();
        return await inner.PutAsync(document, cancellationToken);
    }

    public ValueTask<IReadOnlyList<Neighbour<MemoryDocument>>> NearestDocumentsAsync(
        Lookup lookup, string kind, ReadOnlyMemory<float> query, int count, CancellationToken cancellationToken) =>
        inner.NearestDocumentsAsync(lookup, kind, query, count, cancellationToken);

    public IAsyncEnumerable<MemoryDocument> ListDocumentsAsync(Scope scope, string? kind, CancellationToken cancellationToken) =>
        inner.ListDocumentsAsync(scope, kind, cancellationToken);

    public ValueTask<IReadOnlyList<Scope>> ScopesAsync(string tenant, CancellationToken cancellationToken) => inner.ScopesAsync(tenant, cancellationToken);

    public ValueTask<int> ForgetAsync(string tenant, string episodeId, CancellationToken cancellationToken) => inner.ForgetAsync(tenant, episodeId, cancellationToken);

    public ValueTask<IAsyncDisposable> TakeTurnAsync(Scope scope, string name, CancellationToken cancellationToken) =>
        TakesTurns ? inner.TakeTurnAsync(scope, name, cancellationToken) : new(new MemoryStream());

    public ValueTask<StoreHealth> CheckAsync(CancellationToken cancellationToken) => inner.CheckAsync(cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
