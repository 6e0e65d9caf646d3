namespace SpeedupLlm.Benchmark.Theory;

/// <summary>Attempts at one question that nothing stopped, and how many of them were accepted: what the chance of acceptance p is known by.</summary>
/// <param name="Draws">K.</param>
/// <param name="Accepted">x of them.</param>
internal readonly record struct HeldOutDraws(int Draws, int Accepted)
{
    /// <summary>The estimate of p.</summary>
    public double P => (double)Accepted / Draws;

    /// <summary>
    /// An unbiased estimate of E[answers] = (1-(1-p)^N)/p = Σ (1-p)^k for k &lt; N: C(K-x, k)/C(K, k) estimates (1-p)^k without bias, where putting
    /// x/K into the formula would not (Jensen).
    /// </summary>
    /// <param name="samples">N, at most K + 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are too few draws for N.</exception>
    public double ExpectedAnswers(int samples)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(samples, Draws + 1);
        double sum = 0, none = 1;
        for (var k = 0; k < samples; k++)
        {
            sum += none;
            // the chance that k draws without replacement are all refused
            none *= k < Draws - Accepted ? (double)(Draws - Accepted - k) / (Draws - k) : 0;
        }

        return sum;
    }
}
