using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Guard;
using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Memory;

/// <summary>The plans that want to take the place of <see cref="Auto"/>'s cases, and how they prove themselves: each is to cases what cases are to nothing, so a guard of its own decides.</summary>
/// <remarks>
/// One plan of a band is on trial at a time, a few hundred questions each in turn; the first that is admitted takes the place of cases until it is removed.
/// What its memory costs to learn counts as finding out while it is on trial, and is charged to each question that it is used for.
/// </remarks>
internal sealed class Alternatives(AutoOptions options)
{
    private const int QuestionsInTurn = 500;

    private readonly GuardedBands _bands = new(options.Guard with { ExplorationShare = options.AlternativeShare });

    /// <summary>What became of the plan whose turn it is, for one question.</summary>
    /// <param name="Choice">Whether it was given.</param>
    /// <param name="Given">What it gives, if it is given.</param>
    /// <param name="Why">In a few words.</param>
    public sealed record Offer(AlternativeChoice Choice, Recalled? Given, string Why);

    /// <summary>Decides whether a plan is given for one question; null if none has anything to give.</summary>
    /// <param name="band">The band.</param>
    /// <param name="question">The question.</param>
    /// <param name="alike">Cases of the nearest level, best first.</param>
    /// <param name="chance">A uniform draw from [0, 1).</param>
    /// <param name="context">What the memory works with.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async ValueTask<Offer?> OfferAsync(
        string band, Question question, IReadOnlyList<AlikeCase> alike, double chance, IMemoryContext context, CancellationToken cancellationToken)
    {
        if (await CurrentAsync(band, context, cancellationToken).ConfigureAwait(false) is not { } plan)
            return null;
        var (decision, why) = await _bands.DecideAsync(KeyOf(band, plan), prior: false, chance, context, cancellationToken).ConfigureAwait(false);
        // who is drawn and who is not must both have had something to give, or they cannot be compared
        if (decision.Propensity == 0 || await GiveAsync(plan, question, alike, context, cancellationToken).ConfigureAwait(false) is not { } given)
            return null;
        return new(new(plan.Name, decision.UseMemory, decision.Propensity, decision.Phase), decision.UseMemory ? given : null, why);
    }

    /// <summary>Sees what a question cost that memory was used for, and has the plan's memory learn from it where that may be.</summary>
    public async ValueTask ObserveAsync(string band, Solution solution, decimal cost, IMemoryContext context, CancellationToken cancellationToken)
    {
        if (await CurrentAsync(band, context, cancellationToken).ConfigureAwait(false) is not { } plan)
            return;
        var key = KeyOf(band, plan);
        // the turn may have changed since the choice, and who had nothing to give was not drawn
        var decision = solution.Used.Choice!.Alternative is { } choice && choice.Plan == plan.Name
            ? new GuardDecision(choice.IsUsed, choice.Propensity, choice.Phase)
            : new(false, 0, GuardPhase.OnTrial);
        await _bands.AddAsync(key, prior: false, decision, (double)cost, !solution.Accepted, context, cancellationToken).ConfigureAwait(false);
        if (plan.Memory is { } memory && _bands.MayLearn(await _bands.ReadAsync(key, context, cancellationToken).ConfigureAwait(false))
            && await context.Store.GetEpisodeAsync(context.Scope.Tenant, solution.Id, cancellationToken).ConfigureAwait(false) is { Usable: true } episode)
            await LearnAsync(key, memory, episode, context, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Lessons or weights, and cases; null if a plan has nothing that the usual cases do not have.</summary>
    private async ValueTask<Recalled?> GiveAsync(AutoPlan plan, Question question, IReadOnlyList<AlikeCase> alike, IMemoryContext context, CancellationToken cancellationToken)
    {
        var cases = AutoPlan.Hints(alike.Take(plan.Cases));
        if (plan.Memory is null)
            return cases.Count > options.Cases ? Recalled.Nothing with { Hints = HintWindow.Fit(cases, question, context) } : null;
        var recalled = await plan.Memory.RecallAsync(question, context, cancellationToken).ConfigureAwait(false);
        return recalled.Hints.Count > 0 || recalled.Weights is not null ? recalled with { Hints = HintWindow.Fit([.. recalled.Hints, .. cases], question, context) } : null;
    }

    private async ValueTask LearnAsync(string key, IMemory memory, Episode episode, IMemoryContext context, CancellationToken cancellationToken)
    {
        var before = context.Spent;
        try
        {
            await memory.LearnAsync(episode, context, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // a call that failed is paid for as well
            await _bands.AddLearningAsync(key, (double)(context.Spent - before), context, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>The plan of a band that is in use, or else the one whose turn it is; null if no plan is for this model.</summary>
    private async ValueTask<AutoPlan?> CurrentAsync(string band, IMemoryContext context, CancellationToken cancellationToken)
    {
        AutoPlan? next = null;
        var least = long.MaxValue;
        foreach (var plan in options.Alternatives.Where(p => p.IsFor(context)))
        {
            var state = (await _bands.ReadAsync(KeyOf(band, plan), context, cancellationToken).ConfigureAwait(false))?.State;
            if (state?.Phase == GuardPhase.Admitted)
                return plan;
            // whoever has nothing to give, or not yet, does not keep the others waiting
            var turns = state is null ? 0 : ((long)state.Trials * options.Guard.TrialLength + state.WithMemory.Count + state.Without.Count) / QuestionsInTurn;
            if (turns < least)
                (next, least) = (plan, turns);
        }
        return next;
    }

    private static string KeyOf(string band, AutoPlan plan) => $"{band}: {plan.Name}";
}
