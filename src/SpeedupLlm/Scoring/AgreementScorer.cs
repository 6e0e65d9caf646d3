using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Scoring;

/// <summary>The share of the earlier attempts of the question whose answer is the same. The first attempt has nobody to agree with: unscored.</summary>
/// <remarks>An earlier attempt without an answer agrees with nobody; one whose call failed does not count. Model calls: none but the comparer's.</remarks>
public sealed class AgreementScorer : IScorer
{
    /// <inheritdoc/>
    public string Name => "agreement";

    /// <inheritdoc/>
    public async ValueTask<Score> ScoreAsync(Attempt attempt, ISolveContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var earlier = context.Attempts.Where(a => a.Index < attempt.Index && a.Error is null).ToList();
        if (earlier.Count == 0)
            return Score.Unscored("no earlier attempt to agree with");
        var agreeing = 0;
        foreach (var other in earlier)
        {
            if (other.Final is { } theirs && attempt.Final is { } ours
                && await context.Answers.AreEquivalentAsync(theirs, ours, context, cancellationToken).ConfigureAwait(false))
                agreeing++;
        }
        return new(agreeing / (double)earlier.Count, FormattableString.Invariant($"{agreeing} of {earlier.Count} earlier attempts agree"));
    }
}
