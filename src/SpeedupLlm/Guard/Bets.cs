namespace SpeedupLlm.Guard;

/// <summary>Bets of several sizes against "the mean is at least m": each pays <c>1 + λ (m − x)</c>, never below zero.</summary>
internal sealed class Bets
{
    private const int Sizes = 15;

    private readonly double _mean;
    private readonly double _low;
    private readonly double _high;

    /// <exception cref="ArgumentOutOfRangeException">The bounds are not finite, or the mean is not between them.</exception>
    public Bets(double mean, double low, double high)
    {
        if (!(double.IsFinite(low) && double.IsFinite(high) && low < mean && mean < high))
            throw new ArgumentOutOfRangeException(nameof(mean), mean, FormattableString.Invariant($"The mean must lie between the bounds {low} and {high}, all finite."));
        (_mean, _low, _high) = (mean, low, high);
    }

    public int Count => Sizes;

    /// <summary>What a unit of wealth becomes. The boldest bet stakes all but a thousandth on an observation below the highest.</summary>
    public double Payoff(int bet, double observation)
    {
        if (!(observation >= _low && observation <= _high))
            throw new ArgumentOutOfRangeException(nameof(observation), observation, FormattableString.Invariant($"An observation lies in [{_low}, {_high}]."));
        var share = 0.999 * Math.Pow(0.62, Sizes - 1 - bet);
        return 1 + share * (_mean - observation) / (_high - _mean);
    }
}
