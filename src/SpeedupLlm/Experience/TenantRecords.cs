using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Experience;

/// <summary>What an <see cref="InMemoryStore"/> keeps of one tenant. Not thread-safe: the store locks.</summary>
internal sealed class TenantRecords
{
    private readonly Dictionary<string, long> _rowOfEpisode = new(StringComparer.Ordinal);
    private readonly SortedList<long, Episode> _episodes = [];
    private readonly Dictionary<DocumentName, long> _rowOfDocument = [];
    private readonly SortedList<long, MemoryDocument> _documents = [];
    private readonly Dictionary<DocumentName, long> _retired = [];
    private readonly Dictionary<string, HashSet<DocumentName>> _madeFrom = new(StringComparer.Ordinal);
    private readonly Dictionary<Partition, VectorIndex> _indexes = [];
    private readonly Dictionary<Scope, int> _owners = [];

    private readonly record struct DocumentName(Scope Scope, string Kind, string Key);

    /// <summary>What may be compared: one model, one prompt set, one embedder, one length.</summary>
    /// <param name="Kind">Of documents; null for episodes.</param>
    /// <param name="Model">Model fingerprint.</param>
    /// <param name="Prompt">Prompt fingerprint.</param>
    /// <param name="Embedder">Embedding fingerprint.</param>
    /// <param name="Dimensions">Length of the vectors.</param>
    private readonly record struct Partition(string? Kind, string Model, string Prompt, string Embedder, int Dimensions);

    public int Documents => _documents.Count;

    public bool Append(long row, Episode episode)
    {
        if (!_rowOfEpisode.TryAdd(episode.Id, row))
            return false;
        _episodes.Add(row, episode);
        var owner = OwnerOf(episode.Scope);
        IndexOf(episode)?.Add(row, owner, episode.Usable, episode.Embedding, episode.Id);
        return true;
    }

    public Episode? Episode(string id) => _rowOfEpisode.TryGetValue(id, out var row) ? _episodes[row] : null;

    public bool Update(string id, Func<Episode, Episode> change)
    {
        if (!_rowOfEpisode.TryGetValue(id, out var row))
            return false;
        var old = _episodes[row];
        var changed = StoredRecords.Changed(old, change);
        _episodes[row] = changed;
        if (changed.Usable != old.Usable)
            IndexOf(changed)?.SetUsable(row, changed.Usable);
        return true;
    }

    public IReadOnlyList<Neighbour<Episode>> Nearest(Lookup lookup, ReadOnlyMemory<float> query, int count) =>
        _indexes.TryGetValue(PartitionOf(null, lookup.Scope, lookup.EmbeddingFingerprint, query.Length), out var index)
            ? [.. index.Nearest(query, count, new(OwnersOf(lookup.Scope), lookup.UsableOnly), row => _episodes[row].Id)
                .Select(f => new Neighbour<Episode>(_episodes[f.Row], f.Similarity))]
            : [];

    public IReadOnlyList<Neighbour<MemoryDocument>> NearestDocuments(Lookup lookup, string kind, ReadOnlyMemory<float> query, int count) =>
        _indexes.TryGetValue(PartitionOf(kind, lookup.Scope, lookup.EmbeddingFingerprint, query.Length), out var index)
            ? [.. index.Nearest(query, count, new(OwnersOf(lookup.Scope), UsableOnly: false), row => Records.IdOf(_documents[row]))
                .Select(f => new Neighbour<MemoryDocument>(_documents[f.Row], f.Similarity))]
            : [];

    public List<(long Row, Episode Record)> PageOfEpisodes(Lookup lookup, long before, int count) =>
        Page(_episodes, before, count, e => lookup.Scope.Covers(e.Scope) && (!lookup.UsableOnly || e.Usable));

    public List<(long Row, MemoryDocument Record)> PageOfDocuments(Scope scope, string? kind, long before, int count) =>
        Page(_documents, before, count, d => scope.Covers(d.Scope) && (kind is null || string.Equals(d.Kind, kind, StringComparison.Ordinal)));

    public MemoryDocument? Document(Scope scope, string kind, string key) =>
        _rowOfDocument.TryGetValue(new(scope, kind, key), out var row) ? _documents[row] : null;

    public MemoryDocument? Put(long row, MemoryDocument document)
    {
        var name = new DocumentName(document.Scope, document.Kind, document.Key);
        var stored = Document(document.Scope, document.Kind, document.Key);
        if (document.Version != (stored?.Version ?? 0))
            return null;
        if (stored is not null)
            Remove(name, retire: false);
        var written = document with { Version = (stored?.Version ?? _retired.GetValueOrDefault(name)) + 1 };
        _rowOfDocument.Add(name, row);
        _documents.Add(row, written);
        foreach (var source in written.Sources)
        {
            if (!_madeFrom.TryGetValue(source, out var made))
                _madeFrom.Add(source, made = []);
            made.Add(name);
        }
        var owner = OwnerOf(written.Scope);
        IndexOf(written)?.Add(row, owner, usable: true, written.Embedding, Records.IdOf(written));
        return written;
    }

    public IReadOnlyList<Scope> Scopes()
    {
        var inUse = _episodes.Values.Select(e => e.Scope).Concat(_documents.Values.Select(d => d.Scope)).ToHashSet();
        return [.. _owners.Where(o => inUse.Contains(o.Key)).OrderBy(o => o.Value).Select(o => o.Key)];
    }

    public (int Episodes, int Documents) Forget(string id)
    {
        var episodes = _rowOfEpisode.TryGetValue(id, out var row) && Drop(row) ? 1 : 0;
        var made = _madeFrom.TryGetValue(id, out var names) ? names.ToList() : [];
        foreach (var name in made)
            Remove(name, retire: true);
        return (episodes, made.Count);
    }

    /// <summary>Takes an episode out and leaves what was made from it.</summary>
    public bool Drop(long row)
    {
        if (!_episodes.Remove(row, out var episode))
            return false;
        _rowOfEpisode.Remove(episode.Id);
        IndexOf(episode)?.Remove(row);
        return true;
    }

    private void Remove(DocumentName name, bool retire)
    {
        _rowOfDocument.Remove(name, out var row);
        _documents.Remove(row, out var document);
        IndexOf(document!)?.Remove(row);
        if (retire)
            _retired[name] = document!.Version;
        foreach (var source in document!.Sources)
        {
            if (_madeFrom.TryGetValue(source, out var made) && made.Remove(name) && made.Count == 0)
                _madeFrom.Remove(source);
        }
    }

    private VectorIndex? IndexOf(Episode episode) => IndexOf(null, episode.Scope, episode.EmbeddingFingerprint, episode.Embedding.Length);

    private VectorIndex? IndexOf(MemoryDocument document) => IndexOf(document.Kind, document.Scope, document.EmbeddingFingerprint, document.Embedding.Length);

    private VectorIndex? IndexOf(string? kind, Scope scope, string embedder, int dimensions)
    {
        if (dimensions == 0)
            return null;
        var partition = PartitionOf(kind, scope, embedder, dimensions);
        if (!_indexes.TryGetValue(partition, out var index))
            _indexes.Add(partition, index = new(dimensions, kind is null ? row => _episodes[row].Embedding : row => _documents[row].Embedding));
        return index;
    }

    private static Partition PartitionOf(string? kind, Scope scope, string embedder, int dimensions) =>
        new(kind, scope.ModelFingerprint, scope.PromptFingerprint, embedder, dimensions);

    private int OwnerOf(Scope scope)
    {
        if (!_owners.TryGetValue(scope, out var owner))
            _owners.Add(scope, owner = _owners.Count);
        return owner;
    }

    private HashSet<int>? OwnersOf(Scope scope) => scope.User is null && scope.Conversation is null
        ? null
        : [.. _owners.Where(o => scope.Covers(o.Key)).Select(o => o.Value)];

    private static List<(long Row, T Record)> Page<T>(SortedList<long, T> records, long before, int count, Func<T, bool> wanted)
    {
        int low = 0, high = records.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (records.GetKeyAtIndex(middle) < before)
                low = middle + 1;
            else
                high = middle;
        }
        var page = new List<(long, T)>();
        for (var at = low - 1; at >= 0 && page.Count < count; at--)
        {
            if (wanted(records.GetValueAtIndex(at)))
                page.Add((records.GetKeyAtIndex(at), records.GetValueAtIndex(at)));
        }
        return page;
    }
}
