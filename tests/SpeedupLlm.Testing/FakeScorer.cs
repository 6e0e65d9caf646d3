using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;

namespace SpeedupLlm.Testing;

/// <summary>Scores by a rule of the test's own, without a model call.</summary>
public sealed class FakeScorer(Func<Attempt, Score> rule) : IScorer
{
    /// <summary>1 for attempts whose final answer is <paramref name="right"/>, 0 for others.</summary>
    public static FakeScorer Right(string right = "42") => new(a => new(string.Equals(a.Final, right, StringComparison.Ordinal) ? 1 : 0));

    /// <inheritdoc/>
    public string Name => "fake";

    /// <inheritdoc/>
    public ValueTask<Score> ScoreAsync(Attempt attempt, ISolveContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(rule(attempt));
    }
}
