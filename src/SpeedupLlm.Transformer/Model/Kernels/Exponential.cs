using System.Runtime.CompilerServices;

namespace SpeedupLlm.Transformer.Model.Kernels;

/// <summary>eˣ by a polynomial, within 2 units in the last place; the same bits in every lane and at every width.</summary>
/// <remarks>Below -87.3 it is 0 (no denormals), above 88.72283 infinite; NaN stays NaN.</remarks>
internal static class Exponential
{
    private const float Lowest = -87.3f;
    private const float Highest = 88.72283f;

    // adding 1.5 · 2²³ rounds to a whole number and leaves it in the low bits
    private const float Rounder = 12582912f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Exp<TLanes>(TLanes x)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        // x = n·ln 2 + r with |r| ≤ ½ ln 2; ln 2 in two parts, the first exact times n (Cephes' expf)
        var biased = TLanes.Fma(x, TLanes.Broadcast(1.44269504f), TLanes.Broadcast(Rounder));
        var n = biased - TLanes.Broadcast(Rounder);
        var r = TLanes.Fma(n, TLanes.Broadcast(-0.693359375f), x);
        r = TLanes.Fma(n, TLanes.Broadcast(2.12194440e-4f), r);

        var p = TLanes.Broadcast(1.9875691500e-4f);
        p = TLanes.Fma(p, r, TLanes.Broadcast(1.3981999507e-3f));
        p = TLanes.Fma(p, r, TLanes.Broadcast(8.3334519073e-3f));
        p = TLanes.Fma(p, r, TLanes.Broadcast(4.1665795894e-2f));
        p = TLanes.Fma(p, r, TLanes.Broadcast(1.6666665459e-1f));
        p = TLanes.Fma(p, r, TLanes.Broadcast(5.0000001201e-1f));
        p = TLanes.Fma(p, r * r, r + TLanes.Broadcast(1f));

        var inside = TLanes.WhereLess(x, TLanes.Broadcast(Lowest), TLanes.Zero, TLanes.ScaleByBits(p, biased));
        return TLanes.WhereLess(x, TLanes.Broadcast(Highest), inside, x * TLanes.Broadcast(float.PositiveInfinity));
    }

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Sigmoid<TLanes>(TLanes x)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        var one = TLanes.Broadcast(1f);
        return one / (one + Exp(TLanes.Zero - x));
    }
}
