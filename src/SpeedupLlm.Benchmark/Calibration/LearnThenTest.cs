using MathNet.Numerics.Distributions;

namespace SpeedupLlm.Benchmark.Calibration;

/// <summary>A search that was drawn to its cap: what each attempt scored, and whether it is right.</summary>
/// <param name="Attempts">In the order of drawing; a null score is unscored.</param>
public sealed record DrawnSearch(IReadOnlyList<(double? Score, bool Right)> Attempts)
{
    /// <summary>Whether the search would have been right at a threshold: its first attempt that reaches it decides, not its best. Null if none reaches it.</summary>
    public bool? RightAt(double tau)
    {
        foreach (var (score, right) in Attempts)
        {
            if (score >= tau)
                return right;
        }

        return null;
    }
}

/// <summary>One threshold on calibration questions.</summary>
/// <param name="Tau">τ.</param>
/// <param name="Accepted">Searches that accept an answer.</param>
/// <param name="Wrong">How many of them accept a wrong one.</param>
/// <param name="PValue">Of "more than δ of the accepted answers are wrong", exact.</param>
/// <param name="Upper">The least δ that this threshold alone could show at level α.</param>
/// <param name="Holds">Whether δ is shown to hold here.</param>
public sealed record TauRow(double Tau, int Accepted, int Wrong, double PValue, double Upper, bool Holds);

/// <summary>The threshold that keeps P(wrong | accepted) ≤ δ with confidence 1 − α.</summary>
/// <param name="State">What memory was in.</param>
/// <param name="Searches">Searches that it rests on.</param>
/// <param name="Delta">δ.</param>
/// <param name="Alpha">α.</param>
/// <param name="Tau">The lowest threshold that holds, so that least is searched; null if none does.</param>
/// <param name="Rows">All thresholds, strictest first.</param>
public sealed record TauChoice(string State, int Searches, double Delta, double Alpha, double? Tau, IReadOnlyList<TauRow> Rows);

/// <summary>Chooses τ by Learn-then-Test with fixed-sequence binomial tests (arXiv 2110.01052), at the level of the whole search.</summary>
public static class LearnThenTest
{
    // strictest first; each start has a quarter of α, and from it thresholds are tested one after another until one fails
    private static readonly double[] Grid = [.. Enumerable.Range(0, 20).Select(i => Math.Round(1 - (0.05 * i), 2))];
    private static readonly int[] Starts = [0, 2, 5, 10];

    /// <summary>Chooses.</summary>
    /// <param name="state">What memory was in.</param>
    /// <param name="searches">Independent searches, drawn to their caps.</param>
    /// <param name="delta">δ, in (0, 1).</param>
    /// <param name="alpha">α, in (0, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException">δ or α is out of range.</exception>
    public static TauChoice Choose(string state, IReadOnlyList<DrawnSearch> searches, double delta, double alpha)
    {
        ArgumentNullException.ThrowIfNull(searches);
        if (!(delta is > 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(delta), delta, "δ is in (0, 1).");
        if (!(alpha is > 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "α is in (0, 1).");
        var level = alpha / Starts.Length;
        var tested = Grid.Select(tau => Test(tau, searches, delta, level)).ToList();
        var holds = new bool[Grid.Length];
        foreach (var start in Starts)
        {
            for (var i = start; i < Grid.Length && tested[i].PValue <= level; i++)
                holds[i] = true;
        }

        var rows = tested.Select((row, i) => row with { Holds = holds[i] }).ToList();
        return new(state, searches.Count, delta, alpha, rows.LastOrDefault(r => r.Holds)?.Tau, rows);
    }

    private static TauRow Test(double tau, IReadOnlyList<DrawnSearch> searches, double delta, double level)
    {
        var outcomes = searches.Select(s => s.RightAt(tau)).OfType<bool>().ToList();
        var (accepted, wrong) = (outcomes.Count, outcomes.Count(right => !right));
        var p = accepted == 0 ? 1 : Binomial.CDF(delta, accepted, wrong);
        var upper = wrong == accepted ? 1 : Beta.InvCDF(wrong + 1, accepted - wrong, 1 - level);
        return new(tau, accepted, wrong, p, upper, false);
    }
}
