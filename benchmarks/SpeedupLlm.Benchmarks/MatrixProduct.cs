using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Benchmarks;

/// <summary>Our matrix product beside OpenBLAS (Debian's libopenblas0, one thread) at the model's shapes.</summary>
internal static unsafe class MatrixProduct
{
    [DllImport("libopenblas.so.0", EntryPoint = "cblas_sgemm")]
    private static extern void Sgemm(int order, int transA, int transB, int m, int n, int k, float alpha, float* a, int lda, float* b, int ldb, float beta, float* c, int ldc);

    [DllImport("libopenblas.so.0", EntryPoint = "openblas_set_num_threads")]
    private static extern void SetThreads(int count);

    private const int RowMajor = 101, Plain = 111, Transposed = 112;

    public static void Run()
    {
        SetThreads(1);
        Console.WriteLine("GFLOP/s, best of runs; ours / OpenBLAS = ratio");
        (int N, int K)[] linear = [(384, 128), (128, 128), (704, 128), (128, 352), (512, 128)];
        foreach (var m in (int[])[1, 8, 32, 512, 4096])
            foreach (var (n, k) in linear)
                Report("x·Wᵀ", m, n, k);
        foreach (var (n, k) in linear)
            Report("dY·W", 512, k, n);
        foreach (var (n, k) in linear)
            ReportGradient(512, n, k);
        foreach (var m in (int[])[1, 4, 8, 32])
            ReportModel(m);
    }

    /// <summary>All matrices of the model one after another, as in decoding: 3.3 MB, more than the second-level cache holds.</summary>
    private static void ReportModel(int m)
    {
        var weights = Weights.Initial(new(512), Compute.StreamKey.Root(1));
        using var packed = new PackedWeights(weights, forTraining: false).Fill();
        using FloatBuffer a = new(m * 704), c = new(m * 704);
        Fill(a);
        PackedMatrix[] matrices = [.. packed.Layers.SelectMany(l => (PackedMatrix[])[l.Qkv, l.O, l.GateUp, l.Down]), packed.Head];
        fixed (float* w = weights.Values)
        {
            var start = w;
            Print("model", m, matrices.Sum(b => b.Columns * b.Steps), 1,
                () =>
                {
                    foreach (var b in matrices)
                        Gemm.Multiply<Lanes512>(a.Pointer, m, b.Steps, b, c.Pointer, b.Columns);
                },
                () =>
                {
                    var at = start;
                    foreach (var b in matrices)
                    {
                        Sgemm(RowMajor, Plain, Transposed, m, b.Columns, b.Steps, 1, a.Pointer, b.Steps, at, b.Steps, 0, c.Pointer, b.Columns);
                        at += b.Columns * b.Steps;
                    }
                });
        }
    }

    private static void Report(string name, int m, int n, int k)
    {
        using FloatBuffer a = new((long)m * k), w = new((long)n * k), c = new((long)m * n);
        Fill(a);
        Fill(w);
        using var packed = new PackedMatrix(k, n);
        var transposed = name == "x·Wᵀ";
        if (transposed)
            packed.FillTransposed(w.Pointer);
        else
            packed.Fill(w.Pointer);
        Print(name, m, n, k,
            () => Gemm.Multiply<Lanes512>(a.Pointer, m, k, packed, c.Pointer, n),
            () => Sgemm(RowMajor, Plain, transposed ? Transposed : Plain, m, n, k, 1, a.Pointer, k, w.Pointer, transposed ? k : n, 0, c.Pointer, n));
    }

    private static void ReportGradient(int m, int n, int k)
    {
        using FloatBuffer dy = new((long)m * n), x = new((long)m * k), g = new((long)n * k), scratch = new(Gemm.TransposedScratch(m, k));
        Fill(dy);
        Fill(x);
        Print("dYᵀ·X", n, k, m,
            () => Gemm.AddTransposed<Lanes512>(dy.Pointer, m, n, n, x.Pointer, k, k, g.Pointer, scratch.Pointer),
            () => Sgemm(RowMajor, Transposed, Plain, n, k, m, 1, dy.Pointer, n, x.Pointer, k, 1, g.Pointer, k));
    }

    private static void Print(string name, int m, int n, int k, Action ours, Action reference)
    {
        var work = 2.0 * m * n * k;
        var (mine, theirs) = (double.MaxValue, double.MaxValue);
        // short runs in turn, so that the best of each had the processor to itself
        for (var round = 0; round < 60; round++)
        {
            mine = Math.Min(mine, Best(ours, work));
            theirs = Math.Min(theirs, Best(reference, work));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name} M={m,-4} N={n,-3} K={k,-3}  {work / mine / 1e9,6:F1} / {work / theirs / 1e9,6:F1} = {theirs / mine:F2}"));
    }

    private static double Best(Action action, double work)
    {
        var repeats = (int)Math.Clamp(3e7 / work, 1, 1000);
        action();
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < repeats; i++)
            action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds / repeats;
    }

    private static void Fill(FloatBuffer buffer)
    {
        var state = 12345u;
        foreach (ref var value in buffer.Span)
        {
            state = state * 1664525 + 1013904223;
            value = (state >> 8) / 16777216f - 0.5f;
        }
    }
}
