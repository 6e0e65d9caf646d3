using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Model.Kernels;
using SpeedupLlm.Transformer.Training;

namespace SpeedupLlm.Transformer.Decoding;

/// <summary>A snapshot of weights, packed for decoding: a model's, or another's with a low-rank change beside them. Immutable, thread-safe.</summary>
/// <remarks>Weights of their own are about as large as the model; with a low-rank change only that is, and sequences of many such changes share the products with the model.</remarks>
public sealed unsafe class DecoderWeights
{
    private static long s_last;
    private readonly FloatBuffer _vectors; // embeddings, the two norms of each layer, the last norm

    /// <summary>Packs a copy.</summary>
    public DecoderWeights(Weights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        (Shape, Base) = (weights.Shape, this);
        var (width, hidden) = (Shape.Width, Shape.Hidden);
        _vectors = new((long)(Shape.Vocabulary + 2 * Shape.Layers + 1) * width);
        weights["model.embed_tokens.weight"].CopyTo(_vectors.Span);
        weights["model.norm.weight"].CopyTo(new(OutputNorm, width));
        Layers = new Layer[Shape.Layers];
        fixed (float* values = weights.Values)
        {
            Head = new PackedMatrix(width, Shape.Vocabulary).FillTransposed(values + weights.Tensor("model.embed_tokens.weight").Offset);
            for (var i = 0; i < Layers.Length; i++)
            {
                var name = FormattableString.Invariant($"model.layers.{i}.");
                weights[name + "input_layernorm.weight"].CopyTo(new(AttentionNorm(i), width));
                weights[name + "post_attention_layernorm.weight"].CopyTo(new(FeedForwardNorm(i), width));
                Layers[i] = new(
                    new PackedMatrix(width, 3 * width).FillTransposed(values + weights.Tensor(name + "self_attn.q_proj.weight").Offset), // k, v follow
                    new PackedMatrix(width, width).FillTransposed(values + weights.Tensor(name + "self_attn.o_proj.weight").Offset),
                    new PackedMatrix(width, 2 * hidden).FillTransposed(values + weights.Tensor(name + "mlp.gate_proj.weight").Offset), // up follows
                    new PackedMatrix(hidden, width).FillTransposed(values + weights.Tensor(name + "mlp.down_proj.weight").Offset));
            }
        }
    }

    /// <summary>A model with a low-rank change (LoRA, arXiv:2106.09685), computed beside its products as y = W·x + B·(A·x).</summary>
    /// <exception cref="ArgumentException">The change belongs to a model of another shape.</exception>
    public DecoderWeights(DecoderWeights model, LowRankAdapter change)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(change);
        if (change.Shape != model.Shape)
            throw new ArgumentException("The low-rank adapter belongs to a model of another shape.", nameof(change));
        (Shape, Base) = (model.Shape, model.Base);
        (_vectors, Layers, Head) = (model._vectors, model.Layers, model.Head);
        Change = new(change);
    }

    /// <summary>The sizes.</summary>
    public ModelShape Shape { get; }

    /// <summary>A negative number that no other instance in this process has.</summary>
    internal long Identity { get; } = Interlocked.Decrement(ref s_last);

    /// <summary>The weights whose products it shares: its own, or those that it changes.</summary>
    internal DecoderWeights Base { get; }

    /// <summary>The low-rank change, or null.</summary>
    internal LowRankChange? Change { get; }

    internal Layer[] Layers { get; }

    internal PackedMatrix Head { get; }

    internal float* Embedding(int token) => _vectors.Pointer + (nint)token * Shape.Width;

    internal float* AttentionNorm(int layer) => Embedding(Shape.Vocabulary + 2 * layer);

    internal float* FeedForwardNorm(int layer) => Embedding(Shape.Vocabulary + 2 * layer + 1);

    internal float* OutputNorm => Embedding(Shape.Vocabulary + 2 * Shape.Layers);

    internal sealed record Layer(PackedMatrix Qkv, PackedMatrix Out, PackedMatrix GateUp, PackedMatrix Down);
}
