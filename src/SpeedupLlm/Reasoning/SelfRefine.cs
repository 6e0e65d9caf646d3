using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;

namespace SpeedupLlm.Reasoning;

/// <summary>Options of <see cref="SelfRefine"/>.</summary>
public sealed record SelfRefineOptions
{
    /// <summary>Answers written at most, the first counted, ≥ 1.</summary>
    public int Answers { get; init; } = 6;

    /// <summary>Whether to stop when the feedback finds nothing wrong: there is nothing to refine then, whatever the score.</summary>
    public bool StopWhenSatisfied { get; init; } = true;
}

/// <summary>Self-Refine (arXiv 2303.17651): answer, feedback, refined answer, and again, until one reaches τ or the limit.</summary>
/// <remarks>
/// An operation is an answer written, the first counted. Always the latest answer is refined; the best one wins, first of equals.
/// Model calls: one for the first answer, two for each further one, and the scorer's.
/// </remarks>
public sealed class SelfRefine : IScalingMethod
{
    private readonly SelfRefineOptions _options;

    /// <summary>Takes options.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public SelfRefine(SelfRefineOptions? options = null)
    {
        _options = options ?? new();
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.Answers, 1);
    }

    /// <inheritdoc/>
    public string Name => "self-refine";

    /// <inheritdoc/>
    public PromptTask Entry => PromptTask.Guess;

    /// <inheritdoc/>
    public ValueTask<Search> RunAsync(ISolveContext context, CancellationToken cancellationToken) => AttemptLoop.RunAsync(context, new()
    {
        Cap = context.Recalled.Limit(_options.Answers),
        Operations = BestOfN.Sampled,
        Draw = (index, attempts, ct) => DrawAsync(context, index, attempts, ct),
    }, cancellationToken);

    private async ValueTask<Drawn> DrawAsync(ISolveContext context, int index, IReadOnlyList<Attempt> attempts, CancellationToken cancellationToken)
    {
        var (prompts, question, hints) = (context.Prompts, context.Question, context.Recalled.Hints);
        var stream = context.Stream.Child(Name);
        if (attempts.LastOrDefault(a => a.Error is null) is not { } latest)
        {
            var first = prompts.Solve(PromptTask.Guess, question, hints);
            return Drawn.Of(await BestOfN.SampleAsync(context, first, stream, index, cancellationToken).ConfigureAwait(false));
        }
        // a refined answer may repeat an earlier one, and then its prompts repeat too: the index tells the draws apart
        stream = stream.Child(index);
        var feedback = await context.AskAsync(
            prompts.Feedback(question, latest), CallPurpose.Solve, stream.Child("feedback"), index, null, cancellationToken).ConfigureAwait(false);
        if (_options.StopWhenSatisfied && prompts.IsSatisfied(feedback.Text))
            return Drawn.Nothing(StopReason.Threshold);
        var reply = await context.AskAsync(
            prompts.Refine(question, hints, latest, feedback.Text), CallPurpose.Solve, stream.Child("refine"), index, index, cancellationToken).ConfigureAwait(false);
        return Drawn.Of(new(index, reply.Text, prompts.Final(context.Question, reply.Text), default, reply.Finish));
    }
}
