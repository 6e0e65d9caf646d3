using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Transformer.Training;

/// <summary>A run of numbers inside one tensor: the unit in which weights are updated.</summary>
internal readonly record struct Chunk(int Offset, int Count, bool IsMatrix);

/// <summary>Loss and gradient of batches of texts, by a team of workers. The bits do not depend on how many they are.</summary>
/// <remarks>A batch is cut into slots by the lengths of its texts alone; each slot has its own gradient, and those are added in the order of slots.</remarks>
internal sealed unsafe class BatchGradient : IDisposable
{
    private const int ChunkFloats = 16384;

    private readonly Weights _weights;
    private readonly Workers _workers;
    private readonly Rope _rope;
    private readonly PackedWeights _packed;
    private readonly DecoderPass[] _passes;
    private readonly Chunk[] _chunks;
    private readonly double[] _squares;
    private readonly List<FloatBuffer> _gradients = [];
    private readonly int _slotTokens;

    public BatchGradient(Weights weights, Workers workers, int slotTokens)
    {
        (_weights, _workers, _slotTokens) = (weights, workers, slotTokens);
        _rope = new(weights.Shape);
        _packed = new(weights, forTraining: true);
        _passes = [.. Enumerable.Range(0, workers.Count).Select(_ => DecoderPass.Create(weights, _packed, _rope))];
        _chunks = [.. Cut(weights)];
        _squares = new double[_chunks.Length];
        Repack();
    }

    /// <summary>The weights in the pieces in which they are updated.</summary>
    public ReadOnlySpan<Chunk> Chunks => _chunks;

    /// <summary>The gradient of the last batch, as long as the weights.</summary>
    public float* Gradient => _gradients[0].Pointer;

    /// <summary>Its squared length.</summary>
    public double SquaredNorm { get; private set; }

    /// <summary>Gradient of the weighted mean loss of the texts.</summary>
    /// <param name="batch">Validated; if all its weights are 0, so is the gradient.</param>
    public LossSums Compute(IReadOnlyList<TrainingExample> batch)
    {
        var slots = Slots(batch, _slotTokens);
        while (_gradients.Count < slots.Length)
            _gradients.Add(new(_weights.Values.Length));
        var weight = batch.Sum(example => example.Weights.Sum(w => (double)w));
        var scale = weight > 0 ? (float)(1 / weight) : 0;
        var losses = new LossSums[slots.Length];
        _workers.ForEach(slots.Length, (worker, slot) => losses[slot] = _passes[worker].ForwardBackward(slots[slot], scale, _gradients[slot].Pointer));
        _workers.ForEach(_chunks.Length, (_, chunk) => AddSlots(slots.Length, chunk));

        SquaredNorm = 0;
        foreach (var square in _squares)
            SquaredNorm += square;
        return Sum(losses);
    }

    /// <summary>Loss of the texts, without a gradient.</summary>
    public LossSums Evaluate(IReadOnlyList<TrainingExample> batch)
    {
        var slots = Slots(batch, _slotTokens);
        var losses = new LossSums[slots.Length];
        _workers.ForEach(slots.Length, (worker, slot) => losses[slot] = _passes[worker].Forward(slots[slot]));
        return Sum(losses);
    }

    /// <summary>Takes over what was written to the weights.</summary>
    public void Repack() => _workers.ForEach(_packed.Jobs, (_, job) => _packed.Fill(job));

    /// <summary>Calls update(chunk) once for each chunk, on all workers.</summary>
    public void ForEachChunk(Action<Chunk> update) => _workers.ForEach(_chunks.Length, (_, chunk) => update(_chunks[chunk]));

    public void Dispose()
    {
        foreach (var pass in _passes)
            pass.Dispose();
        foreach (var gradient in _gradients)
            gradient.Dispose();
        _packed.Dispose();
        _rope.Dispose();
    }

    /// <summary>Slots of nearly equal size: the longest texts first, each to the slot that is emptiest so far.</summary>
    internal static TrainingExample[][] Slots(IReadOnlyList<TrainingExample> batch, int slotTokens)
    {
        var tokens = batch.Sum(example => example.Tokens.Length);
        var slots = Enumerable.Range(0, Math.Clamp((tokens + slotTokens / 2) / slotTokens, 1, batch.Count)).Select(_ => new List<TrainingExample>()).ToArray();
        var sizes = new int[slots.Length];
        foreach (var example in batch.OrderByDescending(example => example.Tokens.Length))
        {
            var emptiest = Array.IndexOf(sizes, sizes.Min());
            slots[emptiest].Add(example);
            sizes[emptiest] += example.Tokens.Length;
        }

        return [.. slots.Select(slot => slot.ToArray())];
    }

    private static IEnumerable<Chunk> Cut(Weights weights)
    {
        foreach (var tensor in weights.Tensors)
            for (var at = 0; at < tensor.Length; at += ChunkFloats)
                yield return new(tensor.Offset + at, Math.Min(ChunkFloats, tensor.Length - at), tensor.IsMatrix);
    }

    private static LossSums Sum(LossSums[] losses) => losses.Aggregate(default(LossSums), (sum, loss) => sum + loss);

    private void AddSlots(int slots, int index)
    {
        var chunk = _chunks[index];
        var others = stackalloc float*[slots];
        for (var s = 1; s < slots; s++)
            others[s - 1] = _gradients[s].Pointer + chunk.Offset;
        _squares[index] = Lanes.Run(new Addition(_gradients[0].Pointer + chunk.Offset, others, slots - 1, chunk.Count));
    }

    private sealed class Addition(float* sum, float** others, int otherCount, int count) : ILanesWork<double>
    {
        public double Run<TLanes>()
            where TLanes : unmanaged, ILanes<TLanes> => AdamW.AddUp<TLanes>(sum, others, otherCount, count);
    }
}
