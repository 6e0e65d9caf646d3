using System.Runtime.CompilerServices;

namespace SpeedupLlm.Transformer.Model.Kernels;

/// <summary>Softmax in two parts: e to what a row holds less its maximum, and one over their sum.</summary>
internal static unsafe class Softmax
{
    /// <summary>Replaces row[0 … valid) by exp(row - max), row[valid … padded) by 0, and returns 1 / Σ and the maximum.</summary>
    /// <remarks>padded ≥ valid ≥ 1 is a multiple of 16. The sum is the fixed 16-lane tree from element 0 on, so it does not depend on padded.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (float Inverse, float Maximum) Exponentials<TLanes>(float* row, int valid, int padded)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        for (var i = valid; i < padded; i++)
            row[i] = float.NegativeInfinity;

        var largest = TLanes.Load(row);
        for (var i = Lanes.Count; i < padded; i += Lanes.Count)
            largest = TLanes.Larger(TLanes.Load(row + i), largest);
        var maximum = largest.Largest();

        var all = TLanes.Broadcast(maximum);
        var sum = TLanes.Zero;
        for (var i = 0; i < padded; i += Lanes.Count)
        {
            var e = Exponential.Exp(TLanes.Load(row + i) - all);
            e.Store(row + i);
            sum += e;
        }

        return (1f / sum.Sum(), maximum);
    }

    /// <summary>row *= factor over a multiple of 16 elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scale<TLanes>(float* row, int count, float factor)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        var all = TLanes.Broadcast(factor);
        for (var i = 0; i < count; i += Lanes.Count)
            (TLanes.Load(row + i) * all).Store(row + i);
    }
}
