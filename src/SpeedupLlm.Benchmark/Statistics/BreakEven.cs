using MathNet.Numerics.Distributions;

namespace SpeedupLlm.Benchmark.Statistics;

/// <summary>After how many questions what learning cost has paid for itself: investment over saving, both means over groups.</summary>
/// <param name="Investment">What was spent on learning, a group.</param>
/// <param name="Saving">What a question saves, learning left out, on average over groups.</param>
/// <param name="Questions">Investment over saving; null if nothing is saved.</param>
/// <param name="Confidence">95 % interval by Fieller's theorem with t(G−1); null if the saving is not shown to be above 0, since then no number of questions is too large.</param>
/// <param name="Verdict"><c>pays</c>: the saving is shown to be above 0; <c>never</c>: it is shown not to be; else <c>undecided</c>.</param>
internal sealed record BreakEven(double Investment, double Saving, double? Questions, Interval? Confidence, string Verdict)
{
    public const string Pays = "pays", Never = "never", Undecided = "undecided";

    /// <summary>Null with fewer than two groups.</summary>
    /// <param name="investments">What a group spent on learning.</param>
    /// <param name="savings">What a question of the group saves.</param>
    public static BreakEven? Of(IReadOnlyList<double> investments, IReadOnlyList<double> savings)
    {
        var groups = investments.Count;
        if (groups < 2)
            return null;
        double invested = investments.Average(), saved = savings.Average();
        double Covariance(IReadOnlyList<double> a, double meanA, IReadOnlyList<double> b, double meanB) =>
            a.Zip(b, (x, y) => (x - meanA) * (y - meanB)).Sum() / (groups - 1) / groups;
        var (vi, vs, vis) = (Covariance(investments, invested, investments, invested), Covariance(savings, saved, savings, saved), Covariance(investments, invested, savings, saved));
        var t = StudentT.InvCDF(0, 1, groups - 1, 0.975);
        var half = t * Math.Sqrt(vs);
        var verdict = saved - half > 0 ? Pays : saved + half <= 0 ? Never : Undecided;
        if (saved <= 0)
            return new(invested, saved, null, null, verdict);
        if (verdict != Pays)
            return new(invested, saved, invested / saved, null, verdict);
        // (I − r S)² ≤ t² (vi − 2 r vis + r² vs), a quadratic in r with a positive leading term since the saving is shown
        double a = saved * saved - t * t * vs, b = invested * saved - t * t * vis, c = invested * invested - t * t * vi;
        var root = Math.Sqrt(Math.Max(0, b * b - a * c));
        return new(invested, saved, invested / saved, new(Math.Max(0, (b - root) / a), (b + root) / a), Pays);
    }
}
