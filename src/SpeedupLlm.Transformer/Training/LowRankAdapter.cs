using System.Runtime.CompilerServices;
using SpeedupLlm.Compute;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Transformer.Training;

/// <summary>Two thin matrices beside one linear layer: W becomes W + alpha/rank · B·A.</summary>
/// <param name="Of">The layer's weight, (out, in).</param>
/// <param name="A">Index of A's first number in <see cref="LowRankAdapter.Values"/>; (rank, in).</param>
/// <param name="B">Index of B's first number; (out, rank).</param>
public sealed record LowRankPair(WeightTensor Of, int A, int B);

/// <summary>A low-rank change of every linear layer (LoRA, arXiv 2106.09685); embeddings and norms stay as they are.</summary>
/// <remarks>The model is small, so an adapter is used by merging it into a copy of the weights, which then runs as fast as they do.</remarks>
public sealed class LowRankAdapter
{
    /// <summary>An adapter that changes nothing yet: B is 0, A normal with deviation 1/√in.</summary>
    /// <param name="shape">Of the model.</param>
    /// <param name="rank">At least 1, at most the width.</param>
    /// <param name="alpha">The change is multiplied by alpha / rank.</param>
    /// <param name="stream">Decides A.</param>
    /// <exception cref="ArgumentException">A size is out of range.</exception>
    public LowRankAdapter(ModelShape shape, int rank, double alpha, StreamKey stream)
        : this(shape, rank, alpha)
    {
        foreach (var pair in Pairs)
        {
            var draws = new NormalDraws(stream.Child(pair.Of.Name));
            var deviation = 1 / Math.Sqrt(pair.Of.Columns);
            foreach (ref var value in Values.AsSpan(pair.A, rank * pair.Of.Columns))
                value = (float)(deviation * draws.Next());
        }
    }

    /// <summary>An adapter of zeros, to be filled.</summary>
    /// <exception cref="ArgumentException">A size is out of range.</exception>
    public LowRankAdapter(ModelShape shape, int rank, double alpha)
    {
        ArgumentNullException.ThrowIfNull(shape);
        if (rank < 1 || rank > shape.Width)
            throw new ArgumentException(FormattableString.Invariant($"A low-rank adapter of rank {rank}; it takes 1 to {shape.Width}."));
        if (!(alpha > 0 && double.IsFinite(alpha)))
            throw new ArgumentException(FormattableString.Invariant($"A low-rank adapter with alpha {alpha:R}; it must be finite and above 0."));
        (Shape, Rank, Alpha) = (shape, rank, alpha);
        var length = 0;
        int Place(int count)
        {
            var at = length;
            length += (count + Lanes.Count - 1) / Lanes.Count * Lanes.Count;
            return at;
        }

        Pairs = [.. new Weights(shape).Tensors.Where(t => t.Name.EndsWith("_proj.weight", StringComparison.Ordinal)).Select(t => new LowRankPair(t, Place(rank * t.Columns), Place(t.Rows * rank)))];
        Values = GC.AllocateArray<float>(length, pinned: true);
    }

    /// <summary>The sizes of the model it belongs to.</summary>
    public ModelShape Shape { get; }

    /// <summary>r.</summary>
    public int Rank { get; }

    /// <summary>The change is multiplied by alpha / rank.</summary>
    public double Alpha { get; }

    /// <summary>Where A and B of each linear layer lie.</summary>
    public IReadOnlyList<LowRankPair> Pairs { get; }

    /// <summary>All A and B, each starting at a multiple of 16; zeros between them.</summary>
    public float[] Values { get; }

    /// <summary>A copy of the weights with the change in them.</summary>
    /// <exception cref="ArgumentException">The weights are of another shape.</exception>
    public Weights Merge(Weights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        if (weights.Shape != Shape)
            throw new ArgumentException("The low-rank adapter belongs to a model of another shape.");
        var merged = weights.Clone();
        Merge(weights, merged);
        return merged;
    }

    /// <summary>merged = weights + alpha/rank · B·A in every linear layer.</summary>
    internal void Merge(Weights weights, Weights merged) => Lanes.Run(new Merging(this, weights, merged));

    /// <summary>The gradient of A and B from that of the merged weights: dA = alpha/rank · Bᵀ·dW, dB = alpha/rank · dW·Aᵀ.</summary>
    /// <param name="dWeights">As long as the weights.</param>
    /// <param name="gradient">As long as <see cref="Values"/>; overwritten.</param>
    /// <returns>Its squared length.</returns>
    internal unsafe double Gradient(float* dWeights, float[] gradient) => Lanes.Run(new Projection(this, dWeights, gradient));

    private sealed unsafe class Merging(LowRankAdapter adapter, Weights weights, Weights merged) : ILanesWork<bool>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public bool Run<TLanes>()
            where TLanes : unmanaged, ILanes<TLanes>
        {
            var (rank, scale) = (adapter.Rank, (float)(adapter.Alpha / adapter.Rank));
            fixed (float* values = adapter.Values, source = weights.Values, target = merged.Values)
            {
                foreach (var (of, a, b) in adapter.Pairs)
                {
                    for (var o = 0; o < of.Rows; o++)
                    {
                        var at = of.Offset + o * of.Columns;
                        for (var i = 0; i < of.Columns; i += Lanes.Count)
                        {
                            var sum = TLanes.Zero;
                            for (var r = 0; r < rank; r++)
                                sum = TLanes.Fma(TLanes.Broadcast(values[b + o * rank + r]), TLanes.Load(values + a + r * of.Columns + i), sum);
                            TLanes.Fma(sum, TLanes.Broadcast(scale), TLanes.Load(source + at + i)).Store(target + at + i);
                        }
                    }
                }
            }

            return true;
        }
    }

    private sealed unsafe class Projection(LowRankAdapter adapter, float* dWeights, float[] gradient) : ILanesWork<double>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public double Run<TLanes>()
            where TLanes : unmanaged, ILanes<TLanes>
        {
            var (rank, scale, squares) = (adapter.Rank, (float)(adapter.Alpha / adapter.Rank), 0.0);
            Array.Clear(gradient);
            fixed (float* values = adapter.Values, g = gradient)
            {
                foreach (var (of, a, b) in adapter.Pairs)
                {
                    for (var o = 0; o < of.Rows; o++)
                    {
                        var dw = dWeights + of.Offset + o * of.Columns;
                        for (var r = 0; r < rank; r++)
                        {
                            float* from = values + a + r * of.Columns, dA = g + a + r * of.Columns;
                            var (towardA, towardB) = (TLanes.Broadcast(scale * values[b + o * rank + r]), TLanes.Zero);
                            for (var i = 0; i < of.Columns; i += Lanes.Count)
                            {
                                var d = TLanes.Load(dw + i);
                                TLanes.Fma(towardA, d, TLanes.Load(dA + i)).Store(dA + i);
                                towardB = TLanes.Fma(d, TLanes.Load(from + i), towardB);
                            }

                            g[b + o * rank + r] = scale * towardB.Sum();
                        }
                    }
                }
            }

            foreach (var value in gradient)
                squares += (double)value * value;
            return squares;
        }
    }
}
