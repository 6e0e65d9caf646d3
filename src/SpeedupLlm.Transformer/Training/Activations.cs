using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Transformer.Training;

/// <summary>What the forward pass of one layer leaves for the backward pass. T rows of all sequences one after another.</summary>
internal unsafe struct LayerActivations
{
    public float* X;          // (T, C) what comes in
    public float* Inverse1;   // (T) of the first norm
    public float* N1;         // (T, C) normed
    public float* Qkv;        // (T, 3·C) turned
    public float* P;          // per sequence and head (t, ScoreRow(t)), exponentials of scores
    public float* InverseP;   // per sequence and head (t), one over their sums
    public float* O;          // (T, C) what attention read
    public float* X2;         // (T, C) X + attention
    public float* Inverse2;   // (T) of the second norm
    public float* N2;         // (T, C) normed
    public float* GateUp;     // (T, 2·F)
    public float* Act;        // (T, F) silu(gate) · up
}

/// <summary>Memory of one worker for one slot of sequences: activations, gradients on the way back, scratch. Grows to the largest slot that it met.</summary>
internal sealed unsafe class Activations(ModelShape shape) : IDisposable
{
    private FloatBuffer _memory = new(0);
    private float* _next;

    /// <summary>One of each layer.</summary>
    public LayerActivations[] Layers { get; } = new LayerActivations[shape.Layers];

    public float* X { get; private set; }         // (T, C) what the last layer gives
    public float* Picked { get; private set; }    // (R, C) rows of X that predict something
    public float* InverseN { get; private set; }  // (R) of the last norm
    public float* N { get; private set; }         // (R, C) normed
    public float* Logits { get; private set; }    // (R, V), rows LogitRow apart; then their gradient
    public float* DN { get; private set; }        // (R, C)
    public float* DPicked { get; private set; }   // (R, C)
    public float* DX { get; private set; }        // (T, C) gradient of the residual stream
    public float* DNormed { get; private set; }   // (T, C) gradient of a normed input, or of what attention read
    public float* DQkv { get; private set; }      // (T, 3·C)
    public float* DAct { get; private set; }      // (T, F)
    public float* DGateUp { get; private set; }   // (T, 2·F)
    public float* Scratch { get; private set; }

    /// <summary>Columns from one row of logits to the next.</summary>
    public int LogitRow { get; } = (shape.Vocabulary + 31) / 32 * 32;

    /// <summary>Lays the memory out for sequences of these lengths, of whose rows <paramref name="predicting"/> predict something.</summary>
    public void LayOut(ReadOnlySpan<int> lengths, int predicting)
    {
        long rows = 0, scores = 0, scratch = 0;
        foreach (var length in lengths)
        {
            rows += length;
            scores += Attention.ScoreFloats(shape, length);
            scratch = Math.Max(scratch, Attention.ScratchFloats(shape, length));
        }

        scratch = Math.Max(scratch, Gemm.TransposedScratch((int)rows, Math.Max(shape.Width, shape.Hidden)));
        Assign(null, rows, scores, scratch, predicting);
        var needed = (long)_next / sizeof(float);
        if (needed > _memory.Length)
        {
            _memory.Dispose();
            _memory = new(needed + needed / 8);
        }

        Assign(_memory.Pointer, rows, scores, scratch, predicting);
    }

    public void Dispose() => _memory.Dispose();

    private void Assign(float* start, long rows, long scores, long scratch, int predicting)
    {
        _next = start;
        int width = shape.Width, hidden = shape.Hidden;
        foreach (ref var layer in Layers.AsSpan())
        {
            layer.X = Take(rows * width);
            layer.Inverse1 = Take(rows);
            layer.N1 = Take(rows * width);
            layer.Qkv = Take(rows * 3 * width);
            layer.P = Take(scores);
            layer.InverseP = Take(rows * shape.Heads);
            layer.O = Take(rows * width);
            layer.X2 = Take(rows * width);
            layer.Inverse2 = Take(rows);
            layer.N2 = Take(rows * width);
            layer.GateUp = Take(rows * 2 * hidden);
            layer.Act = Take(rows * hidden);
        }

        X = Take(rows * width);
        Picked = Take(predicting * (long)width);
        InverseN = Take(predicting);
        N = Take(predicting * (long)width);
        Logits = Take(predicting * (long)LogitRow);
        DN = Take(predicting * (long)width);
        DPicked = Take(predicting * (long)width);
        DX = Take(rows * width);
        DNormed = Take(rows * width);
        DQkv = Take(rows * 3 * width);
        DAct = Take(rows * hidden);
        DGateUp = Take(rows * 2 * hidden);
        Scratch = Take(scratch);
    }

    // every array starts on a cache line
    private float* Take(long floats)
    {
        var taken = _next;
        _next += (floats + 15) / 16 * 16;
        return taken;
    }
}
