using SpeedupLlm.Guard;

namespace SpeedupLlm.Experience;

/// <summary>Says how accurate answers are, from what the scorer said of all and what somebody who knows said of some.</summary>
public static class EpisodeAudit
{
    private const int MostLookedAt = 10_000;

    /// <summary>The accuracy of the newest 10,000 answers of a scope, with the scorer's bias taken off (prediction-powered inference, arXiv 2301.09633); null with too few audited ones.</summary>
    /// <remarks>Audited is what has feedback. It must have been picked by chance (<see cref="PickAsync"/>): feedback from people who complain says little of those who do not.</remarks>
    public static async ValueTask<AuditedAccuracy?> AccuracyAsync(this IExperienceStore store, Scope scope, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        var (audited, judged) = (new List<(double, bool)>(), new List<double>());
        var looked = 0;
        await foreach (var episode in store.ListAsync(new(scope, "", UsableOnly: false), cancellationToken).ConfigureAwait(false))
        {
            if (++looked > MostLookedAt)
                break;
            var score = episode.Score ?? 0;
            if (IsAudited(episode))
                audited.Add((score, episode.Verdict == Verdict.Verified));
            else
                judged.Add(score);
        }
        return AuditedAccuracy.Of(audited, judged);
    }

    /// <summary>Answers to audit, each of the newest 10,000 without feedback with the same chance.</summary>
    /// <param name="store">The store.</param>
    /// <param name="scope">Whose answers.</param>
    /// <param name="count">How many at most, at least 1.</param>
    /// <param name="stream">The stream of chance.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async ValueTask<IReadOnlyList<Episode>> PickAsync(
        this IExperienceStore store, Scope scope, int count, Compute.StreamKey stream, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var (picked, seen, looked) = (new List<Episode>(), 0, 0);
        await foreach (var episode in store.ListAsync(new(scope, "", UsableOnly: false), cancellationToken).ConfigureAwait(false))
        {
            if (++looked > MostLookedAt)
                break;
            if (IsAudited(episode) || episode.Attempts.Count == 0)
                continue;
            // a reservoir: the n-th takes a place with chance count / n
            var place = (int)(new Compute.StreamRandom(stream.Child(seen++)).NextDouble() * seen);
            if (picked.Count < count)
                picked.Add(episode);
            else if (place < count)
                picked[place] = episode;
        }
        return picked;
    }

    private static bool IsAudited(Episode episode) => episode.Verdict is Verdict.Verified or Verdict.Rejected;
}
