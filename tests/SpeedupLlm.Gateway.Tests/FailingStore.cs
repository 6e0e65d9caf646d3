using SpeedupLlm.Experience;

namespace SpeedupLlm.Gateway.Tests;

/// <summary>A store on a disk that is full and cannot be read either.</summary>
internal sealed class FailingStore : IExperienceStore
{
    private static StoreDegradedException Full => new("test", "the disk is full");

    public ValueTask AppendAsync(Episode episode, CancellationToken cancellationToken) => throw Full;

    public ValueTask<Episode?> GetEpisodeAsync(string tenant, string id, CancellationToken cancellationToken) => throw Full;

    public ValueTask<bool> UpdateEpisodeAsync(string tenant, string id, Func<Episode, Episode> change, CancellationToken cancellationToken) => throw Full;

    public ValueTask<IReadOnlyList<Neighbour<Episode>>> NearestAsync(Lookup lookup, ReadOnlyMemory<float> query, int count, CancellationToken cancellationToken) => throw Full;

    public IAsyncEnumerable<Episode> ListAsync(Lookup lookup, CancellationToken cancellationToken) => throw Full;

    public ValueTask<MemoryDocument?> GetAsync(Scope scope, string kind, string key, CancellationToken cancellationToken) => throw Full;

    public ValueTask<MemoryDocument?> PutAsync(MemoryDocument document, CancellationToken cancellationToken) => throw Full;

    public ValueTask<IReadOnlyList<Neighbour<MemoryDocument>>> NearestDocumentsAsync(Lookup lookup, string kind, ReadOnlyMemory<float> query, int count, CancellationToken cancellationToken) => throw Full;

    public IAsyncEnumerable<MemoryDocument> ListDocumentsAsync(Scope scope, string? kind, CancellationToken cancellationToken) => throw Full;

    public ValueTask<IReadOnlyList<Scope>> ScopesAsync(string tenant, CancellationToken cancellationToken) => throw Full;

    public ValueTask<int> ForgetAsync(string tenant, string episodeId, CancellationToken cancellationToken) => throw Full;

    public ValueTask<StoreHealth> CheckAsync(CancellationToken cancellationToken) => ValueTask.FromResult(new StoreHealth(0, 0, 0, "the disk is full"));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
