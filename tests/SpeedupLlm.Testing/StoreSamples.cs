using SpeedupLlm.Compute;
using SpeedupLlm.Experience;

namespace SpeedupLlm.Testing;

/// <summary>Records for tests of stores, and how to compare them.</summary>
public abstract class StoreSamples
{
    private const string Embedder = "test/4";

    protected static CancellationToken None => CancellationToken.None;

    protected static Scope Home { get; } = new("home", null, null, "model", "prompts");

    protected static Episode EpisodeOf(string id, float[]? embedding = null, Scope? scope = null, Verdict verdict = Verdict.Verified) => new()
    {
        Id = id,
        Scope = scope ?? Home,
        QuestionId = "q-" + id,
        Question = "What is " + id + "?",
        Answer = "Answer " + id + ".",
        Final = id,
        Score = 0.75,
        Verdict = verdict,
        Attempts = [new(0, "Try.", null, new(0.25, "so-so"), Microsoft.Extensions.AI.ChatFinishReason.Length), new(1, "Answer.", id, new(null, "unscored"), null) { Error = "gone" }],
        Stop = Reasoning.StopReason.Threshold,
        Operations = 2.5m,
        FullCost = 1234.125m,
        At = new(2026, 11, 21, 1, 2, 3, 456, TimeSpan.Zero),
        Embedding = embedding ?? [1, 0, 0, 0],
        EmbeddingFingerprint = Embedder,
        Helped = 3,
        Harmed = 1,
    };

    protected static MemoryDocument DocumentOf(string key, string[]? sources = null, float[]? embedding = null, Scope? scope = null, string kind = "lesson", long version = 0) => new()
    {
        Kind = kind,
        Key = key,
        Scope = scope ?? Home,
        Text = "Lesson " + key + ".",
        Content = new byte[] { 1, 2, 3, 0, 255 },
        Sources = sources ?? [],
        Embedding = embedding ?? [1, 0, 0, 0],
        EmbeddingFingerprint = Embedder,
        Version = version,
        At = new(2026, 11, 21, 1, 2, 3, TimeSpan.Zero),
    };

    protected static Lookup See(Scope? scope = null, bool usableOnly = true, string embedder = Embedder) => new(scope ?? Home, embedder, usableOnly);

    protected static async Task<List<T>> All<T>(IAsyncEnumerable<T> items)
    {
        var all = new List<T>();
        await foreach (var item in items)
            all.Add(item);
        return all;
    }

    protected static float[] RandomUnit(StreamRandom random, int dimensions)
    {
        var vector = new double[dimensions];
        for (var i = 0; i < dimensions; i++)
            vector[i] = random.NextDouble() - random.NextDouble() + (random.Next(8) == 0 ? 1 : 0);
        var norm = Math.Sqrt(vector.Sum(x => x * x));
        return [.. vector.Select(x => (float)(x / norm))];
    }

    protected static string[] Ids(IEnumerable<Neighbour<Episode>> found) => [.. found.Select(n => n.Item.Id)];

    protected static string[] Ids(IEnumerable<Episode> found) => [.. found.Select(n => n.Id)];

    protected static string[] Keys(IEnumerable<MemoryDocument> found) => [.. found.Select(n => n.Key)];

    /// <summary>Equal in everything, collections and embedding by content.</summary>
    protected static void AssertSame(Episode expected, Episode? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected.Embedding.ToArray(), actual.Embedding.ToArray());
        Assert.Equal(expected.Attempts, actual.Attempts);
        Assert.Equal(expected.Hints, actual.Hints);
        Assert.Equal(expected, actual with { Embedding = expected.Embedding, Attempts = expected.Attempts, Hints = expected.Hints });
    }

    /// <summary>Equal in everything, collections and embedding by content.</summary>
    protected static void AssertSame(MemoryDocument expected, MemoryDocument? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected.Embedding.ToArray(), actual.Embedding.ToArray());
        Assert.Equal(expected.Content.ToArray(), actual.Content.ToArray());
        Assert.Equal(expected.Sources, actual.Sources);
        Assert.Equal(expected, actual with { Embedding = expected.Embedding, Content = expected.Content, Sources = expected.Sources });
    }
}
