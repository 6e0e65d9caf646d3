using SpeedupLlm.Compute;

namespace SpeedupLlm.Transformer.Decoding;

/// <summary>A token as it was drawn.</summary>
/// <param name="Token">Its id.</param>
/// <param name="LogProbability">ln p at temperature 1, nothing cut off; NaN unless log-probabilities were asked for.</param>
/// <param name="Top">The likeliest tokens at this place, best first, ties by id.</param>
public readonly record struct GeneratedToken(int Token, double LogProbability, IReadOnlyList<TokenProbability> Top);

/// <summary>Why generation ended.</summary>
public enum GenerationEnd
{
    /// <summary>A stop token was drawn, or the observer said so.</summary>
    Stop,

    /// <summary>As many tokens as were allowed, or the context is full.</summary>
    Length,
}

/// <summary>What to generate.</summary>
/// <param name="Model">The weights: the model's own or an adapter's.</param>
/// <param name="Prompt">Token ids; at least one, fewer than the context.</param>
public sealed record GenerationRequest(DecoderWeights Model, IReadOnlyList<int> Prompt)
{
    /// <summary>How tokens are drawn.</summary>
    public Sampling Sampling { get; init; } = new();

    /// <summary>Token i is drawn by the generator at (this key, i).</summary>
    public StreamKey Stream { get; init; }

    /// <summary>Tokens that end the text; the one drawn is counted and not part of <see cref="Generation.Tokens"/>.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>Most tokens to generate, at least 0; the context is a limit of its own.</summary>
    public int MaximumTokens { get; init; } = int.MaxValue;

    /// <summary>How many likeliest tokens to report beside each token; null for no log-probabilities at all.</summary>
    public int? TopLogProbabilities { get; init; }

    /// <summary>Sees each token as it is drawn (not a stop token), on the engine's thread: be quick. False ends the text after this token.</summary>
    public Func<GeneratedToken, bool>? Observer { get; init; }
}

/// <summary>What was generated.</summary>
/// <param name="Tokens">The tokens, without the stop token.</param>
/// <param name="End">Why it ended.</param>
/// <param name="Drawn">Tokens drawn, a stop token among them: what it cost.</param>
/// <param name="Reused">Prompt tokens whose keys and values were taken from the prefix cache; depends on what else ran, for statistics only.</param>
public sealed record Generation(IReadOnlyList<GeneratedToken> Tokens, GenerationEnd End, int Drawn, int Reused);
