namespace SpeedupLlm.Transformer.Training;

/// <summary>One text to learn from.</summary>
/// <param name="Tokens">Token ids; at least two.</param>
/// <param name="Weights">How much it counts to predict each token from those before it; as long as <paramref name="Tokens"/>, finite, ≥ 0. The first is not predicted: its weight is 0.</param>
public sealed record TrainingExample(int[] Tokens, float[] Weights)
{
    /// <summary>Throws unless a model with this vocabulary and context can learn from it.</summary>
    /// <returns>This example.</returns>
    /// <exception cref="ArgumentException">The message says which number is out of range, and where.</exception>
    internal TrainingExample Validated(Model.ModelShape shape)
    {
        if (Tokens.Length != Weights.Length)
            throw new ArgumentException(FormattableString.Invariant($"A training example has {Tokens.Length} tokens and {Weights.Length} weights; it takes one weight a token."));
        if (Tokens.Length < 2 || Tokens.Length > shape.Context + 1)
            throw new ArgumentException(FormattableString.Invariant($"A training example has {Tokens.Length} tokens; it takes 2 to {shape.Context + 1}."));
        if (Weights[0] != 0)
            throw new ArgumentException(FormattableString.Invariant($"The first weight of a training example is {Weights[0]:R}; the first token is not predicted, so it must be 0."));
        for (var t = 0; t < Tokens.Length; t++)
        {
            if ((uint)Tokens[t] >= (uint)shape.Vocabulary)
                throw new ArgumentException(FormattableString.Invariant($"Token {t} of a training example is {Tokens[t]}; the vocabulary ends at {shape.Vocabulary - 1}."));
            if (!(Weights[t] >= 0 && float.IsFinite(Weights[t])))
                throw new ArgumentException(FormattableString.Invariant($"Weight {t} of a training example is {Weights[t]:R}; it must be finite and not negative."));
        }

        return this;
    }
}

/// <summary>Sums over predicted tokens; divide to get means.</summary>
/// <param name="Weighted">Σ weight · -log p.</param>
/// <param name="Weight">Σ weight.</param>
/// <param name="Full">Σ -log p over tokens of weight 1 or more: what the model is to say, not what it reads.</param>
/// <param name="FullTokens">How many those are.</param>
public readonly record struct LossSums(double Weighted, double Weight, double Full, long FullTokens)
{
    /// <summary>Mean loss of what the model is to say, in nats a token; NaN if there is none.</summary>
    public double Answer => Full / FullTokens;

    /// <summary>Weighted mean loss, in nats a token.</summary>
    public double Mean => Weighted / Weight;

    /// <summary>Both sums as one.</summary>
    public static LossSums operator +(LossSums a, LossSums b) =>
        new(a.Weighted + b.Weighted, a.Weight + b.Weight, a.Full + b.Full, a.FullTokens + b.FullTokens);
}
