using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Data;

/// <summary>Questions without groups or levels: one round, every question counts, similarity is <c>any</c>.</summary>
public sealed class QuestionList : IExampleSource
{
    private readonly AnswerCheck _check;

    /// <param name="name">The name that the manifest carries.</param>
    /// <param name="fingerprint">Changes when a question or an answer changes.</param>
    /// <param name="examples">At least one.</param>
    /// <param name="programs">Runs answers that are programs; null refuses them.</param>
    public QuestionList(string name, string fingerprint, IReadOnlyList<Example> examples, PythonSandbox? programs = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(examples.Count);
        Name = name;
        Fingerprint = fingerprint;
        Examples = examples;
        _check = new(programs);
    }

    /// <summary>The questions, in order.</summary>
    public IReadOnlyList<Example> Examples { get; }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Fingerprint { get; }

    /// <inheritdoc/>
    public int? Groups => Examples.Count;

    /// <inheritdoc/>
    public bool AsksForPrograms => Examples.Any(e => e.Tests.Length > 0);

    /// <inheritdoc/>
    public IAnswerComparer Answers => _check.Answers;

    /// <inheritdoc/>
    public int? LevelsAt(SimilarityLevel similarity) => null;

    /// <inheritdoc/>
    public Example At(int group, SimilarityLevel similarity, int level) => Examples[group];

    /// <inheritdoc/>
    public Question QuestionOf(Example example) => AnswerCheck.QuestionOf(example);

    /// <inheritdoc/>
    public ValueTask<bool> IsCorrectAsync(Example example, string? final, CancellationToken cancellationToken) => _check.IsCorrectAsync(example, final, cancellationToken);
}
