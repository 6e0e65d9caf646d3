using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Scoring;

/// <summary>Recomputes every arithmetic equality of an attempt's text exactly; the score is the share of right ones, unscored if there is none.</summary>
/// <remarks>
/// It knows whether the reckoning is right, not whether it is the one that was asked for. What is read: + - * × · / ÷, parentheses, decimals, thousands
/// commas, percent, units after numbers, and chains such as <c>8 + 9 = 17 + 5 = 22</c>, where each result is reckoned on with. A decimal on the right may be
/// rounded at its last digit. Model calls: none.
/// </remarks>
public sealed class EquationsScorer : IScorer
{
    /// <inheritdoc/>
    public string Name => "equations";

    /// <inheritdoc/>
    public ValueTask<Score> ScoreAsync(Attempt attempt, ISolveContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var (right, all) = Equations.Check(attempt.Text);
        return ValueTask.FromResult(all == 0
            ? Score.Unscored("no arithmetic equality in the text")
            : new Score(right / (double)all, FormattableString.Invariant($"{right} of {all} equalities hold")));
    }
}
