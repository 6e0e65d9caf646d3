using System.Runtime.Intrinsics;

namespace SpeedupLlm.Transformer.Model.Kernels;

/// <summary>Sixteen floats, however wide the machine's registers are. Every kernel is written once against this and has the same bits at each width.</summary>
/// <remarks>
/// Reductions are fixed: lane i holds what came from elements i, i + 16, …; then <see cref="Sum"/> adds lanes i and i + 8, i and i + 4, i and i + 2, i and i + 1.
/// <see cref="LanesScalar"/> is the reference that the others are compared with.
/// </remarks>
internal unsafe interface ILanes<TSelf>
    where TSelf : unmanaged, ILanes<TSelf>
{
    static abstract TSelf Zero { get; }

    static abstract TSelf Broadcast(float value);

    static abstract TSelf Load(float* source);

    void Store(float* target);

    static abstract TSelf operator +(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf a, TSelf b);

    static abstract TSelf operator *(TSelf a, TSelf b);

    static abstract TSelf operator /(TSelf a, TSelf b);

    /// <summary>a·b + c, rounded once.</summary>
    static abstract TSelf Fma(TSelf a, TSelf b, TSelf c);

    static abstract TSelf Sqrt(TSelf a);

    /// <summary>a &gt; b ? a : b in each lane; b where either is NaN.</summary>
    static abstract TSelf Larger(TSelf a, TSelf b);

    /// <summary>x &lt; limit ? then : otherwise in each lane.</summary>
    static abstract TSelf WhereLess(TSelf x, TSelf limit, TSelf then, TSelf otherwise);

    /// <summary>x · 2ⁿ by adding n, the low bits of <paramref name="biased"/>, to the exponent.</summary>
    static abstract TSelf ScaleByBits(TSelf x, TSelf biased);

    /// <summary>The sum of the lanes in the fixed order.</summary>
    float Sum();

    /// <summary>The largest lane.</summary>
    float Largest();
}

/// <summary>Work that is written once for every register width.</summary>
internal interface ILanesWork<TResult>
{
    TResult Run<TLanes>()
        where TLanes : unmanaged, ILanes<TLanes>;
}

/// <summary>Chooses the widest lanes of this machine.</summary>
internal static class Lanes
{
    public const int Count = 16;

    /// <summary>Runs <paramref name="work"/> with this machine's lanes. The JIT knows the choice as a constant.</summary>
    public static TResult Run<TResult>(ILanesWork<TResult> work) =>
        Vector512.IsHardwareAccelerated ? work.Run<Lanes512>()
        : Vector256.IsHardwareAccelerated ? work.Run<Lanes256>()
        : Vector128.IsHardwareAccelerated ? work.Run<Lanes128>()
        : work.Run<LanesScalar>();
}
