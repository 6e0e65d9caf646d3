using SpeedupLlm.Transformer.Model.Kernels;
using SpeedupLlm.Transformer.Training;

namespace SpeedupLlm.Transformer.Decoding;

/// <summary>A low-rank adapter, packed to be added to what the model's own matrices give: y += (alpha/rank·B)·(A·x).</summary>
/// <remarks>So sequences of different adapters share the products with the model (as Punica, arXiv:2310.18547). The chain of each output goes on where the model's ended.</remarks>
internal sealed unsafe class LowRankChange
{
    public LowRankChange(LowRankAdapter adapter)
    {
        Rank = adapter.Rank;
        var perLayer = adapter.Pairs.Count / adapter.Shape.Layers;
        Layers = [.. adapter.Pairs.Chunk(perLayer).Select(pairs => new Layer(
            Pack(adapter, pairs, ".q_proj.", ".k_proj.", ".v_proj."),
            Pack(adapter, pairs, ".o_proj."),
            Pack(adapter, pairs, ".gate_proj.", ".up_proj."),
            Pack(adapter, pairs, ".down_proj.")))];
    }

    public int Rank { get; }

    public Layer[] Layers { get; }

    /// <summary>The changes of matrices that read the same x and write side by side: their A as one.</summary>
    private static Part Pack(LowRankAdapter adapter, LowRankPair[] layer, params ReadOnlySpan<string> names)
    {
        var rank = adapter.Rank;
        var scale = (float)(adapter.Alpha / rank);
        var pairs = new List<LowRankPair>();
        foreach (var name in names)
            pairs.Add(layer.Single(p => p.Of.Name.Contains(name, StringComparison.Ordinal)));
        var columns = pairs[0].Of.Columns;
        var a = new float[pairs.Count * rank * columns];
        for (var i = 0; i < pairs.Count; i++)
            adapter.Values.AsSpan(pairs[i].A, rank * columns).CopyTo(a.AsSpan(i * rank * columns));
        return new(Packed(a, columns, pairs.Count * rank), [.. pairs.Select(p =>
            Packed([.. adapter.Values.AsSpan(p.B, p.Of.Rows * rank).ToArray().Select(b => scale * b)], rank, p.Of.Rows))]);
    }

    private static PackedMatrix Packed(float[] values, int steps, int columns)
    {
        fixed (float* w = values)
            return new PackedMatrix(steps, columns).FillTransposed(w);
    }

    /// <summary>The changes of one layer.</summary>
    public sealed record Layer(Part Qkv, Part Out, Part GateUp, Part Down);

    /// <summary>A of adjacent matrices as one (C, n·rank), and the B of each.</summary>
    public sealed record Part(PackedMatrix A, PackedMatrix[] B)
    {
        /// <summary>Adds the change of x (rows, K) to y (rows, N), where the matrices' outputs lie side by side; scratch takes rows · n · rank floats.</summary>
        public void Add<TLanes>(float* x, int rows, nint xRow, float* y, nint yRow, float* scratch)
            where TLanes : unmanaged, ILanes<TLanes>
        {
            var row = A.Columns;
            Gemm.Multiply<TLanes>(x, rows, xRow, A, scratch, row, accumulate: false);
            foreach (var b in B)
            {
                Gemm.Multiply<TLanes>(scratch, rows, row, b, y, yRow, accumulate: true);
                scratch += b.Steps;
                y += b.Columns;
            }
        }
    }
}
