using SpeedupLlm.Compute;

namespace SpeedupLlm.Reasoning;

/// <summary>What a method draws: an attempt, or the news that there is nothing more to draw.</summary>
internal readonly record struct Drawn(Attempt? Attempt, StopReason End)
{
    public static Drawn Of(Attempt attempt) => new(attempt, default);

    public static Drawn Nothing(StopReason why) => new(null, why);
}

/// <summary>How a scaling method uses the loop.</summary>
internal sealed record AttemptPlan
{
    /// <summary>Draws the attempt of an index; sees all earlier attempts except those of its own wave.</summary>
    public required Func<int, IReadOnlyList<Attempt>, CancellationToken, ValueTask<Drawn>> Draw { get; init; }

    /// <summary>The cost so far, from the attempts so far.</summary>
    public required Func<IReadOnlyList<Attempt>, decimal> Operations { get; init; }

    /// <summary>Attempts at most.</summary>
    public required int Cap { get; init; }

    /// <summary>Attempts drawn at once.</summary>
    public int Width { get; init; } = 1;

    /// <summary>Whether the run's scorer scores attempts and τ stops the loop.</summary>
    public bool Scored { get; init; } = true;

    /// <summary>The method's own rule, asked after each wave.</summary>
    public Func<IReadOnlyList<Attempt>, CancellationToken, ValueTask<bool>>? Satisfied { get; init; }
}

/// <summary>The one loop of all scaling methods: draw a wave, score it, stop at the first attempt that reaches τ, at the method's own rule, at its cap or at the budget.</summary>
internal static class AttemptLoop
{
    public static async ValueTask<Search> RunAsync(ISolveContext context, AttemptPlan plan, CancellationToken cancellationToken)
    {
        var attempts = new List<Attempt>();
        StopReason? stop = null;
        while (stop is null && attempts.Count < plan.Cap)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var first = attempts.Count;
            var width = Math.Min(plan.Width, plan.Cap - first);
            var (drawn, ended) = await DrawWaveAsync(context, plan, attempts, width, cancellationToken).ConfigureAwait(false);
            if (plan.Scored)
                (drawn, ended) = await ScoreWaveAsync(context, drawn, ended, cancellationToken).ConfigureAwait(false);
            attempts.AddRange(drawn);

            if (plan.Scored && drawn.Any(a => a.Score.Reaches(context.Threshold)))
                stop = StopReason.Threshold;
            else if (plan.Satisfied is not null && await plan.Satisfied(attempts, cancellationToken).ConfigureAwait(false))
                stop = StopReason.Threshold;
            else
                stop = ended;
        }
        stop ??= attempts.TrueForAll(a => a.Error is not null) ? StopReason.Exhausted : StopReason.Cap;
        return new(Best(attempts), attempts, stop.Value, plan.Operations(attempts));
    }

    /// <summary>
    /// The best attempt, first of equals: those with a final answer before those without, scored before unscored (an invalid score is never
    /// the maximum), then by score. Null if no attempt came.
    /// </summary>
    public static Attempt? Best(IEnumerable<Attempt> attempts) => attempts
        .Where(a => a.Error is null)
        .OrderBy(a => a.Final is null)
        .ThenByDescending(a => a.Score.Value ?? -1)
        .ThenBy(a => a.Index)
        .FirstOrDefault();

    private static async ValueTask<(List<Attempt> Drawn, StopReason? Ended)> DrawWaveAsync(
        ISolveContext context, AttemptPlan plan, List<Attempt> earlier, int width, CancellationToken cancellationToken)
    {
        var first = earlier.Count;
        var wave = await AllAsync(Enumerable.Range(first, width), i => DrawOneAsync(plan, i, earlier, cancellationToken)).ConfigureAwait(false);
        var drawn = new List<Attempt>();
        StopReason? ended = null;
        foreach (var (attempt, why) in wave)
        {
            if (attempt is null)
            {
                ended ??= why;
                continue;
            }
            // a hole in a wave (one call had no budget) must not leave a hole in the numbering
            var numbered = attempt with { Index = first + drawn.Count };
            context.Report(numbered);
            drawn.Add(numbered);
        }
        return (drawn, ended);
    }

    private static async Task<Drawn> DrawOneAsync(AttemptPlan plan, int index, List<Attempt> earlier, CancellationToken cancellationToken)
    {
        try
        {
            return await plan.Draw(index, earlier, cancellationToken).ConfigureAwait(false);
        }
        catch (ModelFailedException e)
        {
            return Drawn.Of(new(index, "", null, default, null) { Error = e.Message });
        }
        catch (BudgetExceededException)
        {
            return Drawn.Nothing(StopReason.Budget);
        }
    }

    private static async ValueTask<(List<Attempt> Scored, StopReason? Ended)> ScoreWaveAsync(
        ISolveContext context, List<Attempt> drawn, StopReason? ended, CancellationToken cancellationToken)
    {
        var overdrawn = false;
        var scored = await AllAsync(drawn, async attempt =>
        {
            if (attempt.Error is not null)
                return attempt;
            try
            {
                return await context.ScoreAsync(attempt, cancellationToken).ConfigureAwait(false);
            }
            catch (BudgetExceededException e)
            {
                overdrawn = true;
                var unscored = attempt with { Score = Scoring.Score.Unscored(e.Message) };
                context.Report(unscored);
                return unscored;
            }
        }).ConfigureAwait(false);
        return ([.. scored], overdrawn ? StopReason.Budget : ended);
    }

    /// <summary>Starts all in order and waits until every one of them has ended, also if one throws.</summary>
    private static Task<TResult[]> AllAsync<T, TResult>(IEnumerable<T> items, Func<T, Task<TResult>> start) => Task.WhenAll(items.Select(start).ToList());
}
