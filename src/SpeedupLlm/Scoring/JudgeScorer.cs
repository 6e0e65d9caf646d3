using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Scoring;

/// <summary>The model judges its own attempt. The verdict is parsed strictly, asked for once more if it cannot be read, and else unscored, which is not 0 (case 38).</summary>
/// <remarks>
/// Where the prompts factor the verification (arXiv 2309.11495), three calls: what is to be worked out, working it out blind, comparing.
/// Else one call. The second verdict is sampled at the model's default temperature, since a greedy one would be the same.
/// </remarks>
public sealed class JudgeScorer : IScorer
{
    /// <inheritdoc/>
    public string Name => "judge";

    /// <inheritdoc/>
    public async ValueTask<Score> ScoreAsync(Attempt attempt, ISolveContext context, CancellationToken cancellationToken)
    {
        var verification = new Verification(context, attempt, Name);
        var prompt = context.Prompts.FactoredVerification
            ? await verification.CompareAsync(cancellationToken).ConfigureAwait(false)
            : context.Prompts.Judge(context.Question, attempt);
        var verdict = await verification.AskAsync(prompt, draw: 0, cancellationToken).ConfigureAwait(false);
        var score = context.Prompts.ReadVerdict(verdict.Text);
        if (score.Value is not null)
            return score;
        verdict = await verification.AskAsync(prompt with { Temperature = null }, draw: 1, cancellationToken).ConfigureAwait(false);
        return context.Prompts.ReadVerdict(verdict.Text);
    }
}

/// <summary>The calls of one verification, shared by the scorers that ask for a verdict.</summary>
internal sealed class Verification(ISolveContext context, Attempt attempt, string scorer)
{
    private readonly StreamKey _stream = context.Stream.Child(scorer).Child(attempt.Index);

    /// <summary>The first two calls of factored verification, and the prompt of the third.</summary>
    public async ValueTask<Prompt> CompareAsync(CancellationToken cancellationToken)
    {
        var restated = await AskAsync(context.Prompts.Restate(context.Question, attempt), 0, cancellationToken).ConfigureAwait(false);
        var verified = await AskAsync(context.Prompts.Verify(restated.Text), 0, cancellationToken).ConfigureAwait(false);
        return context.Prompts.Compare(context.Question, attempt, verified.Text);
    }

    /// <summary>One call. Equal attempts of a question have equal prompts, so the draws of attempt i are 2i and 2i + 1.</summary>
    public ValueTask<Reply> AskAsync(Prompt prompt, int draw, CancellationToken cancellationToken) => context.AskAsync(
        prompt, CallPurpose.Score, _stream.Child(prompt.Task.ToString()).Child(draw), 2 * attempt.Index + draw, progress: null, cancellationToken);
}
