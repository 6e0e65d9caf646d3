namespace SpeedupLlm.Tests.Guard;

/// <summary>Exact bounds for counts in simulations.</summary>
internal static class Bounds
{
    /// <summary>The largest count of <paramref name="n"/> that a chance of <paramref name="p"/> explains: a larger one has a probability below 0.01.</summary>
    public static int MostOf(int n, double p)
    {
        double term = Math.Pow(1 - p, n), sum = term;
        var k = 0;
        for (; sum < 0.99; k++)
        {
            term *= (n - k) / (k + 1.0) * p / (1 - p);
            sum += term;
        }
        return k;
    }
}
