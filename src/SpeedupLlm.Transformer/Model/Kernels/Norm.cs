using System.Runtime.CompilerServices;

namespace SpeedupLlm.Transformer.Model.Kernels;

/// <summary><c>y = x · weight / √(mean(x²) + ε)</c> over rows of C numbers (RMSNorm, arXiv 1910.07467). C is a multiple of 16.</summary>
internal static unsafe class Norm
{
    /// <summary>y (rows, C) from x (rows, C). Writes 1 / √(mean + ε) of each row to inverse unless that is null. y may be x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward<TLanes>(float* x, float* weight, int rows, int width, float epsilon, float* y, float* inverse)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        for (var t = 0; t < rows; t++, x += width, y += width)
        {
            var squares = TLanes.Zero;
            for (var i = 0; i < width; i += Lanes.Count)
            {
                var v = TLanes.Load(x + i);
                squares = TLanes.Fma(v, v, squares);
            }

            var scale = 1f / MathF.Sqrt(squares.Sum() / width + epsilon);
            if (inverse != null)
                inverse[t] = scale;
            var all = TLanes.Broadcast(scale);
            for (var i = 0; i < width; i += Lanes.Count)
                (TLanes.Load(x + i) * all * TLanes.Load(weight + i)).Store(y + i);
        }
    }

    /// <summary>dx += the gradient through the norm, dWeight += that of its weight, row after row.</summary>
    /// <remarks>With s = inverse: dx = s·(w∘dy) - x·s³/C·Σ(w∘dy∘x).</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward<TLanes>(float* dy, float* x, float* weight, float* inverse, int rows, int width, float* dx, float* dWeight)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        for (var t = 0; t < rows; t++, x += width, dy += width, dx += width)
        {
            var dot = TLanes.Zero;
            for (var i = 0; i < width; i += Lanes.Count)
                dot = TLanes.Fma(TLanes.Load(dy + i) * TLanes.Load(weight + i), TLanes.Load(x + i), dot);

            var s = inverse[t];
            var scale = TLanes.Broadcast(s);
            var pull = TLanes.Broadcast(-(s * s * s * (dot.Sum() / width)));
            for (var i = 0; i < width; i += Lanes.Count)
            {
                var (v, d) = (TLanes.Load(x + i), TLanes.Load(dy + i) * scale);
                TLanes.Fma(d, v, TLanes.Load(dWeight + i)).Store(dWeight + i);
                TLanes.Fma(v, pull, TLanes.Fma(d, TLanes.Load(weight + i), TLanes.Load(dx + i))).Store(dx + i);
            }
        }
    }
}
