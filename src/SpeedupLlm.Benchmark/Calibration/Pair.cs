using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Relevancy;

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
            .. data.All.Select(v => new Pair(Unrelated, SimilarityLevel.Unrelated, v.Question, nearest.To(v.Question, s => s != v.Seed) ?? v.Seed)),
        ];
    }

    /// <summary>The base question of each group beside its questions at every level, and beside the most similar base question about something else. Empty for data without levels.</summary>
    /// <param name="data">The questions.</param>
    /// <param name="groups">How many groups.</param>
    public static IReadOnlyList<Pair> Of(IExampleSource data, int groups)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (data.LevelsAt(SimilarityLevel.S1) is null)
            return [];
        var bases = Enumerable.Range(0, groups).Select(g => (data.At(g, SimilarityLevel.S1, 0).Question, Subject: data.SubjectOf(g))).ToList();
        // another branch of the firm is no stranger
        var subjects = bases.DistinctBy(b => b.Question).ToDictionary(b => b.Question, b => b.Subject, StringComparer.Ordinal);
        var nearest = new Nearest([.. subjects.Keys]);
        return
        [
            .. from level in (SimilarityLevel[])[SimilarityLevel.S1, SimilarityLevel.S2, SimilarityLevel.S3, SimilarityLevel.S4]
               from @group in Enumerable.Range(0, groups)
               from at in Enumerable.Range(1, Math.Min(4, data.LevelsAt(level) ?? 0))
               select new Pair(level.ToString(), level, data.At(@group, level, at).Question, bases[@group].Question),
            .. from asked in bases
               let other = nearest.To(asked.Question, o => subjects[o] != asked.Subject)
               where other is not null
               select new Pair(Unrelated, SimilarityLevel.Unrelated, asked.Question, other),
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

        public string? To(string text, Predicate<string> among)
        {
            var query = _embedder.Embed(text);
            return _vectors.Keys.Where(k => among(k)).MaxBy(k => Cosine.Dot(query.Span, _vectors[k].Span));
        }
    }
}
