namespace SpeedupLlm.Relevancy;

/// <summary>Estimates the similarity level (S1…S4, arXiv 2505.20643) of two questions from their words, numbers, units, names and masked templates. Thread-safe; no model call is spent.</summary>
/// <remarks>
/// Two questions with the same numbers in other words are one question in other words; with the same words around other numbers they are the same
/// kind of question. The same numbers in nearly the same words are neither: an added sentence, a missing premise, swapped roles or another unit look
/// like that, and their answers differ (case 21). Different names are different things, however alike the words.
/// </remarks>
public sealed class SimilarityEstimator(SimilarityEstimatorOptions? options = null)
{
    private readonly SimilarityEstimatorOptions _options = (options ?? new()).Validated();

    /// <summary>How alike <paramref name="asked"/> is to <paramref name="remembered"/>.</summary>
    /// <param name="asked">The question at hand.</param>
    /// <param name="remembered">A question that was met before.</param>
    /// <param name="similarity">The cosine of their embeddings, in [-1, 1]; NaN counts as 0.</param>
    public Relevance Estimate(string asked, string remembered, double similarity) => Estimate(TextReading.Of(asked), TextReading.Of(remembered), similarity);

    /// <summary>The same for texts that were read before.</summary>
    internal Relevance Estimate(TextReading asked, TextReading remembered, double similarity)
    {
        similarity = double.IsNaN(similarity) ? 0 : Math.Clamp(similarity, -1, 1);
        if (Likeness.Of(asked, remembered) is not { } alike)
            return new(SimilarityLevel.Unrelated, similarity, 1);
        if (alike.SameWords && !alike.Contradicts)
            return alike.SameOrder ? new(SimilarityLevel.S1, similarity, 1) : new(SimilarityLevel.S3, similarity, 0.98);

        var relatedness = Relatedness(alike);
        var reworded = alike.Numbers - alike.Template - _options.Reworded; // see Rewording
        // shared numbers speak for themselves; without them only the words do
        var paraphrase = relatedness - (alike.FewestNumbers >= 2 ? _options.RelatedByNumbers : _options.Related);
        if (reworded > 0 && paraphrase > 0 && alike.Numbers >= _options.SameNumbers && !alike.Contradicts && !alike.NamesConflict)
        {
            // the very same numbers in about as many words: nothing was added or left out
            var confidence = Confidence(Math.Min(paraphrase, reworded));
            var complete = alike.SameNumbers && alike.Longer <= _options.AboutAsLong;
            return new(SimilarityLevel.S2, similarity, complete ? 0.9 + 0.1 * confidence : 0.8 * confidence);
        }
        var related = relatedness - _options.Related;
        if (related < 0)
            return new(SimilarityLevel.Unrelated, similarity, Confidence(-related));
        var template = alike.Template - (alike.SameNames && alike.Numbers <= _options.OtherNumbers ? _options.SameTopic : _options.SameTemplate);
        if (template > 0 && !alike.SameNumbers && !alike.Contradicts && !alike.NamesConflict)
            return new(SimilarityLevel.S3, similarity, Confidence(Math.Min(related, template)));
        return new(SimilarityLevel.S4, similarity, Confidence(Math.Min(related, Math.Max(-reworded, -template))));
    }

    /// <summary>How much two questions are about the same things, in [0, 1]: the score behind <see cref="SimilarityLevel.Unrelated"/>.</summary>
    public static double Relatedness(string one, string other) => Likeness.Of(TextReading.Of(one), TextReading.Of(other)) is { } alike ? Relatedness(alike) : 0;

    /// <summary>How much two questions look like one question in other words rather than one question with other numbers, in [-1, 1]: shared numbers less shared template.</summary>
    public static double Rewording(string one, string other) => Likeness.Of(TextReading.Of(one), TextReading.Of(other)) is { } alike ? alike.Numbers - alike.Template : 0;

    /// <summary>Shared words count most. Names that differ altogether outweigh them: another firm with the same service is another firm.</summary>
    private static double Relatedness(Likeness alike)
    {
        var score = (alike.Words + 0.5 * alike.Template + 0.3 * alike.Numbers + 0.3 * (alike.Names ?? 0.5)) / 2.1;
        return alike.Names < 0.5 ? score / 2 : score;
    }

    /// <summary>One half at a border, towards one away from it.</summary>
    private static double Confidence(double distance) => 1 / (1 + Math.Exp(-12 * distance));
}

/// <summary>Borders of <see cref="SimilarityEstimator"/>, each in (0, 1). Chosen by looking at GSM-Plus testmini and at development firms, so figures on these flatter them; nothing that is promised rests on them.</summary>
public sealed record SimilarityEstimatorOptions
{
    /// <summary>The relatedness below which nothing is related. Default 0.4.</summary>
    public double Related { get; init; } = 0.4;

    /// <summary>The same for questions that share two or more numbers. Default 0.25.</summary>
    public double RelatedByNumbers { get; init; } = 0.25;

    /// <summary>Shared numbers must exceed shared template by this for a rewording. Default 0.35: an added sentence leaves most words as they were.</summary>
    public double Reworded { get; init; } = 0.35;

    /// <summary>The share of numbers that a rewording keeps. Default 0.8: some are written in words that are not known.</summary>
    public double SameNumbers { get; init; } = 0.8;

    /// <summary>A rewording of more words than this many times the other's is doubted. Above 1; default 1.8.</summary>
    public double AboutAsLong { get; init; } = 1.8;

    /// <summary>From here on the words around other numbers are the same question. Default 0.7.</summary>
    public double SameTemplate { get; init; } = 0.7;

    /// <summary>The same where both name the same things and at most <see cref="OtherNumbers"/> of the numbers are shared. Default 0.25.</summary>
    public double SameTopic { get; init; } = 0.25;

    /// <summary>See <see cref="SameTopic"/>. Default 0.6.</summary>
    public double OtherNumbers { get; init; } = 0.6;

    /// <summary>Itself, checked.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A border is not in (0, 1).</exception>
    internal SimilarityEstimatorOptions Validated()
    {
        foreach (var border in (double[])[Related, RelatedByNumbers, Reworded, SameNumbers, SameTemplate, SameTopic, OtherNumbers])
        {
            if (!(border is > 0 and < 1))
                throw new ArgumentOutOfRangeException(nameof(SimilarityEstimatorOptions), border, "A border of similarity is in (0, 1).");
        }
        if (!(AboutAsLong > 1 && double.IsFinite(AboutAsLong)))
            throw new ArgumentOutOfRangeException(nameof(AboutAsLong), AboutAsLong, "A ratio of lengths is above 1.");
        return this;
    }
}
