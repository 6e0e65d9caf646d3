using System.Runtime.CompilerServices;

namespace SpeedupLlm.Transformer.Model.Kernels;

/// <summary>Matrix products. The bits of an element are those of one chain over k (see <see cref="Tiles"/>), whatever the number of rows.</summary>
internal static unsafe class Gemm
{
    // rows of A that stay in the second-level cache while the panels of B pass over them
    private const int RowBlock = 512;

    /// <summary>Floats of scratch for <see cref="AddTransposed"/>.</summary>
    public static long TransposedScratch(int rows, int k) => (long)rows * (k + Tiles.Rows);

    /// <summary>C (M, N) = A (M, K) · B, or C += A · B.</summary>
    /// <remarks>a (M, K) has rows aRow apart, c (M, N) rows cRow apart; c overlaps nothing. When it accumulates, the chains begin with what C holds.</remarks>
    [SkipLocalsInit]
    public static void Multiply<TLanes>(float* a, int rows, nint aRow, PackedMatrix b, float* c, nint cRow, bool accumulate = false)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        var whole = b.Columns / Tiles.Columns;
        var rest = b.Columns % Tiles.Columns;
        if (rows == 1)
        {
            MultiplyRow<TLanes>(a, b, whole, c, accumulate);
        }
        else
        {
            for (var m0 = 0; m0 < rows; m0 += RowBlock)
            {
                var m1 = Math.Min(rows, m0 + RowBlock);
                for (var p = 0; p < whole; p++)
                {
                    var panel = b.Panel(p);
                    for (var m = m0; m < m1; m += Tiles.Rows)
                    {
                        Tiles.Multiply<TLanes>(
                            Math.Min(Tiles.Rows, m1 - m), b.Steps, a + m * aRow, aRow, 1, panel, Tiles.Columns, c + m * cRow + p * Tiles.Columns, cRow, accumulate);
                    }
                }
            }
        }

        if (rest == 0)
            return;

        // the last columns pass through a tile of their own, so that nothing is written beside C
        var tile = stackalloc float[Tiles.Rows * Tiles.Columns];
        for (var m = 0; m < rows; m += Tiles.Rows)
        {
            var some = Math.Min(Tiles.Rows, rows - m);
            var target = c + m * cRow + whole * Tiles.Columns;
            if (accumulate)
            {
                for (var i = 0; i < some; i++)
                    new ReadOnlySpan<float>(target + i * cRow, rest).CopyTo(new(tile + i * Tiles.Columns, rest));
            }

            Tiles.Multiply<TLanes>(some, b.Steps, a + m * aRow, aRow, 1, b.Panel(whole), Tiles.Columns, tile, Tiles.Columns, accumulate);
            for (var i = 0; i < some; i++)
                new ReadOnlySpan<float>(tile + i * Tiles.Columns, rest).CopyTo(new(target + i * cRow, rest));
        }
    }

    /// <summary>One row: what decoding does. It reads all of B once, so two panels at a time keep loads in flight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyRow<TLanes>(float* a, PackedMatrix matrix, int panels, float* c, bool accumulate)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        var steps = matrix.Steps;
        var p = 0;
        for (; p + 2 <= panels; p += 2)
        {
            float* b0 = matrix.Panel(p), b1 = matrix.Panel(p + 1), t = c + p * Tiles.Columns;
            var (s0, s1, s2, s3) = accumulate
                ? (TLanes.Load(t), TLanes.Load(t + 16), TLanes.Load(t + 32), TLanes.Load(t + 48))
                : (TLanes.Zero, TLanes.Zero, TLanes.Zero, TLanes.Zero);
            for (var k = 0; k < steps; k++)
            {
                var x = TLanes.Broadcast(a[k]);
                s0 = TLanes.Fma(x, TLanes.Load(b0), s0);
                s1 = TLanes.Fma(x, TLanes.Load(b0 + 16), s1);
                s2 = TLanes.Fma(x, TLanes.Load(b1), s2);
                s3 = TLanes.Fma(x, TLanes.Load(b1 + 16), s3);
                b0 += Tiles.Columns;
                b1 += Tiles.Columns;
            }

            s0.Store(t);
            s1.Store(t + 16);
            s2.Store(t + 32);
            s3.Store(t + 48);
        }

        if (p < panels)
            Tiles.Multiply<TLanes>(1, steps, a, 0, 1, matrix.Panel(p), Tiles.Columns, c + p * Tiles.Columns, 0, accumulate);
    }

    /// <summary>G (N, K) += dYᵀ · X: the gradient of a linear layer, summed over rows in ascending order.</summary>
    /// <remarks>dy (M, N) has rows dyRow apart, x (M, K) rows xRow apart, g no gaps; scratch holds <see cref="TransposedScratch"/> floats. K is a multiple of 32.</remarks>
    public static void AddTransposed<TLanes>(float* dy, int rows, nint dyRow, int n, float* x, nint xRow, int k, float* g, float* scratch)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        // both sides are copied so that each tile walks through memory in order: X in panels of 32 columns, dY in strips of 8
        var strip = scratch + (nint)rows * k;
        for (var p = 0; p < k; p += Tiles.Columns)
            PackedMatrix.Copy(rows, Tiles.Columns, x + p, xRow, scratch + (nint)rows * p);

        for (var m = 0; m < n; m += Tiles.Rows)
        {
            var some = Math.Min(Tiles.Rows, n - m);
            PackedMatrix.CopyStrip(rows, some, dy + m, dyRow, strip);
            for (var p = 0; p < k; p += Tiles.Columns)
                Tiles.Multiply<TLanes>(some, rows, strip, 1, Tiles.Rows, scratch + (nint)rows * p, Tiles.Columns, g + (nint)m * k + p, k, accumulate: true);
        }
    }
}
