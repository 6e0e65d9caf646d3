using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Transformer.Training;

/// <summary>The decoder over a few whole sequences, forward and backward. One worker uses it at a time.</summary>
/// <remarks>
/// Sequences lie one after another without padding; only attention knows where one ends. A sequence of n tokens has n - 1 rows: row t reads token t and predicts token t + 1.
/// </remarks>
internal abstract unsafe class DecoderPass : IDisposable
{
    /// <summary>A pass at this machine's register width.</summary>
    public static DecoderPass Create(Weights weights, PackedWeights packed, Rope rope) => Lanes.Run(new Creation(weights, packed, rope));

    /// <summary>Loss and gradient of the sequences.</summary>
    /// <param name="sequences">Validated examples.</param>
    /// <param name="scale">What the gradient is multiplied by: 1 / Σ weights of the batch.</param>
    /// <param name="gradient">As long as the weights; overwritten.</param>
    public abstract LossSums ForwardBackward(ReadOnlySpan<TrainingExample> sequences, float scale, float* gradient);

    /// <summary>Loss of the sequences.</summary>
    public abstract LossSums Forward(ReadOnlySpan<TrainingExample> sequences);

    public abstract void Dispose();

    private sealed class Creation(Weights weights, PackedWeights packed, Rope rope) : ILanesWork<DecoderPass>
    {
        public DecoderPass Run<TLanes>()
            where TLanes : unmanaged, ILanes<TLanes> => new DecoderPass<TLanes>(weights, packed, rope);
    }
}

/// <inheritdoc/>
internal sealed unsafe class DecoderPass<TLanes>(Weights weights, PackedWeights packed, Rope rope) : DecoderPass
    where TLanes : unmanaged, ILanes<TLanes>
{
    private readonly ModelShape _shape = weights.Shape;
    private readonly Activations _a = new(weights.Shape);
    private int[] _lengths = [];    // rows of each sequence
    private int[] _tokens = [];     // (T) what each row reads
    private int[] _positions = [];  // (T)
    private int _rows;              // T

    // rows that predict something: R of them
    private int[] _picked = [];
    private int[] _targets = [];
    private float[] _weightOf = [];
    private int _predicting;

    public override LossSums Forward(ReadOnlySpan<TrainingExample> sequences) => Run(sequences, 0, null);

    public override LossSums ForwardBackward(ReadOnlySpan<TrainingExample> sequences, float scale, float* gradient) => Run(sequences, scale, gradient);

    public override void Dispose() => _a.Dispose();

    private LossSums Run(ReadOnlySpan<TrainingExample> sequences, float scale, float* gradient)
    {
        Arrange(sequences);
        _a.LayOut(_lengths.AsSpan(0, sequences.Length), _predicting);
        fixed (float* w = weights.Values)
        {
            var count = sequences.Length;
            Embed(w);
            for (var i = 0; i < _shape.Layers; i++)
                ForwardLayer(w, i, count);
            var losses = ForwardHead(w, scale);
            if (gradient == null)
                return losses;

            new Span<float>(gradient, weights.Values.Length).Clear();
            BackwardHead(w, gradient);
            for (var i = _shape.Layers - 1; i >= 0; i--)
                BackwardLayer(w, gradient, i, count);
            EmbedBack(gradient);
            return losses;
        }
    }

    private void Arrange(ReadOnlySpan<TrainingExample> sequences)
    {
        var rows = 0;
        foreach (var sequence in sequences)
            rows += sequence.Tokens.Length - 1;
        if (_lengths.Length < sequences.Length)
            _lengths = new int[sequences.Length];
        if (_tokens.Length < rows)
        {
            (_tokens, _positions) = (new int[rows], new int[rows]);
            (_picked, _targets, _weightOf) = (new int[rows], new int[rows], new float[rows]);
        }

        (_rows, _predicting) = (0, 0);
        for (var s = 0; s < sequences.Length; s++)
        {
            var (tokens, of) = sequences[s];
            _lengths[s] = tokens.Length - 1;
            for (var t = 0; t < tokens.Length - 1; t++, _rows++)
            {
                (_tokens[_rows], _positions[_rows]) = (tokens[t], t);
                if (of[t + 1] == 0)
                    continue;
                (_picked[_predicting], _targets[_predicting], _weightOf[_predicting]) = (_rows, tokens[t + 1], of[t + 1]);
                _predicting++;
            }
        }
    }

    /// <summary>x = E[token]; tied embeddings are the first tensor of the weights.</summary>
    private void Embed(float* w)
    {
        var width = _shape.Width;
        var x = _a.Layers[0].X;
        for (var t = 0; t < _rows; t++)
            Row(w, _tokens[t], width).CopyTo(Row(x, t, width));
    }

    private void EmbedBack(float* g)
    {
        var width = _shape.Width;
        for (var t = 0; t < _rows; t++)
            Add(_a.DX + (nint)t * width, g + (nint)_tokens[t] * width, width);
    }

    /// <summary>x2 = x + attention(norm(x))·Woᵀ; next x = x2 + swiglu(norm(x2)·Wguᵀ)·Wdᵀ. Residuals are where the chains of a product begin.</summary>
    private void ForwardLayer(float* w, int index, int sequences)
    {
        ref var a = ref _a.Layers[index];
        var layer = packed.Layers[index];
        int T = _rows, C = _shape.Width, F = _shape.Hidden;

        Norm.Forward<TLanes>(a.X, w + layer.AttentionNorm, T, C, _shape.NormEpsilon, a.N1, a.Inverse1);
        Gemm.Multiply<TLanes>(a.N1, T, C, layer.Qkv, a.Qkv, 3 * C);
        for (var t = 0; t < T; t++)
            rope.Turn<TLanes>(a.Qkv + (nint)t * 3 * C, _positions[t]);

        float* qkv = a.Qkv, p = a.P, inverse = a.InverseP, o = a.O;
        foreach (var length in _lengths.AsSpan(0, sequences))
        {
            Attention.Forward<TLanes>(_shape, qkv, length, p, inverse, o, _a.Scratch);
            qkv += (nint)length * 3 * C;
            o += (nint)length * C;
            inverse += (nint)length * _shape.Heads;
            p += Attention.ScoreFloats(_shape, length);
        }

        Copy(a.X, a.X2, (nint)T * C);
        Gemm.Multiply<TLanes>(a.O, T, C, layer.O, a.X2, C, accumulate: true);

        Norm.Forward<TLanes>(a.X2, w + layer.FeedForwardNorm, T, C, _shape.NormEpsilon, a.N2, a.Inverse2);
        Gemm.Multiply<TLanes>(a.N2, T, C, layer.GateUp, a.GateUp, 2 * F);
        SwiGlu.Forward<TLanes>(a.GateUp, T, F, a.Act);
        var next = index + 1 < _shape.Layers ? _a.Layers[index + 1].X : _a.X;
        Copy(a.X2, next, (nint)T * C);
        Gemm.Multiply<TLanes>(a.Act, T, F, layer.Down, next, C, accumulate: true);
    }

    private void BackwardLayer(float* w, float* g, int index, int sequences)
    {
        ref var a = ref _a.Layers[index];
        var layer = packed.Layers[index];
        int T = _rows, C = _shape.Width, F = _shape.Hidden;
        int qkvAt = layer.AttentionNorm + C, oAt = qkvAt + 3 * C * C, gateUpAt = layer.FeedForwardNorm + C, downAt = gateUpAt + 2 * F * C;

        // feed-forward: dx stays as it is for the residual, and goes on through down, swiglu, gate and up, and the norm
        Gemm.AddTransposed<TLanes>(_a.DX, T, C, C, a.Act, F, F, g + downAt, _a.Scratch);
        Gemm.Multiply<TLanes>(_a.DX, T, C, layer.DownBack!, _a.DAct, F);
        SwiGlu.Backward<TLanes>(_a.DAct, a.GateUp, T, F, _a.DGateUp);
        Gemm.AddTransposed<TLanes>(_a.DGateUp, T, 2 * F, 2 * F, a.N2, C, C, g + gateUpAt, _a.Scratch);
        Gemm.Multiply<TLanes>(_a.DGateUp, T, 2 * F, layer.GateUpBack!, _a.DNormed, C);
        Norm.Backward<TLanes>(_a.DNormed, a.X2, w + layer.FeedForwardNorm, a.Inverse2, T, C, _a.DX, g + layer.FeedForwardNorm);

        // attention, the same way
        Gemm.AddTransposed<TLanes>(_a.DX, T, C, C, a.O, C, C, g + oAt, _a.Scratch);
        Gemm.Multiply<TLanes>(_a.DX, T, C, layer.OBack!, _a.DNormed, C);
        float* qkv = a.Qkv, p = a.P, inverse = a.InverseP, o = a.O, dO = _a.DNormed, dQkv = _a.DQkv;
        foreach (var length in _lengths.AsSpan(0, sequences))
        {
            Attention.Backward<TLanes>(_shape, qkv, length, p, inverse, o, dO, dQkv, _a.Scratch);
            qkv += (nint)length * 3 * C;
            dQkv += (nint)length * 3 * C;
            o += (nint)length * C;
            dO += (nint)length * C;
            inverse += (nint)length * _shape.Heads;
            p += Attention.ScoreFloats(_shape, length);
        }

        for (var t = 0; t < T; t++)
            rope.TurnBack<TLanes>(_a.DQkv + (nint)t * 3 * C, _positions[t]);
        Gemm.AddTransposed<TLanes>(_a.DQkv, T, 3 * C, 3 * C, a.N1, C, C, g + qkvAt, _a.Scratch);
        Gemm.Multiply<TLanes>(_a.DQkv, T, 3 * C, layer.QkvBack!, _a.DNormed, C);
        Norm.Backward<TLanes>(_a.DNormed, a.X, w + layer.AttentionNorm, a.Inverse1, T, C, _a.DX, g + layer.AttentionNorm);
    }

    /// <summary>Loss of the rows that predict something; leaves the gradient of their logits, scaled, where the logits were.</summary>
    private LossSums ForwardHead(float* w, float scale)
    {
        int R = _predicting, C = _shape.Width, V = _shape.Vocabulary;
        for (var r = 0; r < R; r++)
            Row(_a.X, _picked[r], C).CopyTo(Row(_a.Picked, r, C));
        Norm.Forward<TLanes>(_a.Picked, w + packed.NormOffset, R, C, _shape.NormEpsilon, _a.N, _a.InverseN);
        if (R > 0)
            Gemm.Multiply<TLanes>(_a.N, R, C, packed.Head, _a.Logits, _a.LogitRow);

        var sums = default(LossSums);
        for (var r = 0; r < R; r++)
        {
            var weight = _weightOf[r];
            var loss = CrossEntropy.ForwardBackward<TLanes>(_a.Logits + (nint)r * _a.LogitRow, V, _a.LogitRow, _targets[r], weight * scale);
            sums += new LossSums(weight * loss, weight, weight >= 1 ? loss : 0, weight >= 1 ? 1 : 0);
        }

        return sums;
    }

    private void BackwardHead(float* w, float* g)
    {
        int R = _predicting, C = _shape.Width, V = _shape.Vocabulary;
        new Span<float>(_a.DX, _rows * C).Clear();
        if (R == 0)
            return;
        Gemm.AddTransposed<TLanes>(_a.Logits, R, _a.LogitRow, V, _a.N, C, C, g, _a.Scratch);
        Gemm.Multiply<TLanes>(_a.Logits, R, _a.LogitRow, packed.HeadBack!, _a.DN, C);
        new Span<float>(_a.DPicked, R * C).Clear();
        Norm.Backward<TLanes>(_a.DN, _a.Picked, w + packed.NormOffset, _a.InverseN, R, C, _a.DPicked, g + packed.NormOffset);
        for (var r = 0; r < R; r++)
            Row(_a.DPicked, r, C).CopyTo(Row(_a.DX, _picked[r], C));
    }

    private static Span<float> Row(float* matrix, int row, int width) => new(matrix + (nint)row * width, width);

    private static void Copy(float* source, float* target, nint count) => Buffer.MemoryCopy(source, target, count * sizeof(float), count * sizeof(float));

    private static void Add(float* source, float* target, int count)
    {
        for (var i = 0; i < count; i += Lanes.Count)
            (TLanes.Load(target + i) + TLanes.Load(source + i)).Store(target + i);
    }
}
