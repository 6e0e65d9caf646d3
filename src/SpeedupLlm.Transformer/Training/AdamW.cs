using System.Runtime.CompilerServices;
using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Transformer.Training;

/// <summary>What one step of AdamW (arXiv 1711.05101) does to every weight.</summary>
/// <param name="Rate">Learning rate of this step.</param>
/// <param name="Scale">What the gradient is multiplied by first: below 1 where its norm was clipped.</param>
/// <param name="Decay">Decoupled weight decay, a step's share being Rate · Decay.</param>
/// <param name="Beta1">β₁, the decay of the first moment.</param>
/// <param name="Beta2">β₂, the decay of the second moment.</param>
/// <param name="Epsilon">ε.</param>
/// <param name="Step">1 for the first step.</param>
internal readonly record struct AdamWStep(double Rate, double Scale, double Decay, double Beta1, double Beta2, double Epsilon, long Step);

/// <summary>AdamW, and the sums of gradients that come before it, over a range of numbers.</summary>
internal static unsafe class AdamW
{
    /// <summary>w, m, v after a step, as PyTorch's AdamW has it. Every number on its own: any split gives the same bits.</summary>
    /// <remarks>w -= rate·decay·w; m = β₁m + (1-β₁)g; v = β₂v + (1-β₂)g²; w -= rate/(1-β₁ᵗ) · m / (√v/√(1-β₂ᵗ) + ε). The count is a multiple of 16.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Update<TLanes>(float* w, float* m, float* v, float* g, int count, in AdamWStep step)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        var keep = TLanes.Broadcast((float)(1 - step.Rate * step.Decay));
        var (scale, epsilon) = (TLanes.Broadcast((float)step.Scale), TLanes.Broadcast((float)step.Epsilon));
        var (beta1, rest1) = (TLanes.Broadcast((float)step.Beta1), TLanes.Broadcast((float)(1 - step.Beta1)));
        var (beta2, rest2) = (TLanes.Broadcast((float)step.Beta2), TLanes.Broadcast((float)(1 - step.Beta2)));
        var move = TLanes.Broadcast((float)(-step.Rate / (1 - Math.Pow(step.Beta1, step.Step))));
        var unbias = TLanes.Broadcast((float)(1 / Math.Sqrt(1 - Math.Pow(step.Beta2, step.Step))));
        for (var i = 0; i < count; i += Lanes.Count)
        {
            var gradient = TLanes.Load(g + i) * scale;
            var first = TLanes.Fma(TLanes.Load(m + i), beta1, gradient * rest1);
            var second = TLanes.Fma(TLanes.Load(v + i), beta2, gradient * gradient * rest2);
            first.Store(m + i);
            second.Store(v + i);
            TLanes.Fma(first / TLanes.Fma(TLanes.Sqrt(second), unbias, epsilon), move, TLanes.Load(w + i) * keep).Store(w + i);
        }
    }

    /// <summary>sum[i] += others[0][i], then others[1][i], …; returns Σ sum[i]². The count is a multiple of 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double AddUp<TLanes>(float* sum, float** others, int otherCount, int count)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        var squares = TLanes.Zero;
        for (var i = 0; i < count; i += Lanes.Count)
        {
            var total = TLanes.Load(sum + i);
            for (var o = 0; o < otherCount; o++)
                total += TLanes.Load(others[o] + i);
            total.Store(sum + i);
            squares = TLanes.Fma(total, total, squares);
        }

        return squares.Sum();
    }
}
