using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SpeedupLlm.Transformer.Model.Kernels;

/// <summary>A right-hand matrix B (K, N) cut into panels of 32 columns, each panel's rows one after another: [N / 32][K][32], the last panel filled up with zeros.</summary>
internal sealed unsafe class PackedMatrix : IDisposable
{
    private readonly FloatBuffer _panels;

    public PackedMatrix(int steps, int columns)
    {
        Steps = steps;
        Columns = columns;
        Panels = (columns + Tiles.Columns - 1) / Tiles.Columns;
        _panels = new((long)Panels * steps * Tiles.Columns);
    }

    /// <summary>K, what the product sums over.</summary>
    public int Steps { get; }

    /// <summary>N, the columns of the product.</summary>
    public int Columns { get; }

    public int Panels { get; }

    public float* Panel(int index) => _panels.Pointer + (nint)index * Steps * Tiles.Columns;

    /// <summary>Takes B = Wᵀ: <paramref name="w"/> is (N, K), as linear layers keep their weights.</summary>
    public PackedMatrix FillTransposed(float* w)
    {
        for (var n = 0; n < Columns; n += Tiles.Columns)
            Transpose(Math.Min(Tiles.Columns, Columns - n), Steps, w + (nint)n * Steps, Steps, Panel(n / Tiles.Columns));
        return this;
    }

    /// <summary>Takes B = W: <paramref name="w"/> is (K, N).</summary>
    public PackedMatrix Fill(float* w)
    {
        for (var p = 0; p < Panels; p++)
            Copy(Steps, Math.Min(Tiles.Columns, Columns - p * Tiles.Columns), w + p * Tiles.Columns, Columns, Panel(p));
        return this;
    }

    public void Dispose() => _panels.Dispose();

    /// <summary>panel[k][n] = source[n][k] for up to 32 rows n.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transpose(int rows, int steps, float* source, nint sourceRow, float* panel)
    {
        // four source rows at a time: the panel is then written in runs of 16 bytes
        var n = 0;
        for (; n + 4 <= rows; n += 4)
        {
            float* s0 = source + n * sourceRow, s1 = s0 + sourceRow, s2 = s1 + sourceRow, s3 = s2 + sourceRow, t = panel + n;
            for (var k = 0; k < steps; k++, t += Tiles.Columns)
            {
                t[0] = s0[k];
                t[1] = s1[k];
                t[2] = s2[k];
                t[3] = s3[k];
            }
        }

        for (; n < rows; n++)
            for (var k = 0; k < steps; k++)
                panel[k * Tiles.Columns + n] = source[n * sourceRow + k];
    }

    /// <summary>panel[k][n] = source[k][n] for up to 32 columns n.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy(int steps, int columns, float* source, nint sourceRow, float* panel)
    {
        if (columns == Tiles.Columns)
        {
            for (var k = 0; k < steps; k++, source += sourceRow, panel += Tiles.Columns)
            {
                var (a, b, c, d) = (Vector256.Load(source), Vector256.Load(source + 8), Vector256.Load(source + 16), Vector256.Load(source + 24));
                a.Store(panel);
                b.Store(panel + 8);
                c.Store(panel + 16);
                d.Store(panel + 24);
            }

            return;
        }

        for (var k = 0; k < steps; k++)
            new ReadOnlySpan<float>(source + k * sourceRow, columns).CopyTo(new(panel + (nint)k * Tiles.Columns, Tiles.Columns));
    }

    /// <summary>strip[k][n] = source[k][n] for up to 8 columns n.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CopyStrip(int steps, int columns, float* source, nint sourceRow, float* strip)
    {
        if (columns == Tiles.Rows)
        {
            for (var k = 0; k < steps; k++, source += sourceRow, strip += Tiles.Rows)
                Vector256.Load(source).Store(strip);
            return;
        }

        for (var k = 0; k < steps; k++)
            new ReadOnlySpan<float>(source + k * sourceRow, columns).CopyTo(new(strip + (nint)k * Tiles.Rows, Tiles.Rows));
    }
}
