using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Scoring;

namespace SpeedupLlm.Reasoning;

/// <summary>Options of <see cref="SelfConsistency"/>.</summary>
public sealed record SelfConsistencyOptions
{
    /// <summary>N: samples at most, ≥ 1.</summary>
    public int Samples { get; init; } = 8;

    /// <summary>Samples drawn at once, ≥ 1. The rule is asked after each wave.</summary>
    public int Width { get; init; } = 1;

    /// <summary>When enough answers were seen.</summary>
    public ConsistencyStop Stop { get; init; } = new AdaptiveConsistency();
}

/// <summary>Self-Consistency (arXiv 2203.11171): samples, and takes the answer that most of them give; stops early by Adaptive-Consistency or ESC.</summary>
/// <remarks>
/// An operation is an answer sampled. No scorer is asked: an attempt's score is the share of samples that agree with it, unscored if there is only one.
/// The first sample of the leading answer is the best; of equal answers the one that was there first leads. τ above 1 switches the early stop off.
/// Model calls: one a sample, and the comparer's, if it asks a model.
/// </remarks>
public sealed class SelfConsistency : IScalingMethod
{
    private readonly SelfConsistencyOptions _options;

    /// <summary>Takes options.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public SelfConsistency(SelfConsistencyOptions? options = null)
    {
        _options = options ?? new();
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.Samples, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.Width, 1);
        ArgumentNullException.ThrowIfNull(_options.Stop);
    }

    /// <inheritdoc/>
    public string Name => "self-consistency";

    /// <inheritdoc/>
    public PromptTask Entry => PromptTask.Guess;

    /// <inheritdoc/>
    public async ValueTask<Search> RunAsync(ISolveContext context, CancellationToken cancellationToken)
    {
        var prompt = context.Prompts.Solve(PromptTask.Guess, context.Question, context.Recalled.Hints);
        var stream = context.Stream.Child(Name);
        var votes = new Votes(context);
        var search = await AttemptLoop.RunAsync(context, new()
        {
            Cap = context.Recalled.Limit(_options.Samples),
            Width = _options.Width,
            Scored = false,
            Operations = BestOfN.Sampled,
            Draw = async (index, _, ct) => Drawn.Of(await BestOfN.SampleAsync(context, prompt, stream, index, ct).ConfigureAwait(false)),
            Satisfied = async (attempts, ct) =>
            {
                await votes.AddAsync(attempts, ct).ConfigureAwait(false);
                return context.Threshold <= 1 && _options.Stop.IsEnough(votes);
            },
        }, cancellationToken).ConfigureAwait(false);
        return Decide(search, votes, context);
    }

    private static Search Decide(Search search, Votes votes, ISolveContext context)
    {
        var came = search.Attempts.Count(a => a.Error is null);
        var attempts = search.Attempts.Select(a => a.Error is null ? a with { Score = ShareOf(a) } : a).ToList();
        foreach (var attempt in attempts)
            context.Report(attempt);
        return search with { Best = votes.Winner is { } winner ? attempts[winner] : AttemptLoop.Best(attempts), Attempts = attempts };

        Score ShareOf(Attempt attempt) => came < 2
            ? Score.Unscored("a single sample agrees with nobody")
            : new(votes.CountOf(attempt.Index) / (double)came, FormattableString.Invariant($"{votes.CountOf(attempt.Index)} of {came} agree"));
    }
}
