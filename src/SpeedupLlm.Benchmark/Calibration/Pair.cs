using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Calibration;

/// <summary>Two questions and what is known of them.</summary>
/// <param name="Label">How the asked one stands to the remembered one: a level, a kind of variation, or <c>unrelated</c>.</param>
/// <param name="Level">The level that the label means, or null if it means none.</param>
/// <param name="Asked">The asked question.</param>
/// <param name="Remembered">The remembered one.</param>
public sealed record Pair(string Label, SimilarityLevel? Level, string Asked, string Remembered)
{
    private const string Unrelated = "unrelated";

    /// <summary>Every variation beside its seed, each seed beside itself, and every variation beside the most similar other seed.</summary>
    public static IReadOnlyList<Pair> Of(GsmPlus data)
    {
        ArgumentNullException.ThrowIfNull(data);
        var seeds = data.All.Select(v => v.Seed).Distinct(StringComparer.Ordinal).ToList();
        var nearest = new Nearest(seeds);
        return
        [
            .. seeds.Select(s => new Pair("seed", SimilarityLevel.S1, s, s)),
            .. data.All.Select(v => new Pair(v.Type, LevelOf(v.Type), v.Question, v.Seed)),
            .. data.All.Select(v => new Pair(Unrelated, SimilarityLevel.Unrelated, v.Question, nearest.To(v.Question, s => s != v.Seed))),
        ];
    }

    /// <summary>The base question of each group beside its questions at every level, and beside the most similar base question of another firm.</summary>
    /// <param name="world">The world.</param>
    /// <param name="groups">How many groups, at least 2.</param>
    /// <param name="seed">Picks them.</param>
    public static IReadOnlyList<Pair> Of(IWorld world, int groups, long seed)
    {
        ArgumentNullException.ThrowIfNull(world);
        ArgumentOutOfRangeException.ThrowIfLessThan(groups, 2);
        var data = new WorldExamples(world, seed);
        var bases = Enumerable.Range(0, groups).Select(g => data.At(g, SimilarityLevel.S1, 0).Question).ToList();
        var nearest = new Nearest(bases);
        // another branch of the firm is no stranger; what the firm is called stands first
        static string Firm(string question) => question.Split(' ', 2)[0];
        return
        [
            .. from level in (SimilarityLevel[])[SimilarityLevel.S1, SimilarityLevel.S2, SimilarityLevel.S3, SimilarityLevel.S4]
               from @group in Enumerable.Range(0, groups)
               from at in Enumerable.Range(1, 4)
               select new Pair(level.ToString(), level, data.At(@group, level, at).Question, bases[@group]),
            .. bases.Select(b => new Pair(Unrelated, SimilarityLevel.Unrelated, b, nearest.To(b, o => Firm(o) != Firm(b)))),
        ];
    }

    private static SimilarityLevel? LevelOf(string type) => type switch
    {
        "problem understanding" => SimilarityLevel.S2,
        "numerical substitution" => SimilarityLevel.S3,
        "reversing operation" or "adding operation" => SimilarityLevel.S4,
        _ => null,
    };

    /// <summary>Finds the most similar text by embedding.</summary>
    private sealed class Nearest(IReadOnlyList<string> texts)
    {
        private readonly HashedNgramEmbedder _embedder = new();
        private readonly Dictionary<string, ReadOnlyMemory<float>> _vectors = texts.Distinct(StringComparer.Ordinal).ToDictionary(t => t, t => new HashedNgramEmbedder().Embed(t), StringComparer.Ordinal);

        public string To(string text, Predicate<string> among)
        {
            var query = _embedder.Embed(text);
            return _vectors.Where(v => among(v.Key)).MaxBy(v => Cosine.Dot(query.Span, v.Value.Span)).Key;
        }
    }
}
