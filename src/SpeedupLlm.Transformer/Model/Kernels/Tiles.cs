using System.Runtime.CompilerServices;

namespace SpeedupLlm.Transformer.Model.Kernels;

/// <summary>The innermost loop of every matrix product: a few rows times 32 columns, held in registers over all steps.</summary>
/// <remarks>
/// <para>c[m, n] = Σₖ a[m, k] · b[k, n], with a[m, k] at <c>a[m·aRow + k·aStep]</c>, b[k, n] at <c>b[k·bStep + n]</c> and c[m, n] at <c>c[m·cRow + n]</c>.</para>
/// <para>
/// The rule of bits: each element is one chain of fused multiply-adds over k in ascending order, from 0, or from what c holds when it accumulates.
/// So it does not depend on how many rows, columns or threads there are, and a product cut along k and accumulated in order has the bits of the whole.
/// </para>
/// </remarks>
internal static unsafe class Tiles
{
    public const int Rows = 8;
    public const int Columns = 32;

    /// <summary>1 to 8 rows times 32 columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply<TLanes>(
        int rows, int steps, float* a, nint aRow, nint aStep, float* b, nint bStep, float* c, nint cRow, bool accumulate = false)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        // 16 accumulators of 512 bits, or 8 of 256, keep both multiply-add ports busy and fit the registers
        if (typeof(TLanes) == typeof(Lanes512) && rows > 4)
        {
            Rows8<TLanes>(rows, steps, a, aRow, aStep, b, bStep, c, cRow, accumulate);
            return;
        }

        if (rows == 1)
        {
            Row<TLanes>(steps, a, aStep, b, bStep, c, accumulate);
            return;
        }

        for (var m = 0; m < rows; m += 4)
        {
            var some = Math.Min(4, rows - m);
            Rows4<TLanes>(some, steps, a + m * aRow, aRow, aStep, b, bStep, c + m * cRow, cRow, accumulate);
            Rows4<TLanes>(some, steps, a + m * aRow, aRow, aStep, b + 16, bStep, c + m * cRow + 16, cRow, accumulate);
        }
    }

    /// <summary>One row times 32 columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row<TLanes>(int steps, float* a, nint aStep, float* b, nint bStep, float* c, bool accumulate)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        var (s0, s1) = accumulate ? (TLanes.Load(c), TLanes.Load(c + 16)) : (TLanes.Zero, TLanes.Zero);
        for (var k = 0; k < steps; k++)
        {
            var x = TLanes.Broadcast(*a);
            s0 = TLanes.Fma(x, TLanes.Load(b), s0);
            s1 = TLanes.Fma(x, TLanes.Load(b + 16), s1);
            a += aStep;
            b += bStep;
        }

        s0.Store(c);
        s1.Store(c + 16);
    }

    /// <summary>Up to 8 rows times 32 columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows8<TLanes>(
        int rows, int steps, float* a, nint aRow, nint aStep, float* b, nint bStep, float* c, nint cRow, bool accumulate)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        // rows past the last repeat it: they compute and store the same numbers at the same place
        nint last = rows - 1;
        float* a0 = a;
        float* a1 = a + Math.Min(1, last) * aRow, c1 = c + Math.Min(1, last) * cRow;
        float* a2 = a + Math.Min(2, last) * aRow, c2 = c + Math.Min(2, last) * cRow;
        float* a3 = a + Math.Min(3, last) * aRow, c3 = c + Math.Min(3, last) * cRow;
        float* a4 = a + Math.Min(4, last) * aRow, c4 = c + Math.Min(4, last) * cRow;
        float* a5 = a + Math.Min(5, last) * aRow, c5 = c + Math.Min(5, last) * cRow;
        float* a6 = a + Math.Min(6, last) * aRow, c6 = c + Math.Min(6, last) * cRow;
        float* a7 = a + Math.Min(7, last) * aRow, c7 = c + Math.Min(7, last) * cRow;
        TLanes s0a, s0b, s1a, s1b, s2a, s2b, s3a, s3b, s4a, s4b, s5a, s5b, s6a, s6b, s7a, s7b;
        if (accumulate)
        {
            s0a = TLanes.Load(c); s0b = TLanes.Load(c + 16);
            s1a = TLanes.Load(c1); s1b = TLanes.Load(c1 + 16);
            s2a = TLanes.Load(c2); s2b = TLanes.Load(c2 + 16);
            s3a = TLanes.Load(c3); s3b = TLanes.Load(c3 + 16);
            s4a = TLanes.Load(c4); s4b = TLanes.Load(c4 + 16);
            s5a = TLanes.Load(c5); s5b = TLanes.Load(c5 + 16);
            s6a = TLanes.Load(c6); s6b = TLanes.Load(c6 + 16);
            s7a = TLanes.Load(c7); s7b = TLanes.Load(c7 + 16);
        }
        else
        {
            s0a = s0b = TLanes.Zero;
            s1a = s1b = TLanes.Zero;
            s2a = s2b = TLanes.Zero;
            s3a = s3b = TLanes.Zero;
            s4a = s4b = TLanes.Zero;
            s5a = s5b = TLanes.Zero;
            s6a = s6b = TLanes.Zero;
            s7a = s7b = TLanes.Zero;
        }

        nint at = 0;
        for (var k = 0; k < steps; k++)
        {
            var ba = TLanes.Load(b); var bb = TLanes.Load(b + 16);
            var x0 = TLanes.Broadcast(a0[at]);
            s0a = TLanes.Fma(x0, ba, s0a);
            s0b = TLanes.Fma(x0, bb, s0b);
            var x1 = TLanes.Broadcast(a1[at]);
            s1a = TLanes.Fma(x1, ba, s1a);
            s1b = TLanes.Fma(x1, bb, s1b);
            var x2 = TLanes.Broadcast(a2[at]);
            s2a = TLanes.Fma(x2, ba, s2a);
            s2b = TLanes.Fma(x2, bb, s2b);
            var x3 = TLanes.Broadcast(a3[at]);
            s3a = TLanes.Fma(x3, ba, s3a);
            s3b = TLanes.Fma(x3, bb, s3b);
            var x4 = TLanes.Broadcast(a4[at]);
            s4a = TLanes.Fma(x4, ba, s4a);
            s4b = TLanes.Fma(x4, bb, s4b);
            var x5 = TLanes.Broadcast(a5[at]);
            s5a = TLanes.Fma(x5, ba, s5a);
            s5b = TLanes.Fma(x5, bb, s5b);
            var x6 = TLanes.Broadcast(a6[at]);
            s6a = TLanes.Fma(x6, ba, s6a);
            s6b = TLanes.Fma(x6, bb, s6b);
            var x7 = TLanes.Broadcast(a7[at]);
            s7a = TLanes.Fma(x7, ba, s7a);
            s7b = TLanes.Fma(x7, bb, s7b);
            at += aStep;
            b += bStep;
        }

        s0a.Store(c);
        s0b.Store(c + 16);
        s1a.Store(c1);
        s1b.Store(c1 + 16);
        s2a.Store(c2);
        s2b.Store(c2 + 16);
        s3a.Store(c3);
        s3b.Store(c3 + 16);
        s4a.Store(c4);
        s4b.Store(c4 + 16);
        s5a.Store(c5);
        s5b.Store(c5 + 16);
        s6a.Store(c6);
        s6b.Store(c6 + 16);
        s7a.Store(c7);
        s7b.Store(c7 + 16);
    }

    /// <summary>Up to 4 rows times 16 columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows4<TLanes>(
        int rows, int steps, float* a, nint aRow, nint aStep, float* b, nint bStep, float* c, nint cRow, bool accumulate)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        // rows past the last repeat it: they compute and store the same numbers at the same place
        nint last = rows - 1;
        float* a0 = a;
        float* a1 = a + Math.Min(1, last) * aRow, c1 = c + Math.Min(1, last) * cRow;
        float* a2 = a + Math.Min(2, last) * aRow, c2 = c + Math.Min(2, last) * cRow;
        float* a3 = a + Math.Min(3, last) * aRow, c3 = c + Math.Min(3, last) * cRow;
        TLanes s0a, s1a, s2a, s3a;
        if (accumulate)
        {
            s0a = TLanes.Load(c);
            s1a = TLanes.Load(c1);
            s2a = TLanes.Load(c2);
            s3a = TLanes.Load(c3);
        }
        else
        {
            s0a = TLanes.Zero;
            s1a = TLanes.Zero;
            s2a = TLanes.Zero;
            s3a = TLanes.Zero;
        }

        nint at = 0;
        for (var k = 0; k < steps; k++)
        {
            var ba = TLanes.Load(b);
            var x0 = TLanes.Broadcast(a0[at]);
            s0a = TLanes.Fma(x0, ba, s0a);
            var x1 = TLanes.Broadcast(a1[at]);
            s1a = TLanes.Fma(x1, ba, s1a);
            var x2 = TLanes.Broadcast(a2[at]);
            s2a = TLanes.Fma(x2, ba, s2a);
            var x3 = TLanes.Broadcast(a3[at]);
            s3a = TLanes.Fma(x3, ba, s3a);
            at += aStep;
            b += bStep;
        }

        s0a.Store(c);
        s1a.Store(c1);
        s2a.Store(c2);
        s3a.Store(c3);
    }
}
