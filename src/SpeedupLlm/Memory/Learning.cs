using SpeedupLlm.Experience;

namespace SpeedupLlm.Memory;

/// <summary>What all memories that write documents obey.</summary>
internal static class Learning
{
    /// <summary>How often a writer that was overtaken starts again. Of n writers at least one gets through each round, so this is also the number of concurrent learners of one scope that surely succeed.</summary>
    public const int MostRounds = 64;

    /// <summary>Memory never crosses a tenant (case 26).</summary>
    /// <exception cref="ArgumentException">The episode belongs to somebody else.</exception>
    public static void SameTenant(Episode episode, IMemoryContext context)
    {
        if (!string.Equals(episode.Scope.Tenant, context.Scope.Tenant, StringComparison.Ordinal))
            throw new ArgumentException("The episode belongs to another tenant.", nameof(episode));
    }

    /// <summary>Whether to learn from an episode: it is usable (case 25), of this tenant, and was not forgotten meanwhile.</summary>
    /// <remarks>A follow-up says nothing without its turns; only the very same conversation may be answered with it, which is up to the answer cache.</remarks>
    public static async ValueTask<bool> MayLearnAsync(Episode episode, IMemoryContext context, CancellationToken cancellationToken) =>
        await MayAnswerAsync(episode, context, cancellationToken).ConfigureAwait(false) && !episode.IsFollowUp;

    /// <summary>Whether an episode may be given as the answer to its own question: usable, of this tenant, and not forgotten meanwhile.</summary>
    public static async ValueTask<bool> MayAnswerAsync(Episode episode, IMemoryContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        SameTenant(episode, context);
        return episode.Usable && await IsKeptAsync(episode.Id, context, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes a document made from <paramref name="read"/>; null if another writer was faster.</summary>
    /// <remarks>
    /// An episode may be forgotten between being read and the document being written; then the document would outlive its source.
    /// So the sources are looked up again after the write, and forgetting is repeated for those that are gone.
    /// </remarks>
    public static async ValueTask<MemoryDocument?> PublishAsync(
        MemoryDocument document, IEnumerable<string> read, IMemoryContext context, CancellationToken cancellationToken)
    {
        var stored = await context.Store.PutAsync(document, cancellationToken).ConfigureAwait(false);
        if (stored is null)
            return null;
        foreach (var id in read)
        {
            // once written, the check must run to its end, whoever goes away
            if (!await IsKeptAsync(id, context, CancellationToken.None).ConfigureAwait(false))
                await context.Store.ForgetAsync(context.Scope.Tenant, id, CancellationToken.None).ConfigureAwait(false);
        }
        return stored;
    }

    /// <summary>Whether one of a document's episodes was found wrong, or harms, since the document was written. Episodes that a bounded store let go say nothing.</summary>
    public static async ValueTask<bool> IsTaintedAsync(MemoryDocument document, int harmLimit, IMemoryContext context, CancellationToken cancellationToken)
    {
        foreach (var id in document.Sources)
        {
            var episode = await context.Store.GetEpisodeAsync(context.Scope.Tenant, id, cancellationToken).ConfigureAwait(false);
            if (episode is not null && !RememberedCases.IsSound(episode, harmLimit))
                return true;
        }
        return false;
    }

    /// <summary>Revises a memory's own state, however many do so at once: nothing is lost.</summary>
    /// <param name="kind">The kind of the document.</param>
    /// <param name="key">Its key.</param>
    /// <param name="revise">The new content from what is held (null: nothing yet); pure, since it may be asked again.</param>
    /// <param name="memory">Whose state it is, for the error.</param>
    /// <param name="context">The scope and the time.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="MemoryConflictException">Other writers were faster again and again.</exception>
    public static async ValueTask ReviseAsync(
        string kind, string key, Func<MemoryDocument?, byte[]> revise, string memory, IMemoryContext context, CancellationToken cancellationToken)
    {
        for (var round = 0; round < MostRounds; round++)
        {
            var held = await context.Store.GetAsync(context.Scope, kind, key, cancellationToken).ConfigureAwait(false);
            var document = new MemoryDocument { Kind = kind, Key = key, Scope = context.Scope, Content = revise(held), Version = held?.Version ?? 0, At = context.Now };
            if (await context.Store.PutAsync(document, cancellationToken).ConfigureAwait(false) is not null)
                return;
        }
        throw Conflict(memory);
    }

    /// <summary>Says that a writer was overtaken too often.</summary>
    public static MemoryConflictException Conflict(string memory) => new(memory, MostRounds);

    private static async ValueTask<bool> IsKeptAsync(string id, IMemoryContext context, CancellationToken cancellationToken) =>
        await context.Store.GetEpisodeAsync(context.Scope.Tenant, id, cancellationToken).ConfigureAwait(false) is not null;
}

/// <summary>Other writers of the same memory were faster every time. Nothing was lost but this lesson. Remedy: learn again, or fewer learners at once.</summary>
public sealed class MemoryConflictException(string memory, int rounds)
    : Exception(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"The memory '{memory}' was overtaken by other writers {rounds} times in a row."))
{
    /// <summary>The memory's name in the catalogue.</summary>
    public string Memory { get; } = memory;

    /// <summary>How often it tried.</summary>
    public int Rounds { get; } = rounds;
}
