namespace SpeedupLlm.Relevancy;

/// <summary>The four levels of question similarity of the paper (arXiv 2505.20643), and none.</summary>
public enum SimilarityLevel
{
    /// <summary>Nothing alike was met.</summary>
    Unrelated = 0,

    /// <summary>The same question.</summary>
    S1 = 1,

    /// <summary>The same meaning in other words.</summary>
    S2 = 2,

    /// <summary>The same question with other numbers.</summary>
    S3 = 3,

    /// <summary>Another question that needs the same knowledge.</summary>
    S4 = 4,
}

/// <summary>How alike the most similar remembered question is.</summary>
/// <param name="Level">The estimated level.</param>
/// <param name="Similarity">Cosine similarity of the embeddings, in [-1, 1].</param>
/// <param name="Confidence">How sure the level is, in [0, 1].</param>
public sealed record Relevance(SimilarityLevel Level, double Similarity, double Confidence)
{
    /// <summary>Nothing is known that is like it.</summary>
    public static Relevance None { get; } = new(SimilarityLevel.Unrelated, 0, 0);
}

/// <summary>Turns a text into a dense unit vector, locally and deterministically. Thread-safe.</summary>
public interface ITextEmbedder
{
    /// <summary>Changes when vectors may change.</summary>
    string Fingerprint { get; }

    /// <summary>The length of the vectors.</summary>
    int Dimensions { get; }

    /// <summary>The embedding, of length 1; empty for a text without content.</summary>
    ReadOnlyMemory<float> Embed(string text);
}
