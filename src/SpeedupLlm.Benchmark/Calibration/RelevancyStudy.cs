using MathNet.Numerics.Distributions;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Benchmark.Calibration;

/// <summary>What the estimator made of pairs with one label.</summary>
/// <param name="Label">The label.</param>
/// <param name="Pairs">How many there are.</param>
/// <param name="Estimated">How many got each level, by name, <c>Unrelated</c> among them.</param>
/// <param name="Confidence">The mean confidence.</param>
public sealed record ConfusionRow(string Label, int Pairs, IReadOnlyDictionary<string, int> Estimated, double Confidence);

/// <summary>A share with its exact 95 % interval (Clopper–Pearson).</summary>
/// <param name="Value">The share.</param>
/// <param name="Low">The lower end.</param>
/// <param name="High">The upper end.</param>
/// <param name="N">Of how many.</param>
public sealed record ExactShare(double Value, double Low, double High, int N)
{
    /// <summary>The share of <paramref name="count"/> in <paramref name="n"/>; NaN-free: of nothing it is null.</summary>
    public static ExactShare? Of(int count, int n) => n == 0 ? null : new(
        count / (double)n,
        count == 0 ? 0 : Beta.InvCDF(count, n - count + 1, 0.025),
        count == n ? 1 : Beta.InvCDF(count + 1, n - count, 0.975), n);
}

/// <summary>How well relevancy tells levels apart.</summary>
/// <param name="Data">The questions.</param>
/// <param name="Confusion">A row a label.</param>
/// <param name="RewordingsFound">S2 pairs whose shared numbers exceed their shared template by the border.</param>
/// <param name="SubstitutionsFound">S3 pairs where they do not.</param>
/// <param name="BalancedAccuracy">The mean of both, S2 against S3; null without both.</param>
/// <param name="NearDuplicates">Pairs that are neither S1 nor S2 and pass as one of them: what must not be.</param>
/// <param name="RelatedAuc">Related against unrelated, the chance that a related pair scores higher; null without both.</param>
public sealed record RelevancyReport(
    string Data, IReadOnlyList<ConfusionRow> Confusion, ExactShare? RewordingsFound, ExactShare? SubstitutionsFound, double? BalancedAccuracy,
    ExactShare? NearDuplicates, double? RelatedAuc);

/// <summary>Measures <see cref="SimilarityEstimator"/> on pairs whose relation is known.</summary>
public static class RelevancyStudy
{
    /// <summary>Measures.</summary>
    public static RelevancyReport Of(string data, IReadOnlyList<Pair> pairs)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        var embedder = new HashedNgramEmbedder();
        var options = new SimilarityEstimatorOptions();
        var estimator = new SimilarityEstimator(options);
        var judged = pairs.AsParallel().AsOrdered().Select(p =>
        {
            var (asked, remembered) = (embedder.Embed(p.Asked), embedder.Embed(p.Remembered));
            var cosine = asked.IsEmpty || remembered.IsEmpty ? double.NaN : Cosine.Dot(asked.Span, remembered.Span);
            return (Pair: p, Relevance: estimator.Estimate(p.Asked, p.Remembered, cosine));
        }).ToList();

        bool IsRewording(Pair p) => SimilarityEstimator.Rewording(p.Asked, p.Remembered) > options.Reworded;
        var rewordings = pairs.Where(p => p.Level == SimilarityLevel.S2).ToList();
        var substitutions = pairs.Where(p => p.Level == SimilarityLevel.S3).ToList();
        var found = ExactShare.Of(rewordings.Count(IsRewording), rewordings.Count);
        var kept = ExactShare.Of(substitutions.Count(p => !IsRewording(p)), substitutions.Count);
        var others = judged.Where(j => j.Pair.Level is not (SimilarityLevel.S1 or SimilarityLevel.S2)).ToList();
        return new(
            data,
            [.. judged.GroupBy(j => j.Pair.Label, StringComparer.Ordinal).Select(g => new ConfusionRow(
                g.Key, g.Count(), Enum.GetValues<SimilarityLevel>().ToDictionary(l => l.ToString(), l => g.Count(j => j.Relevance.Level == l)), g.Average(j => j.Relevance.Confidence)))],
            found, kept, found is null || kept is null ? null : (found.Value + kept.Value) / 2,
            ExactShare.Of(others.Count(j => j.Relevance.Level is SimilarityLevel.S1 or SimilarityLevel.S2), others.Count),
            Auc([.. Relatedness(p => p.Level != SimilarityLevel.Unrelated && p.Asked != p.Remembered)], [.. Relatedness(p => p.Level == SimilarityLevel.Unrelated)]));

        IEnumerable<double> Relatedness(Func<Pair, bool> of) => pairs.Where(of).Select(p => SimilarityEstimator.Relatedness(p.Asked, p.Remembered));
    }

    /// <summary>The chance that one of <paramref name="higher"/> exceeds one of <paramref name="lower"/>, ties counting half.</summary>
    internal static double? Auc(IReadOnlyList<double> higher, IReadOnlyList<double> lower)
    {
        if (higher.Count == 0 || lower.Count == 0)
            return null;
        var sum = 0.0;
        foreach (var one in higher)
            sum += lower.Sum(other => one > other ? 1 : one < other ? 0 : 0.5);
        return sum / higher.Count / lower.Count;
    }
}
