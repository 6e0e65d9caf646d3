using System.Runtime.CompilerServices;
using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Transformer.Decoding;

/// <summary>Attention of one new token over blocks: what <see cref="CachedAttention"/> does for one row, with its bits, and without the work for rows that are not there.</summary>
/// <remarks>Decoding spends its time here and in reading weights. Blocks as in <see cref="CachedAttention"/> (PagedAttention, arXiv:2309.06180).</remarks>
internal static unsafe class BlockAttention
{
    private const int P = CachedAttention.BlockPositions;

    /// <summary>o = softmax(q·K)·V, head by head.</summary>
    /// <param name="q">(C), turned and scaled.</param>
    /// <param name="blocks">The layer's part of each of the sequence's blocks.</param>
    /// <param name="positions">Tokens to attend to: the position of q, plus 1.</param>
    /// <param name="heads">Heads, each <paramref name="head"/> wide: a multiple of 32.</param>
    /// <param name="head">D.</param>
    /// <param name="o">(C), written.</param>
    /// <param name="scratch">heads · (positions rounded up to 32) floats.</param>
    public static void Attend<TLanes>(float* q, float** blocks, int positions, int heads, int head, float* o, float* scratch)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        var width = heads * head;
        var row = (positions + P - 1) / P * P;
        var inverse = stackalloc float[heads];
        for (var h = 0; h < heads; h++)
        {
            Score<TLanes>(q + h * head, blocks, h * head * P, row / P, head, scratch + (nint)h * row);
            inverse[h] = Softmax.Exponentials<TLanes>(scratch + (nint)h * row, positions, row).Inverse;
        }
        var values = (nint)P * width;
        var c = 0;
        for (; c + 128 <= width; c += 128)
            Mix128<TLanes>(scratch, row, blocks, values + c, width, positions, c, head, inverse, o + c);
        for (; c < width; c += 32)
            Mix32<TLanes>(scratch + (nint)(c / head) * row, blocks, values + c, width, positions, inverse[c / head], o + c);
    }

    /// <summary>Scores of one head: each is one chain over D.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Score<TLanes>(float* q, float** blocks, nint keys, int count, int head, float* s)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        var b = 0;
        for (; b + 2 <= count; b += 2, s += 2 * P) // four chains at a time hide each other's latency
        {
            float* k0 = blocks[b] + keys, k1 = blocks[b + 1] + keys;
            TLanes s0 = TLanes.Zero, s1 = TLanes.Zero, s2 = TLanes.Zero, s3 = TLanes.Zero;
            for (var d = 0; d < head; d++, k0 += P, k1 += P)
            {
                var x = TLanes.Broadcast(q[d]);
                s0 = TLanes.Fma(x, TLanes.Load(k0), s0);
                s1 = TLanes.Fma(x, TLanes.Load(k0 + 16), s1);
                s2 = TLanes.Fma(x, TLanes.Load(k1), s2);
                s3 = TLanes.Fma(x, TLanes.Load(k1 + 16), s3);
            }
            s0.Store(s);
            s1.Store(s + 16);
            s2.Store(s + 32);
            s3.Store(s + 48);
        }
        if (b < count)
        {
            var k = blocks[b] + keys;
            TLanes s0 = TLanes.Zero, s1 = TLanes.Zero;
            for (var d = 0; d < head; d++, k += P)
            {
                var x = TLanes.Broadcast(q[d]);
                s0 = TLanes.Fma(x, TLanes.Load(k), s0);
                s1 = TLanes.Fma(x, TLanes.Load(k + 16), s1);
            }
            s0.Store(s);
            s1.Store(s + 16);
        }
    }

    /// <summary>128 outputs, each one chain over positions.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Mix128<TLanes>(float* p, nint row, float** blocks, nint values, int width, int positions, int c, int head, float* inverse, float* o)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        int h0 = c / head, h1 = (c + 32) / head, h2 = (c + 64) / head, h3 = (c + 96) / head;
        float* p0 = p + h0 * row, p1 = p + h1 * row, p2 = p + h2 * row, p3 = p + h3 * row;
        TLanes s0 = TLanes.Zero, s1 = TLanes.Zero, s2 = TLanes.Zero, s3 = TLanes.Zero, s4 = TLanes.Zero, s5 = TLanes.Zero, s6 = TLanes.Zero, s7 = TLanes.Zero;
        for (var first = 0; first < positions; first += P)
        {
            var v = blocks[first / P] + values;
            var end = Math.Min(positions, first + P);
            for (nint t = first; t < end; t++, v += width)
            {
                TLanes w0 = TLanes.Broadcast(p0[t]), w1 = TLanes.Broadcast(p1[t]), w2 = TLanes.Broadcast(p2[t]), w3 = TLanes.Broadcast(p3[t]);
                s0 = TLanes.Fma(w0, TLanes.Load(v), s0);
                s1 = TLanes.Fma(w0, TLanes.Load(v + 16), s1);
                s2 = TLanes.Fma(w1, TLanes.Load(v + 32), s2);
                s3 = TLanes.Fma(w1, TLanes.Load(v + 48), s3);
                s4 = TLanes.Fma(w2, TLanes.Load(v + 64), s4);
                s5 = TLanes.Fma(w2, TLanes.Load(v + 80), s5);
                s6 = TLanes.Fma(w3, TLanes.Load(v + 96), s6);
                s7 = TLanes.Fma(w3, TLanes.Load(v + 112), s7);
            }
        }
        TLanes r0 = TLanes.Broadcast(inverse[h0]), r1 = TLanes.Broadcast(inverse[h1]), r2 = TLanes.Broadcast(inverse[h2]), r3 = TLanes.Broadcast(inverse[h3]);
        (s0 * r0).Store(o);
        (s1 * r0).Store(o + 16);
        (s2 * r1).Store(o + 32);
        (s3 * r1).Store(o + 48);
        (s4 * r2).Store(o + 64);
        (s5 * r2).Store(o + 80);
        (s6 * r3).Store(o + 96);
        (s7 * r3).Store(o + 112);
    }

    /// <summary>32 outputs of one head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Mix32<TLanes>(float* p, float** blocks, nint values, int width, int positions, float inverse, float* o)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes s0 = TLanes.Zero, s1 = TLanes.Zero;
        for (var t = 0; t < positions; t++)
        {
            var v = blocks[t / P] + values + (nint)(t % P) * width;
            var w = TLanes.Broadcast(p[t]);
            s0 = TLanes.Fma(w, TLanes.Load(v), s0);
            s1 = TLanes.Fma(w, TLanes.Load(v + 16), s1);
        }
        var r = TLanes.Broadcast(inverse);
        (s0 * r).Store(o);
        (s1 * r).Store(o + 16);
    }
}
