namespace SpeedupLlm.Guard;

/// <summary>A test of "the mean is at least m" for bounded observations that may be looked at after each of them (betting, arXiv 2010.09686).</summary>
/// <remarks>
/// A gambler who bets against the hypothesis with a fixed share of her wealth cannot expect to gain while it is true: under it,
/// <see cref="EValue"/> reaches 1/α at any time with a chance of at most α (Ville). Fifteen gamblers bet shares from cautious to bold; the e-value is
/// their mean wealth, so none has to be chosen beforehand. Observations need not be independent or alike: each must only have, given all before it,
/// a mean of at least m. Immutable.
/// </remarks>
public sealed class BettingTest
{
    private readonly Bets _bets;
    private readonly double[] _logWealth;

    private BettingTest(Bets bets, double[] logWealth, long count)
    {
        _bets = bets;
        _logWealth = logWealth;
        Count = count;
    }

    /// <summary>A test before the first observation.</summary>
    /// <param name="mean">m, the mean under the hypothesis, at or above which it is true; in (<paramref name="low"/>, <paramref name="high"/>).</param>
    /// <param name="low">The least that an observation can be.</param>
    /// <param name="high">The most.</param>
    /// <exception cref="ArgumentOutOfRangeException">The bounds are not finite, or the mean is not between them.</exception>
    public static BettingTest AtLeast(double mean, double low, double high)
    {
        var bets = new Bets(mean, low, high);
        return new(bets, new double[bets.Count], 0);
    }

    /// <summary>A test of the same hypothesis that goes on from what <see cref="LogWealth"/> and <see cref="Count"/> said.</summary>
    /// <exception cref="ArgumentException">They are not those of such a test.</exception>
    internal BettingTest From(IReadOnlyList<double> logWealth, long count) =>
        logWealth.Count == _bets.Count && logWealth.All(w => !double.IsNaN(w)) && count >= 0
            ? new(_bets, [.. logWealth], count)
            : throw new ArgumentException("This is no state of a betting test.", nameof(logWealth));

    /// <summary>The logarithm of each gambler's wealth.</summary>
    internal IReadOnlyList<double> LogWealth => _logWealth;

    /// <summary>How many observations were made.</summary>
    public long Count { get; }

    /// <summary>The mean wealth: 1 at first. May overflow to infinity, which is evidence enough.</summary>
    public double EValue => Math.Exp(LogEValue);

    /// <summary>Its natural logarithm, which does not overflow.</summary>
    public double LogEValue
    {
        get
        {
            var most = _logWealth.Max();
            return most + Math.Log(_logWealth.Sum(w => Math.Exp(w - most)) / _logWealth.Length);
        }
    }

    /// <summary>The test after one more observation.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is outside the bounds.</exception>
    public BettingTest After(double observation)
    {
        var next = new double[_logWealth.Length];
        for (var i = 0; i < next.Length; i++)
            next[i] = _logWealth[i] + Math.Log(_bets.Payoff(i, observation));
        return new(_bets, next, Count + 1);
    }
}
