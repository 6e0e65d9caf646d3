using FsCheck;
using FsCheck.Fluent;
using SpeedupLlm.Guard;

namespace SpeedupLlm.Tests.Guard;

public sealed class EBenjaminiHochbergTests
{
    [Fact]
    public void Reject_OneHypothesis_NeedsTheWholeLevel()
    {
        Assert.Equal([false], EBenjaminiHochberg.Reject([19.9], 0.05));
        Assert.Equal([true], EBenjaminiHochberg.Reject([20], 0.05));
    }

    [Fact]
    public void Reject_TwoStrongOfFour_LowersTheBarForBoth()
    {
        // of four, one alone needs 80, two need 40 each, three need 27
        Assert.Equal([true, false, true, false], EBenjaminiHochberg.Reject([41, 1, 500, 26], 0.05));
        Assert.Equal([true, false, true, true], EBenjaminiHochberg.Reject([41, 1, 500, 27], 0.05));
        Assert.Equal([false, false, true, false], EBenjaminiHochberg.Reject([39, 1, 500, 0], 0.05));
        Assert.Equal([false, false, false, false], EBenjaminiHochberg.Reject([39, 1, 79, 0], 0.05));
        Assert.Equal([true, true, true, true], EBenjaminiHochberg.Reject([20, 20, 20, double.PositiveInfinity], 0.05));
        Assert.Empty(EBenjaminiHochberg.Reject([], 0.05));
    }

    /// <summary>The bar is the very e-value at which the procedure starts to reject one more.</summary>
    [Fact]
    public void Needed_AnyOthers_IsTheLeastThatIsRejected() => Prop.ForAll<NonNegativeInt[]>(others =>
    {
        var values = others.Select(o => (double)(o.Get % 200)).ToList();
        var needed = EBenjaminiHochberg.Needed(values, 0.05);
        return EBenjaminiHochberg.Reject([.. values, needed], 0.05)[^1] && !EBenjaminiHochberg.Reject([.. values, needed * 0.999], 0.05)[^1];
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(double.NaN)]
    public void Reject_LevelOutOfRange_IsRefused(double alpha) => Assert.Throws<ArgumentOutOfRangeException>(() => EBenjaminiHochberg.Reject([1], alpha));

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    public void Reject_NoEValue_IsRefused(double value) => Assert.Throws<ArgumentOutOfRangeException>(() => EBenjaminiHochberg.Reject([1, value], 0.05));
}
