using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Transformer.Decoding;

/// <summary>One step of decoding: new tokens of many sequences through the decoder, their keys and values into the sequences' blocks.</summary>
/// <remarks>The rows of a step share the products with the weights; attention is each sequence's own. One thread uses it at a time.</remarks>
internal abstract class ForwardPass : IDisposable
{
    /// <summary>Tokens that the step still takes.</summary>
    public abstract int Room { get; }

    /// <summary>The sequences of the step, each with the number of its logits, or -1 where its prompt goes on in the next step.</summary>
    public abstract IReadOnlyList<(KvSequence Sequence, int Logits)> Results { get; }

    /// <summary>A step of at most <paramref name="capacity"/> tokens, for the widest registers that there are.</summary>
    public static ForwardPass Create(ModelShape shape, int capacity) => Lanes.Run(new Creation(shape, capacity));

    /// <summary>Begins another step.</summary>
    public abstract void Clear();

    /// <summary>Adds the next tokens of a sequence that are not computed yet. With the last of them it gets logits.</summary>
    public abstract void Add(KvSequence sequence, int tokens, BlockPool pool);

    /// <summary>Computes the step; the sequences' models are these weights or low-rank changes of them. The sequences' <see cref="KvSequence.Computed"/> moves on.</summary>
    public abstract void Run(DecoderWeights model);

    /// <summary>(V) logits by the number in <see cref="Results"/>; valid until the next step.</summary>
    public abstract ReadOnlySpan<float> Logits(int index);

    public abstract void Dispose();

    private sealed record Creation(ModelShape Shape, int Capacity) : ILanesWork<ForwardPass>
    {
        public ForwardPass Run<TLanes>()
            where TLanes : unmanaged, ILanes<TLanes> => new ForwardPass<TLanes>(Shape, Capacity);
    }
}

/// <inheritdoc cref="ForwardPass"/>
internal sealed unsafe class ForwardPass<TLanes> : ForwardPass
    where TLanes : unmanaged, ILanes<TLanes>
{
    private readonly ModelShape _shape;
    private readonly int _capacity;
    private readonly Rope _rope;
    private readonly FloatBuffer _x, _norm, _qkv, _mixed, _gateUp, _hidden, _logits, _scratch;
    private readonly List<Part> _parts = [];
    private readonly List<(KvSequence, int)> _results = [];
    private readonly List<(LowRankChange Change, nint Row, int Rows)> _changes = [];
    private int _rows;
    private int _outputs;

    /// <param name="shape">The models' shape.</param>
    /// <param name="capacity">Most tokens of a step.</param>
    public ForwardPass(ModelShape shape, int capacity)
    {
        (_shape, _capacity) = (shape, capacity);
        _rope = new Rope(shape);
        _x = new((long)capacity * shape.Width);
        _norm = new((long)capacity * shape.Width);
        _qkv = new((long)capacity * 3 * shape.Width);
        _mixed = new((long)capacity * shape.Width);
        _gateUp = new((long)capacity * 2 * shape.Hidden);
        _hidden = new((long)capacity * shape.Hidden);
        _logits = new((long)capacity * shape.Vocabulary);
        _scratch = new(Math.Max(
            Math.Max(CachedAttention.ScratchFloats(shape.Context), shape.Heads * (shape.Context + CachedAttention.BlockPositions)),
            (long)capacity * 3 * shape.Width)); // three ranks of at most the width
    }

    public override int Room => _capacity - _rows;

    public override IReadOnlyList<(KvSequence Sequence, int Logits)> Results => _results;

    public override void Clear()
    {
        _parts.Clear();
        _results.Clear();
        _changes.Clear();
        (_rows, _outputs) = (0, 0);
    }

    public override void Add(KvSequence sequence, int tokens, BlockPool pool)
    {
        sequence.Reserve(sequence.Computed + tokens, pool);
        var whole = tokens == sequence.Pending;
        _parts.Add(new(sequence, sequence.Computed, tokens, _rows, whole));
        _results.Add((sequence, whole ? _outputs++ : -1));
        Change(sequence, _rows, tokens);
        _rows += tokens;
    }

    public override void Run(DecoderWeights model)
    {
        int width = _shape.Width, hidden = _shape.Hidden;
        float* x = _x.Pointer, norm = _norm.Pointer, qkv = _qkv.Pointer, mixed = _mixed.Pointer, gateUp = _gateUp.Pointer, act = _hidden.Pointer;
        foreach (var part in _parts)
            for (var i = 0; i < part.Rows; i++)
                new ReadOnlySpan<float>(model.Embedding(part.Sequence.Tokens[part.Position + i]), width)
                    .CopyTo(new(x + (nint)(part.Row + i) * width, width));
        var rows = _rows;
        for (var i = 0; i < model.Layers.Length; i++)
        {
            var layer = model.Layers[i];
            Norm.Forward<TLanes>(x, model.AttentionNorm(i), rows, width, _shape.NormEpsilon, norm, null);
            Gemm.Multiply<TLanes>(norm, rows, width, layer.Qkv, qkv, 3 * width, accumulate: false);
            foreach (var (change, row, count) in _changes)
                change.Layers[i].Qkv.Add<TLanes>(norm + row * width, count, width, qkv + row * 3 * width, 3 * width, _scratch.Pointer);
            var last = i == model.Layers.Length - 1;
            foreach (var part in _parts)
                Attend(part, i, last);
            if (last)
                rows = KeepOutputs();
            Gemm.Multiply<TLanes>(mixed, rows, width, layer.Out, x, width, accumulate: true);
            foreach (var (change, row, count) in _changes)
                change.Layers[i].Out.Add<TLanes>(mixed + row * width, count, width, x + row * width, width, _scratch.Pointer);
            Norm.Forward<TLanes>(x, model.FeedForwardNorm(i), rows, width, _shape.NormEpsilon, norm, null);
            Gemm.Multiply<TLanes>(norm, rows, width, layer.GateUp, gateUp, 2 * hidden, accumulate: false);
            foreach (var (change, row, count) in _changes)
                change.Layers[i].GateUp.Add<TLanes>(norm + row * width, count, width, gateUp + row * 2 * hidden, 2 * hidden, _scratch.Pointer);
            SwiGlu.Forward<TLanes>(gateUp, rows, hidden, act);
            Gemm.Multiply<TLanes>(act, rows, hidden, layer.Down, x, width, accumulate: true);
            foreach (var (change, row, count) in _changes)
                change.Layers[i].Down.Add<TLanes>(act + row * hidden, count, hidden, x + row * width, width, _scratch.Pointer);
        }
        Norm.Forward<TLanes>(x, model.OutputNorm, rows, width, _shape.NormEpsilon, norm, null);
        Gemm.Multiply<TLanes>(norm, rows, width, model.Head, _logits.Pointer, _shape.Vocabulary, accumulate: false);
        foreach (var part in _parts)
            part.Sequence.Computed += part.Rows;
    }

    public override ReadOnlySpan<float> Logits(int index) =>
        _logits.Span.Slice(index * _shape.Vocabulary, _shape.Vocabulary);

    public override void Dispose()
    {
        _rope.Dispose();
        foreach (var buffer in new[] { _x, _norm, _qkv, _mixed, _gateUp, _hidden, _logits, _scratch })
            buffer.Dispose();
    }

    /// <summary>Stores the keys and values of a sequence's new tokens and lets them attend; in the last layer only what gets logits does.</summary>
    private void Attend(Part part, int layer, bool last)
    {
        const int P = CachedAttention.BlockPositions;
        var (width, row) = (_shape.Width, (nint)3 * _shape.Width);
        var offset = (nint)layer * CachedAttention.BlockFloats(_shape);
        var qkv = _qkv.Pointer + part.Row * row;
        var count = part.Sequence.Blocks.Count;
        var blocks = stackalloc float*[count];
        for (var b = 0; b < count; b++)
            blocks[b] = part.Sequence.Blocks[b].Data + offset;
        for (var i = 0; i < part.Rows; i++)
        {
            var position = part.Position + i;
            _rope.Turn<TLanes>(qkv + i * row, position);
            CachedAttention.Store(_shape, blocks[position / P], position % P, qkv + i * row);
        }
        var from = last ? part.Whole ? part.Rows - 1 : part.Rows : 0;
        while (from < part.Rows)
        {
            var o = _mixed.Pointer + (nint)(part.Row + from) * width;
            var some = Math.Min(Tiles.Rows, part.Rows - from);
            if (some == 1)
                BlockAttention.Attend<TLanes>(qkv + from * row, blocks, part.Position + from + 1, _shape.Heads, _shape.Head, o, _scratch.Pointer);
            else
                CachedAttention.Forward<TLanes>(_shape, qkv + from * row, some, part.Position + from, blocks, o, width, _scratch.Pointer);
            from += some;
        }
    }

    /// <summary>Notes which rows a low-rank change is for; neighbours of one adapter are computed together.</summary>
    private void Change(KvSequence sequence, int row, int rows)
    {
        if (sequence.Request.Model.Change is not { } change)
            return;
        if (_changes is [.., var last] && ReferenceEquals(last.Change, change) && last.Row + last.Rows == row)
            _changes[^1] = last with { Rows = last.Rows + rows };
        else
            _changes.Add((change, row, rows));
    }

    /// <summary>Moves the rows that get logits together: past the last attention nobody needs the others.</summary>
    private int KeepOutputs()
    {
        var width = _shape.Width;
        var to = 0;
        _changes.Clear();
        foreach (var part in _parts)
        {
            if (!part.Whole)
                continue;
            Change(part.Sequence, to, 1);
            var from = part.Row + part.Rows - 1;
            new ReadOnlySpan<float>(_x.Pointer + (nint)from * width, width).CopyTo(new(_x.Pointer + (nint)to * width, width));
            new ReadOnlySpan<float>(_mixed.Pointer + (nint)from * width, width).CopyTo(new(_mixed.Pointer + (nint)to * width, width));
            to++;
        }
        return to;
    }

    /// <summary>Consecutive tokens of one sequence in the step.</summary>
    private readonly record struct Part(KvSequence Sequence, int Position, int Rows, int Row, bool Whole);
}
