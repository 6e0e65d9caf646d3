using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;

namespace SpeedupLlm.Reasoning;

/// <summary>Options of <see cref="BestOfN"/>.</summary>
public sealed record BestOfNOptions
{
    /// <summary>N: samples at most, ≥ 1.</summary>
    public int Samples { get; init; } = 8;

    /// <summary>Samples drawn at once, ≥ 1. 1 spends least; wider waves answer sooner and may draw samples past the first accepted one.</summary>
    public int Width { get; init; } = 1;
}

/// <summary>Best-of-N: samples until one reaches τ, N at most; the best score wins, first of equals.</summary>
/// <remarks>
/// An operation is an answer sampled. With chance p that a sample is accepted, E[answers] = (1-(1-p)^N)/p (arXiv 2505.20643, theorem 1).
/// Model calls: one a sample, and the scorer's.
/// </remarks>
public sealed class BestOfN : IScalingMethod
{
    private readonly BestOfNOptions _options;

    /// <summary>Takes options.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public BestOfN(BestOfNOptions? options = null)
    {
        _options = options ?? new();
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.Samples, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.Width, 1);
    }

    /// <inheritdoc/>
    public string Name => "best-of-n";

    /// <inheritdoc/>
    public PromptTask Entry => PromptTask.Guess;

    /// <inheritdoc/>
    public ValueTask<Search> RunAsync(ISolveContext context, CancellationToken cancellationToken)
    {
        var prompt = context.Prompts.Solve(PromptTask.Guess, context.Question, context.Recalled.Hints);
        var stream = context.Stream.Child(Name);
        return AttemptLoop.RunAsync(context, new()
        {
            Cap = context.Recalled.Limit(_options.Samples),
            Width = _options.Width,
            Operations = Sampled,
            Draw = async (index, _, ct) => Drawn.Of(await SampleAsync(context, prompt, stream, index, ct).ConfigureAwait(false)),
        }, cancellationToken);
    }

    /// <summary>Draws the sample of an index.</summary>
    internal static async ValueTask<Attempt> SampleAsync(ISolveContext context, Prompt prompt, StreamKey stream, int index, CancellationToken cancellationToken)
    {
        var reply = await context.AskAsync(prompt, CallPurpose.Solve, stream.Child(index), index, index, cancellationToken).ConfigureAwait(false);
        return new(index, reply.Text, context.Prompts.Final(context.Question, reply.Text), default, reply.Finish);
    }

    /// <summary>Answers that came; a failed call sampled none.</summary>
    internal static decimal Sampled(IReadOnlyList<Attempt> attempts) => attempts.Count(a => a.Error is null);
}
