using SpeedupLlm.Compute;

namespace SpeedupLlm.Worlds;

/// <summary>Draws that the worlds share.</summary>
internal static class Chance
{
    /// <summary>One of <paramref name="weighted"/>, by weights that need not sum to 1.</summary>
    public static T Weighted<T>(this StreamRandom random, IReadOnlyList<(T Value, double Weight)> weighted)
    {
        var sum = 0.0;
        foreach (var (_, weight) in weighted)
            sum += weight;
        var at = random.NextDouble() * sum;
        foreach (var (value, weight) in weighted)
        {
            at -= weight;
            if (at < 0)
                return value;
        }

        return weighted[^1].Value;
    }

    /// <summary>True with probability <paramref name="p"/>.</summary>
    public static bool Flip(this StreamRandom random, double p) => random.NextDouble() < p;
}
