using SpeedupLlm.Compute;

namespace SpeedupLlm.Transformer.Model;

/// <summary>Where one named tensor lies in <see cref="Weights.Values"/>.</summary>
/// <param name="Name">Its name in Hugging Face's Llama checkpoints.</param>
/// <param name="Offset">Index of its first number.</param>
/// <param name="Rows">Outputs of a matrix, or 1 for a vector.</param>
/// <param name="Columns">Inputs of a matrix, or the length of a vector.</param>
/// <param name="IsMatrix">Whether it has two dimensions, stored (out, in) row by row as in PyTorch.</param>
public sealed record WeightTensor(string Name, int Offset, int Rows, int Columns, bool IsMatrix)
{
    /// <summary>How many numbers it has.</summary>
    public int Length => Rows * Columns;
}

/// <summary>All weights of a decoder in one array, named as in Hugging Face's Llama checkpoints, with tied embeddings (no <c>lm_head</c>).</summary>
/// <remarks>
/// q, k and v of a layer lie side by side, and so do gate and up: each group is one (3·C, C) or (2·F, C) matrix.
/// The array is pinned. Not thread-safe while it is written.
/// </remarks>
public sealed class Weights
{
    private readonly Dictionary<string, WeightTensor> _byName;

    /// <summary>Zeros of a shape.</summary>
    /// <exception cref="ArgumentException">The shape is not valid.</exception>
    public Weights(ModelShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        Shape = shape.Validated();
        Tensors = Layout(shape);
        _byName = Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        Values = GC.AllocateArray<float>((int)shape.Parameters, pinned: true);
    }

    /// <summary>The sizes.</summary>
    public ModelShape Shape { get; }

    /// <summary>Every number, in the order of <see cref="Tensors"/>.</summary>
    public float[] Values { get; }

    /// <summary>The tensors in the order in which they lie in <see cref="Values"/>, without gaps.</summary>
    public IReadOnlyList<WeightTensor> Tensors { get; }

    /// <summary>The numbers of one tensor; writing to them writes the weights.</summary>
    /// <exception cref="KeyNotFoundException">No tensor has that name.</exception>
    public Span<float> this[string name] => Span(Tensor(name));

    /// <summary>The tensor of that name.</summary>
    /// <exception cref="KeyNotFoundException">No tensor has that name.</exception>
    public WeightTensor Tensor(string name) =>
        _byName.TryGetValue(name, out var tensor) ? tensor : throw new KeyNotFoundException($"The model has no tensor named '{name}'.");

    /// <summary>The numbers of one tensor of this shape.</summary>
    public Span<float> Span(WeightTensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return Values.AsSpan(tensor.Offset, tensor.Length);
    }

    /// <summary>A copy that shares nothing.</summary>
    public Weights Clone()
    {
        var copy = new Weights(Shape);
        Values.CopyTo(copy.Values, 0);
        return copy;
    }

    /// <summary>Random weights to train from: normal with deviation 0.02, and 0.02 / √(2·layers) for what writes to the residual stream (o, down); norms are 1.</summary>
    /// <remarks>Each tensor has a stream of its own, named after it.</remarks>
    public static Weights Initial(ModelShape shape, StreamKey stream)
    {
        var weights = new Weights(shape);
        foreach (var tensor in weights.Tensors)
        {
            var values = weights.Span(tensor);
            if (!tensor.IsMatrix)
            {
                values.Fill(1);
                continue;
            }

            var residual = tensor.Name.EndsWith(".o_proj.weight", StringComparison.Ordinal) || tensor.Name.EndsWith(".down_proj.weight", StringComparison.Ordinal);
            var deviation = residual ? 0.02 / Math.Sqrt(2 * shape.Layers) : 0.02;
            var draws = new NormalDraws(stream.Child(tensor.Name));
            foreach (ref var value in values)
                value = (float)(deviation * draws.Next());
        }

        return weights;
    }

    private static List<WeightTensor> Layout(ModelShape shape)
    {
        var tensors = new List<WeightTensor>();
        var offset = 0;
        void Matrix(string name, int rows, int columns) => Add(name, rows, columns, true);
        void Vector(string name) => Add(name, 1, shape.Width, false);
        void Add(string name, int rows, int columns, bool isMatrix)
        {
            tensors.Add(new(name, offset, rows, columns, isMatrix));
            offset += rows * columns;
        }

        Matrix("model.embed_tokens.weight", shape.Vocabulary, shape.Width);
        for (var i = 0; i < shape.Layers; i++)
        {
            var layer = FormattableString.Invariant($"model.layers.{i}.");
            Vector(layer + "input_layernorm.weight");
            Matrix(layer + "self_attn.q_proj.weight", shape.Width, shape.Width);
            Matrix(layer + "self_attn.k_proj.weight", shape.Width, shape.Width);
            Matrix(layer + "self_attn.v_proj.weight", shape.Width, shape.Width);
            Matrix(layer + "self_attn.o_proj.weight", shape.Width, shape.Width);
            Vector(layer + "post_attention_layernorm.weight");
            Matrix(layer + "mlp.gate_proj.weight", shape.Hidden, shape.Width);
            Matrix(layer + "mlp.up_proj.weight", shape.Hidden, shape.Width);
            Matrix(layer + "mlp.down_proj.weight", shape.Width, shape.Hidden);
        }

        Vector("model.norm.weight");
        return tensors;
    }
}
