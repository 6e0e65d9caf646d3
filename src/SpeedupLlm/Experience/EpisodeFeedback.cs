using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Experience;

/// <summary>Hears what somebody who knows says of a stored episode.</summary>
public static class EpisodeFeedback
{
    /// <summary>Marks an episode right or wrong, or puts a worked solution in the place of its answer.</summary>
    /// <remarks>A wrong answer is not used again, nor what was made from it; a right one may be, also if the scorer had not accepted it. A worked solution that says the same as the answer makes it right; another one replaces it, and what was made from the old one goes.</remarks>
    /// <param name="store">The store.</param>
    /// <param name="tenant">Whose episode it is.</param>
    /// <param name="id">The episode.</param>
    /// <param name="feedback">What is known.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The episode as it stands now, or null if the tenant has none of that id.</returns>
    public static async ValueTask<Episode?> HearAsync(this IExperienceStore store, string tenant, string id, Feedback feedback, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(feedback);
        if (await store.GetEpisodeAsync(tenant, id, cancellationToken).ConfigureAwait(false) is not { } episode)
            return null;
        var heard = feedback.WorkedSolution is { } worked ? Told(episode, worked) : feedback.IsRight == true ? Right(episode) : episode with { Verdict = Verdict.Rejected, Answer = null, Final = null };
        var replaces = heard.Verdict == Verdict.Rejected || (episode.Answer is not null && heard.Final != episode.Final);
        if (!replaces)
        {
            await store.UpdateEpisodeAsync(tenant, id, e => e with { Verdict = heard.Verdict, Answer = heard.Answer, Final = heard.Final, Suspicion = heard.Suspicion }, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            // lessons and adapters made from it go with it (case 23); the episode itself comes back, whoever goes away meanwhile
            await store.ForgetAsync(tenant, id, CancellationToken.None).ConfigureAwait(false);
            await store.AppendAsync(heard, CancellationToken.None).ConfigureAwait(false);
        }

        return await store.GetEpisodeAsync(tenant, id, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The best whole attempt is the answer if there was none yet: text that the model did not end by itself is none (case 5).</summary>
    private static Episode Right(Episode episode)
    {
        var best = episode.Answer is null && AttemptLoop.Best(episode.Attempts) is { Complete: true, Final: not null } whole ? whole : null;
        return episode with { Verdict = Verdict.Verified, Answer = episode.Answer ?? best?.Text, Final = episode.Final ?? best?.Final };
    }

    private static Episode Told(Episode episode, string worked)
    {
        // the prompts that the episode was asked with know where an answer ends
        var prompts = Catalogue.Prompts.Names.Select(Catalogue.Prompts.Create).FirstOrDefault(p => p.Fingerprint == episode.Scope.PromptFingerprint) ?? new ChatPrompts();
        var final = prompts.Final(Question.FromText(episode.Question, episode.QuestionId), worked);
        return episode.Final is not null && episode.Final == final
            ? Right(episode)
            : episode with { Verdict = Verdict.Verified, Answer = worked, Final = final, Suspicion = SuspiciousText.Find(episode.Question) ?? SuspiciousText.Find(worked) };
    }
}
