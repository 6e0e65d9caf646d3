using SpeedupLlm.Guard;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Data;

/// <summary>Questions beside a library: retrieval over another set than the one that is asked.</summary>
/// <param name="questions">What is asked.</param>
/// <param name="library">What every memory holds before the first question; only name, fingerprint and questions of it are looked at.</param>
public sealed class QuestionsWithLibrary(IExampleSource questions, QuestionList library) : IExampleSource
{
    /// <inheritdoc/>
    public string Name => $"{questions.Name} with {library.Name}";

    /// <inheritdoc/>
    public string Fingerprint => $"{questions.Fingerprint}/{library.Fingerprint}";

    /// <inheritdoc/>
    public IReadOnlyList<Example> Library => library.Examples;

    /// <inheritdoc/>
    public int? Groups => questions.Groups;

    /// <inheritdoc/>
    public bool AsksForPrograms => questions.AsksForPrograms;

    /// <inheritdoc/>
    public IAnswerComparer Answers => questions.Answers;

    /// <inheritdoc/>
    public ReuseEvidence? ReusePrior => questions.ReusePrior;

    /// <inheritdoc/>
    public int? LevelsAt(SimilarityLevel similarity) => questions.LevelsAt(similarity);

    /// <inheritdoc/>
    public Example At(int group, SimilarityLevel similarity, int level) => questions.At(group, similarity, level);

    /// <inheritdoc/>
    public string SubjectOf(int group) => questions.SubjectOf(group);

    /// <inheritdoc/>
    public Example? AfterChange(int group, SimilarityLevel similarity, int level) => questions.AfterChange(group, similarity, level);

    /// <inheritdoc/>
    public Question QuestionOf(Example example) => questions.QuestionOf(example);

    /// <inheritdoc/>
    public ValueTask<bool> IsCorrectAsync(Example example, string? final, CancellationToken cancellationToken) => questions.IsCorrectAsync(example, final, cancellationToken);
}
