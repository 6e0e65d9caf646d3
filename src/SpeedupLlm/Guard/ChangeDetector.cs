namespace SpeedupLlm.Guard;

/// <summary>Notices that a mean has fallen below m, whenever that happens (Shiryaev–Roberts e-detector, arXiv 2203.03532).</summary>
/// <remarks>
/// Before each observation a new gambler joins each table with a wealth of 1 (see <see cref="BettingTest"/>); the statistic is the wealth of all, averaged
/// over tables. While the mean stays at or above m it grows by at most one an observation, so the mean number of observations to a false alarm
/// is at least the average run length asked for. Immutable.
/// </remarks>
public sealed class ChangeDetector
{
    private readonly Bets _bets;
    private readonly double[] _wealth;

    private ChangeDetector(Bets bets, double averageRunLength, double[] wealth, long count)
    {
        _bets = bets;
        AverageRunLength = averageRunLength;
        _wealth = wealth;
        Count = count;
    }

    /// <summary>A detector of a fall below <paramref name="mean"/>.</summary>
    /// <param name="mean">m, in (<paramref name="low"/>, <paramref name="high"/>).</param>
    /// <param name="low">The least that an observation can be.</param>
    /// <param name="high">The most.</param>
    /// <param name="averageRunLength">Observations to a false alarm, on average at least; above 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static ChangeDetector Below(double mean, double low, double high, double averageRunLength)
    {
        if (!(averageRunLength > 1 && double.IsFinite(averageRunLength)))
            throw new ArgumentOutOfRangeException(nameof(averageRunLength), averageRunLength, "The average run length is a number above 1.");
        var bets = new Bets(mean, low, high);
        return new(bets, averageRunLength, new double[bets.Count], 0);
    }

    /// <summary>A detector of the same change that goes on from what <see cref="Wealth"/> and <see cref="Count"/> said.</summary>
    /// <exception cref="ArgumentException">They are not those of such a detector.</exception>
    internal ChangeDetector From(IReadOnlyList<double> wealth, long count) =>
        wealth.Count == _bets.Count && wealth.All(w => w >= 0) && count >= 0
            ? new(_bets, AverageRunLength, [.. wealth], count)
            : throw new ArgumentException("This is no state of a change detector.", nameof(wealth));

    /// <summary>The wealth at each table.</summary>
    internal IReadOnlyList<double> Wealth => _wealth;

    /// <summary>Observations to a false alarm, on average at least.</summary>
    public double AverageRunLength { get; }

    /// <summary>How many observations were made.</summary>
    public long Count { get; }

    /// <summary>The statistic; at most <see cref="Count"/> on average while nothing has changed.</summary>
    public double Statistic => _wealth.Average();

    /// <summary>Whether the mean is taken to have fallen.</summary>
    public bool Alarm => Statistic >= AverageRunLength;

    /// <summary>The detector after one more observation.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is outside the bounds.</exception>
    public ChangeDetector After(double observation)
    {
        var next = new double[_wealth.Length];
        for (var i = 0; i < next.Length; i++)
            next[i] = Math.Min(double.MaxValue / next.Length, (_wealth[i] + 1) * _bets.Payoff(i, observation));
        return new(_bets, AverageRunLength, next, Count + 1);
    }
}
