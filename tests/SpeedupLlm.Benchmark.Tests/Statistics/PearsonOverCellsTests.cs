using SpeedupLlm.Benchmark.Statistics;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Tests.Statistics;

public sealed class PearsonOverCellsTests
{
    [Fact]
    public void Of_CheaperIsMoreAccurate_IsNegativeAndCertain()
    {
        var found = PearsonOverCells.Of(Cells(StreamKey.Root(1), slope: -1), new GroupBootstrap(40, 500, StreamKey.Root(2)))!;
        Assert.True(found.R < -0.8, FormattableString.Invariant($"{found.R}"));
        Assert.True(found.P < 0.001);
        Assert.True(found.Confidence!.Value.IsBelow(0));
        Assert.Equal(20, found.Cells);
    }

    [Fact]
    public void Of_NoVariation_IsNull()
    {
        var flat = new GroupRatio([2, 2], [4, 4], [true, true]);
        Assert.Null(PearsonOverCells.Of([(flat, flat), (flat, flat), (flat, flat)], new GroupBootstrap(2, 100, StreamKey.Root(1))));
    }

    [Fact]
    public void Of_TwoCells_IsNull() => Assert.Null(PearsonOverCells.Of([.. Cells(StreamKey.Root(1), -1).Take(2)], new GroupBootstrap(40, 100, StreamKey.Root(2))));

    [Fact]
    public void Of_MatchesPlainFormula()
    {
        (GroupRatio, GroupRatio) Cell(double x, double y) => (new([x, x], [1, 1], [true, true]), new([y, y], [1, 1], [true, true]));
        var found = PearsonOverCells.Of([Cell(1, 2), Cell(2, 1), Cell(3, 5), Cell(4, 4)], new GroupBootstrap(2, 50, StreamKey.Root(1)))!;
        // means 2.5 and 3; covariances (1.5·1 + 0.5·2 + 0.5·2 + 1.5·1) = 5; spreads 5 and 10
        Assert.Equal(5 / Math.Sqrt(50), found.R, 9);
        Assert.Null(found.P);
    }

    private static List<(GroupRatio, GroupRatio)> Cells(StreamKey key, double slope)
    {
        var random = new StreamRandom(key);
        return
        [
            .. Enumerable.Range(0, 20).Select(c =>
            {
                var cost = 0.4 + 0.03 * c;
                double[] x = new double[40], y = new double[40], one = new double[40];
                for (var g = 0; g < 40; g++)
                {
                    one[g] = 1;
                    x[g] = cost + 0.05 * Simulated.Normal(random);
                    y[g] = slope * (cost - 0.7) + 0.05 * Simulated.Normal(random);
                }

                bool[] all = [.. Enumerable.Repeat(true, 40)];
                return (new GroupRatio(x, one, all), new GroupRatio(y, one, all));
            }),
        ];
    }
}
