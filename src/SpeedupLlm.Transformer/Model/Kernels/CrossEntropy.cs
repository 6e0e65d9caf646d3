namespace SpeedupLlm.Transformer.Model.Kernels;

/// <summary>Weighted cross-entropy of one row of logits.</summary>
internal static unsafe class CrossEntropy
{
    /// <summary>Replaces the logits by weight · (softmax - one-hot of the target), 0 beyond the vocabulary, and returns -log p(target).</summary>
    /// <remarks>The row has room for padded numbers, the vocabulary rounded up to a multiple of 16.</remarks>
    public static double ForwardBackward<TLanes>(float* logits, int vocabulary, int padded, int target, float weight)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        double logit = logits[target];
        var (inverse, maximum) = Softmax.Exponentials<TLanes>(logits, vocabulary, padded);
        Softmax.Scale<TLanes>(logits, padded, inverse * weight);
        logits[target] -= weight;
        return maximum - logit - Math.Log(inverse);
    }
}
