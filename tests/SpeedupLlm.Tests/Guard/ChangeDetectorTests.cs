using SpeedupLlm.Compute;
using SpeedupLlm.Guard;

namespace SpeedupLlm.Tests.Guard;

public sealed class ChangeDetectorTests
{
    private static readonly ChangeDetector Half = ChangeDetector.Below(0.5, 0, 1, 500);

    [Fact]
    public void Statistic_Unchanged_GrowsByAtMostOneOnAverage()
    {
        foreach (var mean in (double[])[0.5, 0.7])
            Assert.InRange(Expected(Half, 5, mean), 0, 5 + 1e-9);
        Assert.Equal(5, Expected(Half, 5, 0.5), 9);
        static double Expected(ChangeDetector detector, int left, double mean) =>
            left == 0 ? detector.Statistic : mean * Expected(detector.After(1), left - 1, mean) + (1 - mean) * Expected(detector.After(0), left - 1, mean);
    }

    [Fact]
    public void Alarm_Unchanged_TakesTheAverageRunLength()
    {
        // an alarm within n observations has a chance of at most n over the run length
        var alarms = Enumerable.Range(0, 400).Count(i => Delay(i, 0, 50, 0.5) is not null);
        Assert.InRange(alarms, 0, Bounds.MostOf(400, 50 / 500.0));
    }

    [Fact]
    public void Alarm_AfterAChange_ComesSoon()
    {
        var delays = Enumerable.Range(0, 200).Select(i => Delay(i, 100, 600, 0.2)).ToList();
        Assert.DoesNotContain(null, delays);
        Assert.InRange(delays.Average(d => d!.Value - 100), -5, 60);
    }

    [Fact]
    public void From_ItsOwnState_GoesOn()
    {
        var one = Half.After(0.2).After(0.4);
        Assert.Equal(one.After(0.1).Statistic, Half.From(one.Wealth, one.Count).After(0.1).Statistic);
        Assert.Throws<ArgumentException>(() => Half.From([1, 2], 2));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Below_RunLengthOutOfRange_IsRefused(double length) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ChangeDetector.Below(0.5, 0, 1, length));

    [Fact]
    public void After_ForeverChanged_StaysFinite()
    {
        var detector = Half;
        for (var i = 0; i < 3000; i++)
            detector = detector.After(0);
        Assert.True(double.IsFinite(detector.Statistic) && detector.Alarm);
    }

    /// <summary>Observations to the alarm; the mean is one half, and <paramref name="then"/> from the change on.</summary>
    private static int? Delay(int stream, int change, int length, double then)
    {
        var random = new StreamRandom(StreamKey.Root(11).Child(stream));
        var detector = Half;
        for (var i = 0; i < length; i++)
        {
            detector = detector.After(random.NextDouble() < (i < change ? 0.5 : then) ? 1 : 0);
            if (detector.Alarm)
                return i + 1;
        }
        return null;
    }
}
