namespace SpeedupLlm.Transformer.Model;

/// <summary>The sizes of a Llama-style decoder (RMSNorm, RoPE, SwiGLU, tied embeddings; arXiv 2302.13971).</summary>
/// <remarks>The defaults make 0.83 M parameters at a vocabulary of 512.</remarks>
/// <param name="Vocabulary">Token ids are 0 … Vocabulary - 1.</param>
public sealed record ModelShape(int Vocabulary)
{
    /// <summary>Every row of a matrix, and so every head, is a whole number of these: kernels then have no tails but the vocabulary's.</summary>
    public const int Granule = 32;

    /// <summary>Token ids are 0 … Vocabulary - 1. At least 2.</summary>
    public int Vocabulary { get; init; } = Vocabulary;

    /// <summary>C, the width of the residual stream. A multiple of 32.</summary>
    public int Width { get; init; } = 128;

    /// <summary>Blocks of attention and feed-forward.</summary>
    public int Layers { get; init; } = 4;

    /// <summary>Attention heads. Width / Heads is a multiple of 32.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>F, the width of the feed-forward part. A multiple of 32.</summary>
    public int Hidden { get; init; } = 352;

    /// <summary>Most positions of one sequence.</summary>
    public int Context { get; init; } = 1024;

    /// <summary>θ of rotary positions (RoPE, arXiv 2104.09864).</summary>
    public float RopeBase { get; init; } = 10000f;

    /// <summary>ε of RMSNorm.</summary>
    public float NormEpsilon { get; init; } = 1e-5f;

    /// <summary>D, the width of one head.</summary>
    public int Head => Width / Heads;

    /// <summary>Throws unless every size is one that the kernels take.</summary>
    /// <returns>This shape.</returns>
    /// <exception cref="ArgumentException">A size is out of range; the message names it and its value.</exception>
    public ModelShape Validated()
    {
        Require(Vocabulary >= 2, $"a vocabulary of {Vocabulary} tokens; it takes at least 2");
        Require(Width > 0 && Width % Granule == 0, $"a width of {Width}; it must be a multiple of {Granule}");
        Require(Heads > 0 && Width % Heads == 0 && Width / Heads % Granule == 0,
            $"{Heads} heads of a width of {Width}; a head must be a multiple of {Granule} wide");
        Require(Hidden > 0 && Hidden % Granule == 0, $"a hidden width of {Hidden}; it must be a multiple of {Granule}");
        Require(Layers > 0, $"{Layers} layers; it takes at least 1");
        Require(Context > 0, $"a context of {Context}; it takes at least 1");
        Require(RopeBase > 1 && float.IsFinite(RopeBase), $"a rotary base of {RopeBase:R}; it must be finite and above 1");
        Require(NormEpsilon > 0 && float.IsFinite(NormEpsilon), $"a norm epsilon of {NormEpsilon:R}; it must be finite and above 0");
        Require(Parameters <= int.MaxValue, $"{Parameters} parameters; at most {int.MaxValue} fit one array");
        return this;
    }

    /// <summary>Numbers in all weights together.</summary>
    public long Parameters =>
        (long)Vocabulary * Width + Width + Layers * (2L * Width + 4L * Width * Width + 3L * Width * Hidden);

    private static void Require(bool holds, FormattableString problem)
    {
        if (!holds)
            throw new ArgumentException("Model shape: " + FormattableString.Invariant(problem) + ".");
    }
}
