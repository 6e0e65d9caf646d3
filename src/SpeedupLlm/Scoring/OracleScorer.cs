using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Scoring;

/// <summary>Options of <see cref="OracleScorer"/>.</summary>
public sealed record OracleOptions
{
    /// <summary>The reference answer of a question, or null if none is known. By default none is.</summary>
    public Func<Question, string?> Reference { get; init; } = _ => null;
}

/// <summary>Compares with a reference answer: 1 or 0; unscored where none is known. Flagged: it knows what no system in use knows, so nothing of it is published.</summary>
/// <remarks>Model calls: none but the comparer's.</remarks>
public sealed class OracleScorer(OracleOptions? options = null) : IScorer
{
    private readonly OracleOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "oracle";

    /// <inheritdoc/>
    public bool Flagged => true;

    /// <inheritdoc/>
    public async ValueTask<Score> ScoreAsync(Attempt attempt, ISolveContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_options.Reference(context.Question) is not { } reference)
            return Score.Unscored("no reference answer is known");
        var right = attempt.Final is { } answer
            && await context.Answers.AreEquivalentAsync(reference, answer, context, cancellationToken).ConfigureAwait(false);
        return new(right ? 1 : 0, right ? "equals the reference" : "differs from the reference");
    }
}
