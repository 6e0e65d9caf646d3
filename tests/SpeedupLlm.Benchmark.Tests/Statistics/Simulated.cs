using MathNet.Numerics.Distributions;
using SpeedupLlm.Benchmark.Statistics;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Tests.Statistics;

/// <summary>Groups as they come out of a run: costs that differ between groups, the same questions in both arms, a true ratio that is known.</summary>
internal static class Simulated
{
    /// <summary>Costs of questions until the first success, capped at 8: mean (1-(1-p)^8)/p.</summary>
    public static GroupRatio Costs(StreamRandom random, int groups, double with, double without)
    {
        double[] top = new double[groups], bottom = new double[groups];
        for (var g = 0; g < groups; g++)
        {
            // a shared difficulty makes the arms of a group alike
            var ease = 0.5 + random.NextDouble();
            for (var level = 0; level < 4; level++)
            {
                top[g] += Draws(random, with * ease);
                bottom[g] += Draws(random, without * ease);
            }
        }

        return new(top, bottom, [.. Enumerable.Repeat(true, groups)]);
    }

    /// <summary>The ratio of expected costs of <see cref="Costs"/>.</summary>
    public static double TrueRatio(double with, double without) => Expected(with) / Expected(without);

    public static GroupRatio Gains(StreamRandom random, int groups, double with, double without)
    {
        double[] gained = new double[groups], trials = new double[groups];
        for (var g = 0; g < groups; g++)
        {
            for (var level = 0; level < 4; level++)
            {
                gained[g] += (random.NextDouble() < with ? 1 : 0) - (random.NextDouble() < without ? 1 : 0);
                trials[g]++;
            }
        }

        return new(gained, trials, [.. Enumerable.Repeat(true, groups)], 1.0 / (4 * groups));
    }

    public static double Normal(StreamRandom random) => MathNet.Numerics.Distributions.Normal.InvCDF(0, 1, Math.Max(1e-12, random.NextDouble()));

    private static int Draws(StreamRandom random, double p)
    {
        var draws = 1;
        while (draws < 8 && random.NextDouble() >= p)
            draws++;
        return draws;
    }

    private static double Expected(double p)
    {
        double sum = 0;
        const int steps = 2000;
        for (var i = 0; i < steps; i++)
        {
            var q = p * (0.5 + (i + 0.5) / steps);
            sum += (1 - Math.Pow(1 - q, 8)) / q;
        }

        return sum / steps;
    }
}
