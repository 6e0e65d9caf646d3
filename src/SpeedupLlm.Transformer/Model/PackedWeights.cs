using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Transformer.Model;

/// <summary>The matrices of a decoder, packed for <see cref="Gemm"/>: for x·Wᵀ, and for training also for dY·W.</summary>
/// <remarks>A copy of the weights at the time of <see cref="Fill()"/>. Safe for concurrent reading.</remarks>
internal sealed unsafe class PackedWeights : IDisposable
{
    private readonly Weights _weights;
    private readonly List<(PackedMatrix Matrix, int Offset, bool Transposed)> _jobs = [];

    public PackedWeights(Weights weights, bool forTraining)
    {
        _weights = weights;
        var shape = weights.Shape;
        (Head, HeadBack) = Both("model.embed_tokens.weight", shape.Vocabulary, shape.Width, forTraining);
        Layers = new Layer[shape.Layers];
        for (var i = 0; i < shape.Layers; i++)
        {
            var name = FormattableString.Invariant($"model.layers.{i}.");
            var (qkv, qkvBack) = Both(name + "self_attn.q_proj.weight", 3 * shape.Width, shape.Width, forTraining);
            var (o, oBack) = Both(name + "self_attn.o_proj.weight", shape.Width, shape.Width, forTraining);
            var (gateUp, gateUpBack) = Both(name + "mlp.gate_proj.weight", 2 * shape.Hidden, shape.Width, forTraining);
            var (down, downBack) = Both(name + "mlp.down_proj.weight", shape.Width, shape.Hidden, forTraining);
            Layers[i] = new(
                weights.Tensor(name + "input_layernorm.weight").Offset, weights.Tensor(name + "post_attention_layernorm.weight").Offset,
                qkv, o, gateUp, down, qkvBack, oBack, gateUpBack, downBack);
        }

        NormOffset = weights.Tensor("model.norm.weight").Offset;
    }

    public Layer[] Layers { get; }

    /// <summary>x → logits.</summary>
    public PackedMatrix Head { get; }

    /// <summary>dLogits → dx; null unless for training.</summary>
    public PackedMatrix? HeadBack { get; }

    /// <summary>Where the last norm lies in the weights.</summary>
    public int NormOffset { get; }

    /// <summary>How many matrices there are to fill.</summary>
    public int Jobs => _jobs.Count;

    /// <summary>Packs all matrices from the weights.</summary>
    public PackedWeights Fill()
    {
        for (var i = 0; i < Jobs; i++)
            Fill(i);
        return this;
    }

    /// <summary>Packs matrix <paramref name="job"/>; different ones may be packed at once.</summary>
    public void Fill(int job)
    {
        var (matrix, offset, transposed) = _jobs[job];
        fixed (float* values = _weights.Values)
        {
            if (transposed)
                matrix.FillTransposed(values + offset);
            else
                matrix.Fill(values + offset);
        }
    }

    public void Dispose()
    {
        foreach (var (matrix, _, _) in _jobs)
            matrix.Dispose();
    }

    private (PackedMatrix Forward, PackedMatrix? Back) Both(string first, int rows, int columns, bool forTraining)
    {
        var offset = _weights.Tensor(first).Offset;
        var forward = new PackedMatrix(columns, rows);
        _jobs.Add((forward, offset, true));
        if (!forTraining)
            return (forward, null);
        var back = new PackedMatrix(rows, columns);
        _jobs.Add((back, offset, false));
        return (forward, back);
    }

    /// <summary>One layer: offsets of its norms in the weights, its matrices, and those for the way back.</summary>
    public sealed record Layer(
        int AttentionNorm, int FeedForwardNorm,
        PackedMatrix Qkv, PackedMatrix O, PackedMatrix GateUp, PackedMatrix Down,
        PackedMatrix? QkvBack, PackedMatrix? OBack, PackedMatrix? GateUpBack, PackedMatrix? DownBack);
}
