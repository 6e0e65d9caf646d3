using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Data;

/// <summary>Questions without groups or levels: one round, every question counts, similarity is <c>any</c>.</summary>
public sealed class QuestionList : IExampleSource
{
    private readonly IReadOnlyList<Example> _examples;

    /// <param name="name">The name that the manifest carries.</param>
    /// <param name="fingerprint">Changes when a question or an answer changes.</param>
    /// <param name="examples">At least one.</param>
    public QuestionList(string name, string fingerprint, IReadOnlyList<Example> examples)
    {
        ArgumentOutOfRangeException.ThrowIfZero(examples.Count);
        Name = name;
        Fingerprint = fingerprint;
        _examples = examples;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Fingerprint { get; }

    /// <inheritdoc/>
    public int? Groups => _examples.Count;

    /// <inheritdoc/>
    public IAnswerComparer Answers { get; } = new AnswerComparer();

    /// <inheritdoc/>
    public int? LevelsAt(SimilarityLevel similarity) => null;

    /// <inheritdoc/>
    public Example At(int group, SimilarityLevel similarity, int level) => _examples[group];

    /// <inheritdoc/>
    public async ValueTask<bool> IsCorrectAsync(Example example, string? final, CancellationToken cancellationToken) =>
        final is not null && await Answers.AreEquivalentAsync(example.Expected, final, null, cancellationToken).ConfigureAwait(false);
}
