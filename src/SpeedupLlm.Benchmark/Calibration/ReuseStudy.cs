using SpeedupLlm.Benchmark.Data;
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
            results.Add(Run(FormattableString.Invariant($"fixed threshold {threshold:0.0} (GPTCache)"), asked, orders, seed, () => new FixedThreshold(threshold), cancellationToken));
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

    /// <summary>Every answer whose question is similar enough.</summary>
    private sealed class FixedThreshold(double threshold) : IReuseRule
    {
        public bool Serves(AskedAgain question, StreamRandom random) => question.Cosine >= threshold;

        public void Learn(AskedAgain question)
        {
        }
    }

    /// <summary>
    /// A logistic curve of correctness over similarity for each entry, fitted to its own checks (vCache, arXiv 2502.03771): it explores with the
    /// chance that keeps the expected share of wrong answers among all questions at δ. The curve's uncertainty is taken from the checks that could be
    /// explained by a threshold five per cent likely. Our reading of the paper, not its code.
    /// </summary>
    private sealed class ThresholdAnEntry(double delta) : IReuseRule
    {
        private readonly Dictionary<string, List<(double Similarity, bool IsRight)>> _checks = new(StringComparer.Ordinal);

        public bool Serves(AskedAgain question, StreamRandom random)
        {
            var chance = _checks.TryGetValue(question.Entry, out var checks) && checks.Count >= 2 ? Pessimistic(checks, question.Cosine) : 0;
            var explore = chance >= 1 - delta ? 0 : 1 - delta / (1 - chance);
            return chance > 0 && random.NextDouble() >= explore;
        }

        public void Learn(AskedAgain question)
        {
            if (!_checks.TryGetValue(question.Entry, out var checks))
                _checks[question.Entry] = checks = [];
            checks.Add((question.Cosine, question.IsRight));
        }

        /// <summary>The least chance of being right among the curves that explain the checks nearly as well as the best.</summary>
        private static double Pessimistic(List<(double Similarity, bool IsRight)> checks, double similarity)
        {
            var curves = new List<(double Fit, double Chance)>();
            for (var threshold = 0.0; threshold <= 1.2; threshold += 0.025)
            {
                foreach (var slope in (double[])[5, 10, 20, 40])
                {
                    double Right(double s) => 1 / (1 + Math.Exp(-slope * (s - threshold)));
                    curves.Add((checks.Sum(c => Math.Log(Math.Max(1e-9, c.IsRight ? Right(c.Similarity) : 1 - Right(c.Similarity)))), Right(similarity)));
                }
            }

            var best = curves.Max(c => c.Fit);
            // 1.92: half the 95 % quantile of chi-squared with one degree of freedom
            return curves.Where(c => c.Fit >= best - 1.92).Min(c => c.Chance);
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
