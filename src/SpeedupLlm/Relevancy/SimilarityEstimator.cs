namespace SpeedupLlm.Relevancy;

/// <summary>Estimates the similarity level (S1…S4, arXiv 2505.20643) of two questions from their words, numbers and embeddings. Thread-safe; no model call is spent.</summary>
/// <remarks>
/// The words alone cannot tell a paraphrase from another question about the same things: S2 against S4 is a guess, and its confidence says so.
/// Same numbers in another order, or a negation in only one of the two, are never S1 or S2 (case 21).
/// </remarks>
public sealed class SimilarityEstimator(SimilarityEstimatorOptions? options = null)
{
    private static readonly HashSet<string> Negations = new(
        (string[])[
            "not", "no", "never", "none", "without", "neither", "nor", "cannot", "cant", "dont", "doesnt", "didnt", "isnt", "arent", "wasnt", "werent",
            "wont", "wouldnt", "shouldnt", "couldnt", "hasnt", "havent", "hadnt", "except", "unless", "不", "没", "沒", "无", "無", "非", "未", "别",
        ], StringComparer.Ordinal);

    private readonly SimilarityEstimatorOptions _options = (options ?? new()).Validated();

    /// <summary>How alike <paramref name="asked"/> is to <paramref name="remembered"/>.</summary>
    /// <param name="asked">The question at hand.</param>
    /// <param name="remembered">A question that was met before.</param>
    /// <param name="similarity">The cosine of their embeddings, in [-1, 1]; NaN counts as 0.</param>
    public Relevance Estimate(string asked, string remembered, double similarity)
    {
        similarity = double.IsNaN(similarity) ? 0 : Math.Clamp(similarity, -1, 1);
        var one = TextTokens.Of(asked);
        var other = TextTokens.Of(remembered);
        if (one.Count == 0 || other.Count == 0)
            return new(SimilarityLevel.Unrelated, similarity, 1);
        var sameNegations = Count(one) == Count(other);
        NumberSignature numbers = new(one), otherNumbers = new(other);
        if (SameWords(one, other))
            return numbers.Equals(otherNumbers) ? new(SimilarityLevel.S1, similarity, 1) : new(SimilarityLevel.S3, similarity, 0.95);
        // without numbers only the words speak for a paraphrase
        var paraphrase = numbers.Numbers.Count >= 2 ? _options.Paraphrase : _options.ParaphraseWithoutNumbers;
        if (numbers.HasSameNumbers(otherNumbers) && sameNegations && similarity >= paraphrase)
            return new(SimilarityLevel.S2, similarity, 0.9 * Confidence(similarity - paraphrase, 1 - paraphrase));
        if (similarity < _options.Related)
            return new(SimilarityLevel.Unrelated, similarity, Confidence(_options.Related - similarity, _options.Related));
        if (numbers.Numbers.Count > 0 && numbers.Numbers.Count == otherNumbers.Numbers.Count && sameNegations && similarity >= _options.SameTemplate)
            return new(SimilarityLevel.S3, similarity, 0.9 * Confidence(similarity - _options.SameTemplate, 1 - _options.SameTemplate));
        return new(SimilarityLevel.S4, similarity, 0.8 * Confidence(similarity - _options.Related, 1 - _options.Related));
    }

    private static bool SameWords(List<TextToken> one, List<TextToken> other) =>
        one.Count == other.Count && one.Zip(other).All(p => p.First.Kind == p.Second.Kind && (p.First.Kind == TokenKind.Number || string.Equals(p.First.Text, p.Second.Text, StringComparison.Ordinal)));

    private static int Count(List<TextToken> tokens) => tokens.Count(t => t.Kind == TokenKind.Word && Negations.Contains(t.Text));

    /// <summary>One half at the border, one at the far end.</summary>
    private static double Confidence(double distance, double range) => Math.Clamp(0.5 + 0.5 * distance / range, 0.5, 1);
}

/// <summary>Borders of <see cref="SimilarityEstimator"/>, cosines in (0, 1).</summary>
public sealed record SimilarityEstimatorOptions
{
    /// <summary>Below this nothing is related, but for paraphrases. Default 0.45.</summary>
    public double Related { get; init; } = 0.45;

    /// <summary>From here on, with the same two or more numbers, it is the same question in other words. Default 0.3.</summary>
    public double Paraphrase { get; init; } = 0.3;

    /// <summary>The same with fewer numbers. Default 0.75.</summary>
    public double ParaphraseWithoutNumbers { get; init; } = 0.75;

    /// <summary>From here on, with other numbers, it is the same question with other numbers. Default 0.8.</summary>
    public double SameTemplate { get; init; } = 0.8;

    /// <summary>Itself, checked.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A border is not in (0, 1).</exception>
    internal SimilarityEstimatorOptions Validated()
    {
        foreach (var border in (double[])[Related, Paraphrase, ParaphraseWithoutNumbers, SameTemplate])
        {
            if (!(border is > 0 and < 1))
                throw new ArgumentOutOfRangeException(nameof(SimilarityEstimatorOptions), border, "A border of similarity is in (0, 1).");
        }
        return this;
    }

}
