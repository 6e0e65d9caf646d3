using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Rivals;

/// <summary>An answer that could have been given, and whether it would have been right.</summary>
/// <param name="Similarity">Cosine similarity of the two questions.</param>
/// <param name="IsRight">Whether the kept answer is the one that was found.</param>
internal readonly record struct ReuseCheck(double Similarity, bool IsRight);

/// <summary>Every answer whose question is similar enough (GPTCache's rule).</summary>
internal sealed record FixedThreshold(double Threshold)
{
    public bool Serves(double similarity) => similarity >= Threshold;
}

/// <summary>
/// A logistic curve of correctness over similarity for each entry, fitted to its own checks (vCache, arXiv 2502.03771): it explores with the
/// chance that keeps the expected share of wrong answers among all questions at δ. The curve's uncertainty is taken from the checks that could be
/// explained by a threshold five per cent likely. Our reading of the paper, not its code.
/// </summary>
internal sealed record EntryThreshold(double Delta)
{
    private const int LeastChecks = 2;

    /// <summary>Whether the entry answers; else the question is searched, and the search is a check.</summary>
    public bool Serves(IReadOnlyList<ReuseCheck> checks, double similarity, StreamRandom random)
    {
        var chance = checks.Count >= LeastChecks ? Pessimistic(checks, similarity) : 0;
        var explore = chance >= 1 - Delta ? 0 : 1 - Delta / (1 - chance);
        return chance > 0 && random.NextDouble() >= explore;
    }

    /// <summary>The least chance of being right among the curves that explain the checks nearly as well as the best.</summary>
    private static double Pessimistic(IReadOnlyList<ReuseCheck> checks, double similarity)
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
