using SpeedupLlm.Experience;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Memory;

/// <summary>Makes an episode of an answer, and has the memory learn from it. The store comes first: what is lost in a crash is a lesson, never an episode.</summary>
internal sealed class Learner(SolverOptions options, IPromptSet prompts)
{
    /// <summary>The episode of an answer. Text that the model did not end by itself is never learnt (case 5).</summary>
    public Episode EpisodeOf(Solution solution, Feedback? feedback)
    {
        var verdict = feedback switch
        {
            { WorkedSolution: not null } or { IsRight: true } => Verdict.Verified,
            { IsRight: false } => Verdict.Rejected,
            // what nobody looked at is not learnt, however sure experience is of it
            _ => solution is { Accepted: true, Best.Score.IsExpected: false } ? Verdict.SelfJudged : Verdict.Unverified,
        };
        var answer = feedback?.WorkedSolution
            ?? (verdict is Verdict.Verified or Verdict.SelfJudged && solution.Best is { Complete: true } best ? prompts.Worked(best.Text) : null);
        return new()
        {
            Id = solution.Id,
            Scope = solution.Scope,
            QuestionId = solution.Question.Id,
            Question = solution.Question.Text,
            Context = solution.Question.Context is { Length: > 0 } of ? of : null,
            Setting = solution.Question.Setting is { Length: > 0 } setting ? setting : null,
            IsFollowUp = solution.Question.IsFollowUp,
            Answer = answer,
            Final = answer is null ? null : prompts.Final(solution.Question, answer),
            Score = solution.Best?.Score.Value,
            Suspicion = SuspiciousText.Find(solution.Question.Text) ?? SuspiciousText.Find(answer),
            Verdict = verdict,
            Attempts = solution.Attempts,
            Hints = [.. solution.Used.Hints.Select(h => h.Source)],
            Stop = solution.Stop,
            Operations = solution.Bill.Operations,
            FullCost = options.Prices.Cost(solution.Bill),
            At = solution.At,
            Embedding = options.Embedder.Embed(solution.Question.Text),
            EmbeddingFingerprint = options.Embedder.Fingerprint,
        };
    }

    /// <summary>Stores the episode, or brings the stored one up to date, counts whether what was recalled helped, and has the memory learn.</summary>
    public async ValueTask LearnAsync(Solution solution, Episode episode, Feedback? feedback, IMemoryContext context, CancellationToken cancellationToken)
    {
        if (solution.Used.Answer is { } stored)
        {
            await JudgeStoredAsync(stored.Source, feedback, context, cancellationToken).ConfigureAwait(false);
            if (feedback?.IsRight is { } isRight && options.Memory is { } giver)
                await giver.HearAsync(solution, isRight, context, cancellationToken).ConfigureAwait(false);
            return;
        }
        var known = await context.Store.GetEpisodeAsync(episode.Scope.Tenant, episode.Id, cancellationToken).ConfigureAwait(false);
        if (known is not null && feedback is null)
            return; // learnt before, and nothing new is known
        await StoreAsync(known, episode, context, cancellationToken).ConfigureAwait(false);
        await CountAsync(solution, known, feedback, context, cancellationToken).ConfigureAwait(false);
        if (options.Memory is not { } memory)
            return;
        var news = episode.Usable && (known is not { Usable: true } || !string.Equals(known.Answer, episode.Answer, StringComparison.Ordinal));
        if (news)
            await memory.LearnAsync(episode, context, cancellationToken).ConfigureAwait(false);
        if (known is null)
            await memory.ObserveAsync(solution, episode.FullCost, context, cancellationToken).ConfigureAwait(false);
    }

    private static async ValueTask StoreAsync(Episode? known, Episode episode, IMemoryContext context, CancellationToken cancellationToken)
    {
        if (known is not null)
        {
            await context.Store.UpdateEpisodeAsync(episode.Scope.Tenant, episode.Id,
                e => e with { Verdict = episode.Verdict, Answer = episode.Answer, Final = episode.Final, Suspicion = episode.Suspicion }, cancellationToken).ConfigureAwait(false);
            if (!known.Usable || string.Equals(known.Answer, episode.Answer, StringComparison.Ordinal))
                return;
            // lessons and adapters made from the old answer go with it (case 23); from here on the episode must come back, whoever goes away
            await context.Store.ForgetAsync(episode.Scope.Tenant, episode.Id, CancellationToken.None).ConfigureAwait(false);
            await context.Store.AppendAsync(episode with { Helped = known.Helped, Harmed = known.Harmed }, CancellationToken.None).ConfigureAwait(false);
            return;
        }
        await context.Store.AppendAsync(episode, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Counts for each recalled episode whether it helped. Feedback that comes later corrects what the scorer's verdict counted first.</summary>
    private async ValueTask CountAsync(Solution solution, Episode? known, Feedback? feedback, IMemoryContext context, CancellationToken cancellationToken)
    {
        if (feedback is null && solution.Best is { Score.IsExpected: true })
            return;
        var helped = await WasRightAsync(solution, feedback, cancellationToken).ConfigureAwait(false);
        var corrects = known is not null;
        if (corrects && (known!.Verdict is Verdict.Verified or Verdict.Rejected || helped == solution.Accepted))
            return;
        foreach (var source in await EpisodesOfAsync(solution, context, cancellationToken).ConfigureAwait(false))
        {
            await context.Store.UpdateEpisodeAsync(solution.Scope.Tenant, source, e => e with
            {
                Helped = Math.Max(0, e.Helped + (helped ? 1 : corrects ? -1 : 0)),
                Harmed = Math.Max(0, e.Harmed + (!helped ? 1 : corrects ? -1 : 0)),
            }, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The episodes behind the hints that were given: a lesson that misleads tells against those that it was written from, and goes when they go into quarantine.</summary>
    private static async ValueTask<IReadOnlyCollection<string>> EpisodesOfAsync(Solution solution, IMemoryContext context, CancellationToken cancellationToken)
    {
        var episodes = new HashSet<string>(StringComparer.Ordinal);
        foreach (var hint in solution.Used.Hints)
        {
            if (hint.Kind == HintKind.Case)
                episodes.Add(hint.Source);
            else if (RememberedLessons.KeyOf(hint) is var (kind, key) && await context.Store.GetAsync(context.Scope, kind, key, cancellationToken).ConfigureAwait(false) is { } lesson)
                episodes.UnionWith(lesson.Sources);
        }
        return episodes;
    }

    private async ValueTask<bool> WasRightAsync(Solution solution, Feedback? feedback, CancellationToken cancellationToken)
    {
        if (feedback?.IsRight is { } right)
            return right;
        if (feedback?.WorkedSolution is not { } worked)
            return solution.Accepted;
        return solution.Best?.Final is { } ours && prompts.Final(solution.Question, worked) is { } theirs
            && await options.Answers.AreEquivalentAsync(ours, theirs, null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>An answer that came from memory makes no new episode; feedback speaks of the one that it came from.</summary>
    private static async ValueTask JudgeStoredAsync(string source, Feedback? feedback, IMemoryContext context, CancellationToken cancellationToken)
    {
        if (feedback?.IsRight is not { } right)
            return;
        await context.Store.UpdateEpisodeAsync(context.Scope.Tenant, source, e => right
            ? e with { Verdict = Verdict.Verified, Helped = e.Helped + 1 }
            : e with { Verdict = Verdict.Rejected, Harmed = e.Harmed + 1 }, cancellationToken).ConfigureAwait(false);
    }
}
