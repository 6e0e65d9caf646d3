using SpeedupLlm.Experience;

namespace SpeedupLlm.Testing;

/// <summary>A store that fails, always or for a while.</summary>
/// <param name="kept">The store behind it while it does not fail; null: it always fails.</param>
public sealed class FailingStore(IExperienceStore? kept = null) : IExperienceStore
{
    /// <summary>Whether it fails now.</summary>
    public bool IsDown { get; set; } = kept is null;

    /// <summary>How it fails.</summary>
    public Exception Failure { get; init; } = new StoreDegradedException("test", "the disk is full");

    private IExperienceStore Kept => IsDown ? throw Failure : kept!;

    public ValueTask AppendAsync(Episode episode, CancellationToken cancellationToken) => Kept.AppendAsync(episode, cancellationToken);

    public ValueTask<Episode?> GetEpisodeAsync(string tenant, string id, CancellationToken cancellationToken) => Kept.GetEpisodeAsync(tenant, id, cancellationToken);

    public ValueTask<bool> UpdateEpisodeAsync(string tenant, string id, Func<Episode, Episode> change, CancellationToken cancellationToken) =>
        Kept.UpdateEpisodeAsync(tenant, id, change, cancellationToken);

    public ValueTask<IReadOnlyList<Neighbour<Episode>>> NearestAsync(Lookup lookup, ReadOnlyMemory<float> query, int count, CancellationToken cancellationToken) =>
        Kept.NearestAsync(lookup, query, count, cancellationToken);

    public IAsyncEnumerable<Episode> ListAsync(Lookup lookup, CancellationToken cancellationToken) => Kept.ListAsync(lookup, cancellationToken);

    public ValueTask<MemoryDocument?> GetAsync(Scope scope, string kind, string key, CancellationToken cancellationToken) => Kept.GetAsync(scope, kind, key, cancellationToken);

    public ValueTask<MemoryDocument?> PutAsync(MemoryDocument document, CancellationToken cancellationToken) => Kept.PutAsync(document, cancellationToken);

    public ValueTask<IReadOnlyList<Neighbour<MemoryDocument>>> NearestDocumentsAsync(
        Lookup lookup, string kind, ReadOnlyMemory<float> query, int count, CancellationToken cancellationToken) => Kept.NearestDocumentsAsync(lookup, kind, query, count, cancellationToken);

    public IAsyncEnumerable<MemoryDocument> ListDocumentsAsync(Scope scope, string? kind, CancellationToken cancellationToken) => Kept.ListDocumentsAsync(scope, kind, cancellationToken);

    public ValueTask<IReadOnlyList<Scope>> ScopesAsync(string tenant, CancellationToken cancellationToken) => Kept.ScopesAsync(tenant, cancellationToken);

    public ValueTask<int> ForgetAsync(string tenant, string episodeId, CancellationToken cancellationToken) => Kept.ForgetAsync(tenant, episodeId, cancellationToken);

    public ValueTask<IAsyncDisposable> TakeTurnAsync(Scope scope, string name, CancellationToken cancellationToken) => Kept.TakeTurnAsync(scope, name, cancellationToken);

    public ValueTask<StoreHealth> CheckAsync(CancellationToken cancellationToken) =>
        IsDown ? ValueTask.FromResult(new StoreHealth(0, 0, 0, Failure.Message)) : Kept.CheckAsync(cancellationToken);

    public ValueTask DisposeAsync() => kept?.DisposeAsync() ?? ValueTask.CompletedTask;
}
