namespace SpeedupLlm.Experience;

/// <summary>A document made from episodes: a lesson, a running lesson, an adapter, a memory's own state.</summary>
public sealed record MemoryDocument
{
    /// <summary>Its kind: <c>lesson</c>, <c>running-lesson</c>, <c>adapter</c>, …</summary>
    public required string Kind { get; init; }

    /// <summary>Unique within scope and kind.</summary>
    public required string Key { get; init; }

    /// <summary>Whose it is.</summary>
    public required Scope Scope { get; init; }

    /// <summary>The text, for lessons.</summary>
    public string Text { get; init; } = "";

    /// <summary>The bytes, for adapters.</summary>
    public ReadOnlyMemory<byte> Content { get; init; }

    /// <summary>The episodes that it comes from: forgetting one of them removes or rewrites it.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>For finding it by similarity; empty if it is found by key only.</summary>
    public ReadOnlyMemory<float> Embedding { get; init; }

    /// <summary>The embedder's fingerprint.</summary>
    public string EmbeddingFingerprint { get; init; } = "";

    /// <summary>Written by the store: 0 is not stored yet, then 1, 2, …</summary>
    public long Version { get; init; }

    /// <summary>When this version was written, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The version of the persisted form.</summary>
    public int FormatVersion { get; init; } = Episode.CurrentFormat;
}

/// <summary>Something near a query.</summary>
/// <param name="Item">What was found.</param>
/// <param name="Similarity">Cosine similarity in [-1, 1].</param>
public sealed record Neighbour<T>(T Item, double Similarity);

/// <summary>How far a look-up may see. The tenant always matches exactly; a null user or conversation here means "of the whole tenant" or "of all conversations", one that is given matches exactly.</summary>
/// <param name="Scope">Whose memory. Model and prompt fingerprints match exactly.</param>
/// <param name="EmbeddingFingerprint">Vectors of another embedder are never compared.</param>
/// <param name="UsableOnly">Only episodes that may be reused.</param>
public sealed record Lookup(Scope Scope, string EmbeddingFingerprint, bool UsableOnly = true);

/// <summary>What a store says of itself.</summary>
/// <param name="Episodes">Readable episodes.</param>
/// <param name="Documents">Readable documents.</param>
/// <param name="SetAside">Bad records that were set aside, never dropped.</param>
/// <param name="Degraded">Why it cannot keep what it is given (disk full, read-only), or null.</param>
public sealed record StoreHealth(long Episodes, long Documents, long SetAside, string? Degraded);

/// <summary>Keeps episodes and what was made from them. Thread-safe; two processes may use the same persistent store at once.</summary>
public interface IExperienceStore : IAsyncDisposable
{
    /// <summary>Appends an episode; returns once it is committed. Appending the same id again changes nothing.</summary>
    /// <exception cref="StoreDegradedException">It cannot be kept.</exception>
    ValueTask AppendAsync(Episode episode, CancellationToken cancellationToken);

    /// <summary>One episode, or null. Never of another tenant.</summary>
    ValueTask<Episode?> GetEpisodeAsync(string tenant, string id, CancellationToken cancellationToken);

    /// <summary>Replaces what is known of an episode (verdict, answer, counts) if it is there; says whether it was. Identity, scope and embedding stay, whatever <paramref name="change"/> returns.</summary>
    /// <remarks><paramref name="change"/> sees the newest record and runs inside the write: it must be quick, pure and must not call the store.</remarks>
    ValueTask<bool> UpdateEpisodeAsync(string tenant, string id, Func<Episode, Episode> change, CancellationToken cancellationToken);

    /// <summary>The <paramref name="count"/> nearest episodes by cosine similarity, best first, ties by id; exact. A zero, empty or NaN query finds nothing (case 34).</summary>
    ValueTask<IReadOnlyList<Neighbour<Episode>>> NearestAsync(Lookup lookup, ReadOnlyMemory<float> query, int count, CancellationToken cancellationToken);

    /// <summary>Episodes in the order of appending, newest first, of every embedder. What is appended or forgotten meanwhile may or may not be seen.</summary>
    IAsyncEnumerable<Episode> ListAsync(Lookup lookup, CancellationToken cancellationToken);

    /// <summary>One document of exactly this scope, or null.</summary>
    ValueTask<MemoryDocument?> GetAsync(Scope scope, string kind, string key, CancellationToken cancellationToken);

    /// <summary>Writes a document if its stored version is still <see cref="MemoryDocument.Version"/> (0: not stored yet); returns what is stored then, or null if somebody was faster.</summary>
    /// <remarks>A document that was forgotten and is written again gets a version that none had before, so a slow writer cannot bring it back.</remarks>
    ValueTask<MemoryDocument?> PutAsync(MemoryDocument document, CancellationToken cancellationToken);

    /// <summary>The nearest documents of a kind; see <see cref="NearestAsync"/>.</summary>
    ValueTask<IReadOnlyList<Neighbour<MemoryDocument>>> NearestDocumentsAsync(Lookup lookup, string kind, ReadOnlyMemory<float> query, int count, CancellationToken cancellationToken);

    /// <summary>Documents of a kind (null: all), newest write first. A null user or conversation means all of them, as in <see cref="Lookup"/>.</summary>
    IAsyncEnumerable<MemoryDocument> ListDocumentsAsync(Scope scope, string? kind, CancellationToken cancellationToken);

    /// <summary>The scopes that a tenant has records in, in the order in which they came up.</summary>
    ValueTask<IReadOnlyList<Scope>> ScopesAsync(string tenant, CancellationToken cancellationToken);

    /// <summary>Forgets an episode and every document that came from it, in one transaction; says how many records went. Documents go even if the episode is gone already.</summary>
    ValueTask<int> ForgetAsync(string tenant, string episodeId, CancellationToken cancellationToken);

    /// <summary>
    /// Waits until it is this caller's turn to learn something of a scope, and takes it: what several would learn at once, and pay for, is learnt by one after another.
    /// In PostgreSQL the replicas take turns, else the threads of the process. Dispose it when done; a holder that dies gives way after half a minute.
    /// </summary>
    /// <remarks>A holder may have lost its turn without knowing, so versions still decide what is written.</remarks>
    /// <param name="scope">Whose.</param>
    /// <param name="name">What is learnt.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="StoreDegradedException">The replicas cannot be asked.</exception>
    ValueTask<IAsyncDisposable> TakeTurnAsync(Scope scope, string name, CancellationToken cancellationToken);

    /// <summary>How it is.</summary>
    ValueTask<StoreHealth> CheckAsync(CancellationToken cancellationToken);
}
