using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Transformer.Training;

/// <summary>Training of all weights: AdamW's moments, and a step from a batch's gradient.</summary>
internal sealed unsafe class FullUpdate(Weights weights, BatchGradient gradient)
{
    /// <summary>m of every weight.</summary>
    public float[] First { get; } = GC.AllocateArray<float>(weights.Values.Length, pinned: true);

    /// <summary>v of every weight.</summary>
    public float[] Second { get; } = GC.AllocateArray<float>(weights.Values.Length, pinned: true);

    /// <summary>Steps made.</summary>
    public long Steps { get; set; }

    /// <summary>One step along the gradient of the last batch, clipped to a norm; then the weights are packed anew.</summary>
    /// <remarks>A gradient that is not finite is left out, so that one bad batch cannot destroy the weights.</remarks>
    /// <returns>The gradient's norm before clipping.</returns>
    public double Step(double rate, TrainingRecipe recipe)
    {
        var norm = Math.Sqrt(gradient.SquaredNorm);
        if (!double.IsFinite(norm))
            return norm;
        Steps++;
        var clip = Math.Min(1, recipe.Clip / (norm + 1e-6));
        gradient.ForEachChunk(chunk => Lanes.Run(new Update(
            this, weights, gradient, chunk, new(rate, clip, chunk.IsMatrix ? recipe.WeightDecay : 0, recipe.Beta1, recipe.Beta2, recipe.Epsilon, Steps))));
        gradient.Repack();
        return norm;
    }

    private sealed class Update(FullUpdate of, Weights weights, BatchGradient gradient, Chunk chunk, AdamWStep step) : ILanesWork<bool>
    {
        public bool Run<TLanes>()
            where TLanes : unmanaged, ILanes<TLanes>
        {
            fixed (float* w = weights.Values, m = of.First, v = of.Second)
                AdamW.Update<TLanes>(w + chunk.Offset, m + chunk.Offset, v + chunk.Offset, gradient.Gradient + chunk.Offset, chunk.Count, step);
            return true;
        }
    }
}
