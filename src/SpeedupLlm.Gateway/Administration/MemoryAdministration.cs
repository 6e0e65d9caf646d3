using System.Runtime.CompilerServices;
using SpeedupLlm.Experience;
using SpeedupLlm.Gateway.Completions;

namespace SpeedupLlm.Gateway.Administration;

/// <summary>Looks into the memory of a tenant, and takes things out of it. Everything is in the audit log.</summary>
internal sealed class MemoryAdministration(GatewayParts parts, ExperiencedModels models, AuditLog audit)
{
    /// <summary>Episodes, newest first of each model; with <paramref name="words"/> only those whose question or answer holds all of them.</summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="user">Of this user only, or null.</param>
    /// <param name="words">Searched without regard to case; empty for all.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async IAsyncEnumerable<Episode> FindAsync(string tenant, string? user, string words, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var wanted = words.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        foreach (var scope in await ScopesAsync(tenant, cancellationToken))
        {
            await foreach (var episode in parts.Store.ListAsync(new(scope with { User = user }, "", UsableOnly: false), cancellationToken))
            {
                if (wanted.All(w => Holds(episode.Question, w) || Holds(episode.Answer, w)))
                    yield return episode;
            }
        }
    }

    /// <summary>One episode, or null.</summary>
    public ValueTask<Episode?> GetAsync(string tenant, string id, CancellationToken cancellationToken) => parts.Store.GetEpisodeAsync(tenant, id, cancellationToken);

    /// <summary>Forgets an episode and all that was made from it; says how many records went.</summary>
    public async ValueTask<int> ForgetAsync(string tenant, string id, string by, CancellationToken cancellationToken)
    {
        var gone = await parts.Store.ForgetAsync(tenant, id, cancellationToken);
        if (gone > 0)
            audit.Write("forget", by, tenant, id, gone);
        return gone;
    }

    /// <summary>Marks an episode's answer; says whether the tenant has such an episode.</summary>
    public async ValueTask<bool> MarkAsync(string tenant, string id, Feedback feedback, string by, CancellationToken cancellationToken)
    {
        if (!await models.HearAsync(tenant, id, feedback, cancellationToken))
            return false;
        audit.Write($"mark-{VerdictOf(feedback)}", by, tenant, id, 1);
        return true;
    }

    /// <summary>What feedback says, in a word.</summary>
    public static string VerdictOf(Feedback feedback) => feedback.WorkedSolution is not null ? "corrected" : feedback.IsRight == true ? "right" : "wrong";

    /// <summary>Forgets everything of a user: episodes, and the lessons and adapters made from them; says how many records went.</summary>
    public async ValueTask<int> EraseAsync(string tenant, string user, string by, CancellationToken cancellationToken)
    {
        var ids = new List<string>();
        await foreach (var episode in FindAsync(tenant, user, "", cancellationToken))
            ids.Add(episode.Id);
        var gone = 0;
        foreach (var id in ids)
            gone += await parts.Store.ForgetAsync(tenant, id, cancellationToken);
        audit.Write("erase", by, tenant, user, gone);
        return gone;
    }

    /// <summary>Forgets what was answered before <paramref name="before"/>; says how many records went.</summary>
    public async ValueTask<int> ExpireAsync(string tenant, DateTimeOffset before, CancellationToken cancellationToken)
    {
        var ids = new List<string>();
        await foreach (var episode in FindAsync(tenant, null, "", cancellationToken))
        {
            if (episode.At < before)
                ids.Add(episode.Id);
        }
        var gone = 0;
        foreach (var id in ids)
            gone += await parts.Store.ForgetAsync(tenant, id, cancellationToken);
        if (gone > 0)
            audit.Write("retention", "retention", tenant, null, gone);
        return gone;
    }

    /// <summary>One scope a model and prompt set: a null user and conversation shows those of all.</summary>
    private async ValueTask<IEnumerable<Scope>> ScopesAsync(string tenant, CancellationToken cancellationToken) =>
        (await parts.Store.ScopesAsync(tenant, cancellationToken)).Select(s => s with { User = null, Conversation = null }).Distinct();

    private static bool Holds(string? text, string word) => text?.Contains(word, StringComparison.OrdinalIgnoreCase) == true;
}
