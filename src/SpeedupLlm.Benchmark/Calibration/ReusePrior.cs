using SpeedupLlm.Compute;
using SpeedupLlm.Guard;
using SpeedupLlm.Memory;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Calibration;

/// <summary>Evidence that a world's rewordings have the answer of the question that they reword, from the firms of its calibration split: the frozen prior of the grid.</summary>
/// <remarks>Nothing is stored: it is measured anew from questions and answers, asks no model, and is the same every time.</remarks>
public static class ReusePrior
{
    private const int Groups = 800;

    /// <summary>Measures it.</summary>
    public static ReuseEvidence Of(IWorld world)
    {
        ArgumentNullException.ThrowIfNull(world);
        var defaults = new AnswerCacheOptions();
        var embedder = new HashedNgramEmbedder();
        var estimator = new SimilarityEstimator();
        var stream = StreamKey.Root(1).Child("reuse prior");
        // of each firm a rewording, and a question with other numbers: what must not match is among what is checked
        var checks = Enumerable.Range(0, Groups).AsParallel().AsOrdered().SelectMany(i =>
        {
            var group = world.Group(i, Split.Calibration, stream);
            return new[] { group.At(SimilarityLevel.S2, 1), group.At(SimilarityLevel.S3, 1) }.Select(asked =>
            {
                var cosine = Cosine.Dot(embedder.Embed(asked.Question).Span, embedder.Embed(group.Base.Question).Span);
                return (Relevance: estimator.Estimate(asked.Question, group.Base.Question, cosine), Wrong: !world.Verify(asked, group.Base.Expected));
            });
        }).ToList();
        return checks.Where(c => c.Relevance.Level == SimilarityLevel.S2)
            .Aggregate(ReuseEvidence.None(defaults.Delta, defaults.Alpha), (evidence, c) => evidence.After(c.Relevance.Confidence, c.Wrong));
    }
}
