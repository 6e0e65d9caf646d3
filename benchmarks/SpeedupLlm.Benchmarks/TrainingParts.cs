using System.Diagnostics;
using System.Globalization;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Benchmarks;

/// <summary>Where the time of a training step goes: each kernel alone on one slot of two texts of 256 tokens, best of many runs.</summary>
internal sealed unsafe class TrainingParts : ILanesWork<bool>
{
    private const int Length = 256, Texts = 2, Rows = Length * Texts;
    private readonly List<(string Name, double Microseconds)> _parts = [];

    public static void Run()
    {
        var parts = new TrainingParts();
        Lanes.Run(parts);
        var total = parts._parts.Sum(p => p.Microseconds);
        foreach (var (name, microseconds) in parts._parts)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-22} {microseconds,7:F2} µs a token {microseconds / total,6:P0}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"sum",-22} {total,7:F2} µs a token, {1e6 / total:F0} tokens/s"));
    }

    public bool Run<TLanes>()
        where TLanes : unmanaged, ILanes<TLanes>
    {
        var shape = new ModelShape(512);
        int C = shape.Width, F = shape.Hidden, V = shape.Vocabulary;
        using var rope = new Rope(shape);
        using FloatBuffer x = Random(Rows * C), y = Random(Rows * C), qkv = Random(Rows * 3 * C), dQkv = Random(Rows * 3 * C), gu = Random(Rows * 2 * F), dGu = Random(Rows * 2 * F);
        using FloatBuffer act = Random(Rows * F), logits = Random(Rows * V), w = Random(V * C), g = Random(V * C), inverse = Random(Rows);
        using FloatBuffer p = new(Texts * Attention.ScoreFloats(shape, Length)), pInverse = new(Rows * shape.Heads), o = Random(Rows * C);
        using FloatBuffer scratch = new(Attention.ScratchFloats(shape, Length) + Gemm.TransposedScratch(Rows, F));

        (string, int N, int K, FloatBuffer X, FloatBuffer Y, int Times)[] linear =
            [("qkv", 3 * C, C, x, qkv, 4), ("o", C, C, x, o, 4), ("gate, up", 2 * F, C, x, gu, 4), ("down", C, F, act, x, 4), ("head", V, C, x, logits, 1)];
        foreach (var (name, n, k, from, to, times) in linear)
        {
            using PackedMatrix forward = new(k, n), back = new(n, k);
            Time(name + " forward", times, () => Gemm.Multiply<TLanes>(from.Pointer, Rows, k, forward, to.Pointer, n));
            Time(name + " backward", times, () => Gemm.Multiply<TLanes>(to.Pointer, Rows, n, back, from.Pointer, k));
            Time(name + " gradient", times, () => Gemm.AddTransposed<TLanes>(to.Pointer, Rows, n, n, from.Pointer, k, k, g.Pointer, scratch.Pointer));
        }

        Random(qkv);
        Time("attention forward", 4, () =>
        {
            for (var s = 0; s < Texts; s++)
                Attention.Forward<TLanes>(shape, qkv.Pointer + s * Length * 3 * C, Length, p.Pointer + s * Attention.ScoreFloats(shape, Length), pInverse.Pointer + s * Length * shape.Heads, o.Pointer + s * Length * C, scratch.Pointer);
        });
        Time("attention backward", 4, () =>
        {
            for (var s = 0; s < Texts; s++)
                Attention.Backward<TLanes>(shape, qkv.Pointer + s * Length * 3 * C, Length, p.Pointer + s * Attention.ScoreFloats(shape, Length), pInverse.Pointer + s * Length * shape.Heads, o.Pointer + s * Length * C, y.Pointer + s * Length * C, dQkv.Pointer + s * Length * 3 * C, scratch.Pointer);
        });
        Time("rope both ways", 4, () =>
        {
            for (var t = 0; t < Rows; t++)
            {
                rope.Turn<TLanes>(qkv.Pointer + t * 3 * C, t % Length);
                rope.TurnBack<TLanes>(dQkv.Pointer + t * 3 * C, t % Length);
            }
        });
        Time("norm forward", 9, () => Norm.Forward<TLanes>(x.Pointer, w.Pointer, Rows, C, 1e-5f, y.Pointer, inverse.Pointer));
        Time("norm backward", 9, () => Norm.Backward<TLanes>(x.Pointer, y.Pointer, w.Pointer, inverse.Pointer, Rows, C, o.Pointer, g.Pointer));
        Time("swiglu forward", 4, () => SwiGlu.Forward<TLanes>(gu.Pointer, Rows, F, act.Pointer));
        Time("swiglu backward", 4, () => SwiGlu.Backward<TLanes>(act.Pointer, gu.Pointer, Rows, F, dGu.Pointer));
        Time("cross-entropy", 1, () =>
        {
            for (var t = 0; t < Rows; t++)
                CrossEntropy.ForwardBackward<TLanes>(logits.Pointer + t * V, V, V, t, 1e-3f);
        });
        return true;
    }

    private void Time(string name, int times, Action action)
    {
        var best = double.MaxValue;
        for (var i = 0; i < 60; i++)
        {
            var start = Stopwatch.GetTimestamp();
            action();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        }

        _parts.Add((name, best * times / Rows));
    }

    private static FloatBuffer Random(int length)
    {
        var buffer = new FloatBuffer(length);
        Random(buffer);
        return buffer;
    }

    private static void Random(FloatBuffer buffer)
    {
        var state = 12345u;
        foreach (ref var value in buffer.Span)
        {
            state = state * 1664525 + 1013904223;
            value = (state >> 8) / 16777216f - 0.5f;
        }
    }
}
