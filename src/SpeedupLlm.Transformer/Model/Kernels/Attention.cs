using System.Runtime.CompilerServices;

namespace SpeedupLlm.Transformer.Model.Kernels;

/// <summary>Causal attention over whole sequences, forward and backward. Queries and keys are turned and queries scaled already (see <see cref="Rope"/>).</summary>
/// <remarks>
/// For one head, with i a query and j ≤ i a key:
/// s[i,j] = q[i]·k[j], p[i,j] = exp(s[i,j] - maxⱼ), r[i] = 1 / Σⱼ p[i,j], o[i] = r[i] · Σⱼ p[i,j] v[j].
/// Products are chains (see <see cref="Tiles"/>), sums the 16-lane tree from key 0 on: a row has the same bits however many rows are computed with it,
/// and those of <see cref="CachedAttention"/>.
/// </remarks>
internal static unsafe class Attention
{
    /// <summary>Columns from one row of scores to the next: room for whole tiles, and an odd number of cache lines, so that a column of scores does not fall on a few cache sets.</summary>
    public static int ScoreRow(int length) => ((length + Tiles.Columns - 1) / Tiles.Columns * Tiles.Columns) | Lanes.Count;

    /// <summary>Floats that p takes for one sequence and all its heads.</summary>
    public static long ScoreFloats(ModelShape shape, int length) => (long)shape.Heads * length * ScoreRow(length);

    /// <summary>Floats of scratch that <see cref="Forward"/> and <see cref="Backward"/> take.</summary>
    public static long ScratchFloats(ModelShape shape, int length) => (long)Padded(length) * (4 * shape.Head) + (long)length * ScoreRow(length) + length;

    /// <summary>o (T, C) and p from qkv (T, 3·C) of one sequence; inverse (Heads, T) gets r.</summary>
    public static void Forward<TLanes>(ModelShape shape, float* qkv, int length, float* p, float* inverse, float* o, float* scratch)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        int width = shape.Width, head = shape.Head, row = 3 * width, stride = ScoreRow(length);
        float* keys = scratch, values = keys + (nint)Padded(length) * head;
        for (var h = 0; h < shape.Heads; h++, p += (nint)length * stride, inverse += length)
        {
            float* q = qkv + h * head, output = o + h * head;
            TransposeBlocks(q + width, row, length, head, keys);
            Gather(q + 2 * width, row, length, head, values);
            for (var i = 0; i < length; i += Tiles.Rows)
            {
                var rows = Math.Min(Tiles.Rows, length - i);
                var seen = i + rows;
                var s = p + (nint)i * stride;
                for (var j = 0; j < seen; j += Tiles.Columns)
                    Tiles.Multiply<TLanes>(rows, head, q + (nint)i * row, row, 1, keys + (nint)j * head, Tiles.Columns, s + j, stride);
                for (var m = 0; m < rows; m++)
                    inverse[i + m] = Softmax.Exponentials<TLanes>(s + (nint)m * stride, i + m + 1, Padded(seen)).Inverse;
                for (var d = 0; d < head; d += Tiles.Columns)
                    Tiles.Multiply<TLanes>(rows, seen, s, stride, 1, values + d, head, output + (nint)i * width + d, width);
                for (var m = 0; m < rows; m++)
                    Softmax.Scale<TLanes>(output + (nint)(i + m) * width, head, inverse[i + m]);
            }
        }
    }

    /// <summary>dQkv (T, 3·C) from dO (T, C) and what <see cref="Forward"/> read and wrote.</summary>
    /// <remarks>
    /// With dO' = r∘dO and δ[i] = dO'[i]·o[i]: dP = dO'·vᵀ, dS = p∘(dP - δ), dQ = dS·k, dK = dSᵀ·q, dV = pᵀ·dO'. p is 0 past the diagonal, and so is dS.
    /// </remarks>
    public static void Backward<TLanes>(ModelShape shape, float* qkv, int length, float* p, float* inverse, float* o, float* dO, float* dQkv, float* scratch)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        int width = shape.Width, head = shape.Head, row = 3 * width, stride = ScoreRow(length);
        var part = (nint)Padded(length) * head;
        float* queries = scratch, keys = queries + part, values = keys + part, dScaled = values + part;
        float* dS = dScaled + part, delta = dS + (nint)length * stride;
        for (var h = 0; h < shape.Heads; h++, p += (nint)length * stride, inverse += length)
        {
            var at = h * head;
            Gather(qkv + at, row, length, head, queries);
            Gather(qkv + width + at, row, length, head, keys);
            TransposeBlocks(qkv + 2 * width + at, row, length, head, values);
            ScaleGradient<TLanes>(dO + at, o + at, width, length, head, inverse, dScaled, delta);

            for (var i = 0; i < length; i += Tiles.Rows)
            {
                var rows = Math.Min(Tiles.Rows, length - i);
                var seen = i + rows;
                float* ds = dS + (nint)i * stride, dq = dQkv + (nint)i * row + at;
                for (var j = 0; j < seen; j += Tiles.Columns)
                    Tiles.Multiply<TLanes>(rows, head, dScaled + (nint)i * head, head, 1, values + (nint)j * head, Tiles.Columns, ds + j, stride);
                for (var m = 0; m < rows; m++)
                    ThroughSoftmax<TLanes>(ds + (nint)m * stride, p + (nint)(i + m) * stride, delta[i + m], Padded(seen));
                for (var d = 0; d < head; d += Tiles.Columns)
                    Tiles.Multiply<TLanes>(rows, seen, ds, stride, 1, keys + d, head, dq + d, row);
            }

            // a key is seen by the queries from its own position on
            for (var j = 0; j < length; j += Tiles.Rows)
            {
                var rows = Math.Min(Tiles.Rows, length - j);
                var corner = (nint)j * stride + j;
                float* dk = dQkv + (nint)j * row + width + at, dv = dk + width;
                for (var d = 0; d < head; d += Tiles.Columns)
                {
                    Tiles.Multiply<TLanes>(rows, length - j, dS + corner, 1, stride, queries + (nint)j * head + d, head, dk + d, row);
                    Tiles.Multiply<TLanes>(rows, length - j, p + corner, 1, stride, dScaled + (nint)j * head + d, head, dv + d, row);
                }
            }
        }
    }

    private static int Padded(int length) => (length + Tiles.Columns - 1) / Tiles.Columns * Tiles.Columns;

    /// <summary>dScaled = r∘dO and delta = dScaled·o, row by row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScaleGradient<TLanes>(float* dO, float* o, nint row, int length, int head, float* inverse, float* dScaled, float* delta)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        for (var i = 0; i < length; i++, dO += row, o += row, dScaled += head)
        {
            var (r, dot) = (TLanes.Broadcast(inverse[i]), TLanes.Zero);
            for (var d = 0; d < head; d += Lanes.Count)
            {
                var scaled = TLanes.Load(dO + d) * r;
                scaled.Store(dScaled + d);
                dot = TLanes.Fma(scaled, TLanes.Load(o + d), dot);
            }

            delta[i] = dot.Sum();
        }
    }

    /// <summary>ds = p · (ds - delta).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ThroughSoftmax<TLanes>(float* ds, float* p, float delta, int count)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        var all = TLanes.Broadcast(delta);
        for (var j = 0; j < count; j += Lanes.Count)
            (TLanes.Load(p + j) * (TLanes.Load(ds + j) - all)).Store(ds + j);
    }

    private static void Gather(float* source, nint row, int length, int head, float* target)
    {
        for (var i = 0; i < length; i++)
            new ReadOnlySpan<float>(source + i * row, head).CopyTo(new(target + (nint)i * head, head));
    }

    /// <summary>Blocks of 32 positions, each [D][32].</summary>
    private static void TransposeBlocks(float* source, nint row, int length, int head, float* target)
    {
        for (var j = 0; j < length; j += Tiles.Columns)
            PackedMatrix.Transpose(Math.Min(Tiles.Columns, length - j), head, source + j * row, row, target + (nint)j * head);
    }
}
