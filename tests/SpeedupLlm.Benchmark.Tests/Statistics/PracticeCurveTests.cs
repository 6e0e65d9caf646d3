using SpeedupLlm.Benchmark.Statistics;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Tests.Statistics;

public sealed class PracticeCurveTests
{
    private static readonly int[] Bins = [1, 2, 3, 4, 6, 8, 11, 16];

    [Fact]
    public void Fit_WithoutNoise_FindsTheCurve()
    {
        var practices = Enumerable.Range(0, 10).SelectMany(g => Enumerable.Range(1, 4).Select(n => new Practice(g, n, 300 * Math.Pow(n, -0.8) + 100))).ToList();
        var curve = PracticeCurve.Fit(practices, 10, Bins, StreamKey.Root(1))!;
        Assert.Equal(300, curve.A, 2);
        Assert.Equal(0.8, curve.B, 4);
        Assert.Equal(100, curve.C, 2);
        Assert.Equal(250, new PracticeCurve(300, 1, 100, default, default, default, []).At(2), 9);
        Assert.Equal([1, 2, 3, 4], curve.Points.Select(p => p.N));
    }

    [Fact]
    public void Fit_CostsThatFallToNothing_KeepsTheFloorAtZero()
    {
        var practices = Enumerable.Range(0, 10).SelectMany(g => Enumerable.Range(1, 16).Select(n => new Practice(g, n, Math.Max(0, 100 - 30 * Math.Log(n))))).ToList();
        Assert.True(PracticeCurve.Fit(practices, 10, Bins, StreamKey.Root(1))!.C >= 0);
    }

    [Fact]
    public void Fit_TooLittle_IsNull()
    {
        Assert.Null(PracticeCurve.Fit([], 10, Bins, StreamKey.Root(1)));
        Assert.Null(PracticeCurve.Fit([.. Enumerable.Range(0, 30).Select(i => new Practice(i % 10, 1 + i % 3, 5))], 10, Bins, StreamKey.Root(1)));
        Assert.Null(PracticeCurve.Fit([.. Enumerable.Range(0, 40).Select(i => new Practice(i % 4, 1 + i % 9, 5))], 4, Bins, StreamKey.Root(1)));
    }

    [Fact]
    public void Fit_SimulatedTopics_IntervalsCoverTheTruth()
    {
        const int runs = 120, groups = 60;
        int ofA = 0, ofB = 0;
        for (var run = 0; run < runs; run++)
        {
            var random = new StreamRandom(StreamKey.Root(run).Child("practice"));
            var practices = new List<Practice>();
            for (var g = 0; g < groups; g++)
            {
                // topics differ, and what they cost stays with them
                var own = 0.7 + 0.6 * random.NextDouble();
                for (var n = 1; n <= 16; n++)
                    practices.Add(new(g, n, own * (400 * Math.Pow(n, -0.7) + 100) * (0.5 + random.NextDouble())));
            }

            var curve = PracticeCurve.Fit(practices, groups, Bins, StreamKey.Root(run))!;
            ofA += curve.AInterval.Low <= 400 && curve.AInterval.High >= 400 ? 1 : 0;
            // bins of several n bend the curve a little: by less than a tenth of b
            ofB += curve.BInterval.Low <= 0.77 && curve.BInterval.High >= 0.63 ? 1 : 0;
        }

        CoverageBound.AssertAtLeast(ofA, runs, 0.95);
        CoverageBound.AssertAtLeast(ofB, runs, 0.95);
    }
}
