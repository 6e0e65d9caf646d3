using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Rivals;
using SpeedupLlm.Compute;
using SpeedupLlm.Guard;
using SpeedupLlm.Memory;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Benchmark.Calibration;

/// <summary>What a rule for reusing answers did.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Wrong">Of the answers that it gave, the share that was wrong; null if it gave none.</param>
/// <param name="Served">Of the rewordings that were asked (S2), the share that it answered.</param>
/// <param name="GivenByType">How many answers it gave to each kind of variation.</param>
public sealed record ReuseResult(string Rule, ExactShare? Wrong, ExactShare? Served, IReadOnlyDictionary<string, int> GivenByType);

/// <summary>Answers kept of seed questions, asked for all variations of them in random order: who answers what from memory, and how often wrongly.</summary>
/// <remarks>
/// A question that is not answered is searched, and the search finds its reference answer: the best that a check can be. Intervals take answers as
/// independent, which those of one seed are not: they are too narrow rather than too wide.
/// </remarks>
public static class ReuseStudy
{
    private const string Rewording = "problem understanding";

    /// <summary>Runs all rules.</summary>
    /// <param name="data">The variations.</param>
    /// <param name="orders">In how many random orders they are asked, at least 1; counts are summed over them.</param>
    /// <param name="seed">Of the orders.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<IReadOnlyList<ReuseResult>> RunAsync(GsmPlus data, int orders, long seed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentOutOfRangeException.ThrowIfLessThan(orders, 1);
        var asked = await AskedAsync(data, cancellationToken).ConfigureAwait(false);
        var results = new List<ReuseResult>();
        foreach (var threshold in (double[])[0.7, 0.8, 0.9])
            results.Add(Run(FormattableString.Invariant($"fixed threshold {threshold:0.0} (GPTCache)"), asked, orders, seed, () => new Similar(threshold), cancellationToken));
        foreach (var delta in (double[])[0.02, 0.05, 0.1])
        {
            results.Add(Run(FormattableString.Invariant($"a threshold an entry, δ = {delta} (vCache)"), asked, orders, seed, () => new ThresholdAnEntry(delta), cancellationToken));
            results.Add(Run(FormattableString.Invariant($"pooled evidence, δ = {delta}"), asked, orders, seed, () => new PooledEvidence(delta), cancellationToken));
        }

        return results;
    }

    /// <summary>A variation beside the seed that is nearest to it, whoever's that is.</summary>
    internal sealed record AskedAgain(string Type, string Entry, double Cosine, Relevance Relevance, bool IsRight);

    /// <summary>Decides, and learns what the search found where it did not.</summary>
    internal interface IReuseRule
    {
        bool Serves(AskedAgain question, StreamRandom random);

        void Learn(AskedAgain question);
    }

    private static ReuseResult Run(
        string name, IReadOnlyList<AskedAgain> asked, int orders, long seed, Func<IReuseRule> make, CancellationToken cancellationToken)
    {
        var given = new List<AskedAgain>();
        for (var order = 0; order < orders; order++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var random = new StreamRandom(StreamKey.Root(seed).Child("reuse").Child(order));
            var stream = asked.ToList();
            random.Shuffle(stream);
            var rule = make();
            foreach (var question in stream)
            {
                if (rule.Serves(question, random))
                    given.Add(question);
                else
                    rule.Learn(question);
            }
        }

        return new(name, ExactShare.Of(given.Count(g => !g.IsRight), given.Count),
            ExactShare.Of(given.Count(g => g.Type == Rewording), orders * asked.Count(a => a.Type == Rewording)),
            given.GroupBy(g => g.Type, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count()));
    }

    private static async Task<IReadOnlyList<AskedAgain>> AskedAsync(GsmPlus data, CancellationToken cancellationToken)
    {
        var embedder = new HashedNgramEmbedder();
        var estimator = new SimilarityEstimator();
        var seeds = data.All.DistinctBy(v => v.Seed, StringComparer.Ordinal).Select(v => (v.Seed, v.SeedAnswer, Vector: embedder.Embed(v.Seed))).ToList();
        var asked = new List<AskedAgain>(data.All.Count);
        foreach (var variation in data.All)
        {
            var query = embedder.Embed(variation.Question);
            var (entry, answer, cosine) = seeds.Select(s => (s.Seed, s.SeedAnswer, Cosine: (double)Cosine.Dot(query.Span, s.Vector.Span))).MaxBy(s => s.Cosine);
            asked.Add(new(variation.Type, entry, cosine, estimator.Estimate(variation.Question, entry, cosine),
                await data.Answers.AreEquivalentAsync(variation.Answer, answer, null, cancellationToken).ConfigureAwait(false)));
        }

        return asked;
    }

    private sealed class Similar(double threshold) : IReuseRule
    {
        private readonly FixedThreshold _rule = new(threshold);

        public bool Serves(AskedAgain question, StreamRandom random) => _rule.Serves(question.Cosine);

        public void Learn(AskedAgain question)
        {
        }
    }

    private sealed class ThresholdAnEntry(double delta) : IReuseRule
    {
        private readonly EntryThreshold _rule = new(delta);
        private readonly Dictionary<string, List<ReuseCheck>> _checks = new(StringComparer.Ordinal);

        public bool Serves(AskedAgain question, StreamRandom random) =>
            _checks.TryGetValue(question.Entry, out var checks) && _rule.Serves(checks, question.Cosine, random);

        public void Learn(AskedAgain question)
        {
            if (!_checks.TryGetValue(question.Entry, out var checks))
                _checks[question.Entry] = checks = [];
            checks.Add(new(question.Cosine, question.IsRight));
        }
    }

    /// <summary>The answer cache's own rule: matches at S2, with evidence pooled over all entries.</summary>
    private sealed class PooledEvidence(double delta) : IReuseRule
    {
        private static readonly AnswerCacheOptions Defaults = new();

        private ReuseEvidence _evidence = ReuseEvidence.None(delta, Defaults.Alpha);

        public bool Serves(AskedAgain question, StreamRandom random) =>
            question.Relevance.Level == SimilarityLevel.S2 && _evidence.Serves(question.Relevance.Confidence) && random.NextDouble() >= Defaults.CheckShare;

        public void Learn(AskedAgain question)
        {
            if (question.Relevance.Level == SimilarityLevel.S2)
                _evidence = _evidence.After(question.Relevance.Confidence, !question.IsRight);
        }
    }
}
