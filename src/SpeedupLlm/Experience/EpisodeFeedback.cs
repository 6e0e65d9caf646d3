using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Experience;

/// <summary>Hears what somebody who knows says of a stored episode.</summary>
public static class EpisodeFeedback
{
    /// <summary>Marks an episode right or wrong. A wrong one is not used again, nor what was made from it; a right one may be, also if the scorer had not accepted it.</summary>
    /// <returns>The episode as it stands now, or null if the tenant has none of that id.</returns>
    public static async ValueTask<Episode?> JudgeAsync(this IExperienceStore store, string tenant, string id, bool isRight, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (await store.GetEpisodeAsync(tenant, id, cancellationToken).ConfigureAwait(false) is not { } episode)
            return null;
        if (isRight)
        {
            await store.UpdateEpisodeAsync(tenant, id, Right, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            // lessons and adapters made from it go with it (case 23); the episode itself comes back, whoever goes away meanwhile
            await store.ForgetAsync(tenant, id, CancellationToken.None).ConfigureAwait(false);
            await store.AppendAsync(episode with { Verdict = Verdict.Rejected, Answer = null, Final = null }, CancellationToken.None).ConfigureAwait(false);
        }
        return await store.GetEpisodeAsync(tenant, id, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The best whole attempt is the answer if there was none yet: text that the model did not end by itself is none (case 5).</summary>
    private static Episode Right(Episode episode)
    {
        var best = episode.Answer is null && AttemptLoop.Best(episode.Attempts) is { Complete: true, Final: not null } whole ? whole : null;
        return episode with { Verdict = Verdict.Verified, Answer = episode.Answer ?? best?.Text, Final = episode.Final ?? best?.Final };
    }
}
