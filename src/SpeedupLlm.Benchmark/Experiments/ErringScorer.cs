using SpeedupLlm.Compute;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;

namespace SpeedupLlm.Benchmark.Experiments;

/// <summary>Another scorer, a share of whose verdicts is turned round on purpose: what a noisier judge would do to search and memory.</summary>
/// <remarks>Which attempts, follows from the question's stream of chance and the attempt's place: the same in every arm and every run. What is unscored stays so.</remarks>
internal sealed class ErringScorer(IScorer scorer, double rate) : IScorer
{
    public string Name => scorer.Name;

    public bool Flagged => scorer.Flagged;

    public async ValueTask<Score> ScoreAsync(Attempt attempt, ISolveContext context, CancellationToken cancellationToken)
    {
        var score = await scorer.ScoreAsync(attempt, context, cancellationToken).ConfigureAwait(false);
        var errs = new StreamRandom(context.Stream.Child("judge-error").Child(attempt.Index)).NextDouble() < rate;
        return errs && score.Value is { } value ? score with { Value = 1 - value, Reason = "turned round on purpose" } : score;
    }
}
