using SpeedupLlm.Compute;
using SpeedupLlm.Experience;

namespace SpeedupLlm.PostgreSql.Tests;

/// <summary>Records whose content follows from their id, in this process and in its children.</summary>
internal static class Samples
{
    public const string Embedder = "test/24";

    public static Scope Home { get; } = new("home", null, null, "model", "prompts");

    public static Lookup Everything { get; } = new(Home, Embedder, UsableOnly: false);

    public static Episode Episode(string id, Scope? scope = null) => new()
    {
        Id = id,
        Scope = scope ?? Home,
        QuestionId = "q-" + id,
        Question = "What is " + id + "?",
        Answer = new string('x', 300) + id,
        Final = id,
        Verdict = Verdict.Verified,
        At = DateTimeOffset.UnixEpoch,
        Embedding = Vector(id),
        EmbeddingFingerprint = Embedder,
    };

    public static MemoryDocument Document(string key, string? source = null) => new()
    {
        Kind = "lesson",
        Key = key,
        Scope = Home,
        Text = "Lesson " + key,
        Sources = source is null ? [] : [source],
        Embedding = Vector(key),
        EmbeddingFingerprint = Embedder,
        At = DateTimeOffset.UnixEpoch,
    };

    public static float[] Vector(string id)
    {
        var random = new StreamRandom(StreamKey.Root(0).Child(id));
        return [.. Enumerable.Range(0, 24).Select(_ => (float)(random.NextDouble() - random.NextDouble()))];
    }

    /// <summary>Appends many at once.</summary>
    public static Task AppendAsync(IExperienceStore store, IEnumerable<string> ids) =>
        Task.WhenAll(ids.Select(id => store.AppendAsync(Episode(id), CancellationToken.None).AsTask()));

    /// <summary>The exact neighbours, by a plain scan over ids.</summary>
    public static string[] Nearest(IEnumerable<string> ids, float[] query, int count)
    {
        var norm = Relevancy.Cosine.Norm(query)!.Value;
        return [.. ids
            .Select(id => (Id: id, Vector: Vector(id)))
            .OrderByDescending(v => Relevancy.Cosine.Similarity(query, norm, v.Vector, Relevancy.Cosine.Norm(v.Vector)!.Value))
            .ThenBy(v => v.Id, StringComparer.Ordinal)
            .Take(count).Select(v => v.Id)];
    }

    /// <summary>Asserts that a store finds exactly what a plain scan finds.</summary>
    public static async Task AssertFindsAsync(IExperienceStore store, IReadOnlyCollection<string> ids)
    {
        foreach (var asked in (string[])["a", "b", "c"])
        {
            var query = Vector("query " + asked);
            var found = await store.NearestAsync(Everything, query, 10, CancellationToken.None);
            Assert.Equal(Nearest(ids, query, 10), found.Select(n => n.Item.Id));
        }
    }

    /// <summary>All ids, newest first.</summary>
    public static async Task<List<string>> ListAsync(IExperienceStore store)
    {
        var listed = new List<string>();
        await foreach (var episode in store.ListAsync(Everything, CancellationToken.None))
            listed.Add(episode.Id);
        return listed;
    }
}
