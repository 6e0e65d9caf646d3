using SpeedupLlm.Compute;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Training;

namespace SpeedupLlm.Transformer.Tests.Training;

/// <summary>Small models and texts.</summary>
internal static class Small
{
    public static ModelShape Shape { get; } = new(37) { Width = 64, Heads = 2, Layers = 2, Hidden = 96, Context = 128 };

    /// <summary>Weights large enough that attention is far from uniform and every gradient far from 0.</summary>
    public static Weights Weights(ModelShape? shape = null, long seed = 1)
    {
        var weights = new Weights(shape ?? Shape);
        var draws = new NormalDraws(StreamKey.Root(seed));
        foreach (var tensor in weights.Tensors)
        {
            var scale = tensor.IsMatrix ? 1.5 / Math.Sqrt(tensor.Columns) : 0.3;
            foreach (ref var value in weights.Span(tensor))
                value = (float)(scale * draws.Next() + (tensor.IsMatrix ? 0 : 1));
        }

        return weights;
    }

    /// <summary>A text of random tokens; weights 0, 0.1, 0.5 and 1 mixed.</summary>
    public static TrainingExample Text(int length, long seed, int vocabulary = 37)
    {
        var draws = new NormalDraws(StreamKey.Root(seed).Child("text"));
        var tokens = new int[length];
        var weights = new float[length];
        for (var t = 0; t < length; t++)
        {
            tokens[t] = draws.NextBelow(vocabulary);
            weights[t] = t == 0 ? 0 : (float[])[0, 0.1f, 0.5f, 1] is var choices ? choices[draws.NextBelow(4)] : 0;
        }

        weights[^1] = 1;
        return new(tokens, weights);
    }
}
