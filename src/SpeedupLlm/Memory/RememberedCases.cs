using SpeedupLlm.Experience;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring;

namespace SpeedupLlm.Memory;

/// <summary>Which past episodes may be reused, and how they become hints.</summary>
internal static class RememberedCases
{
    /// <summary>Past this many neighbours nothing new is looked for: a store full of one repeated question must not be read whole.</summary>
    private const int MostLookedAt = 512;

    private static readonly SimilarityEstimator Estimator = new();

    /// <summary>The nearest episodes: those that may be reused, and how many searches of the same kind found nothing since one did.</summary>
    public static async ValueTask<Neighbourhood> AroundAsync(AskedText asked, int count, int harmLimit, IMemoryContext context, CancellationToken cancellationToken)
    {
        var query = QueryOf(asked, context);
        if (query.IsEmpty)
            return new([], 0);
        var wanted = 2 * count;
        var found = await context.Store.NearestAsync(LookupOf(context) with { UsableOnly = false }, query, wanted, cancellationToken).ConfigureAwait(false);
        var sound = OneEach(found.Where(n => Fits(n.Item, asked) && IsSound(n.Item, harmLimit))).Take(count).ToList();
        // failures must not crowd out what is known
        var alike = sound.Count < count && found.Count == wanted
            ? await AlikeAsync(asked, count, harmLimit, context, cancellationToken).ConfigureAwait(false)
            : [.. sound.Select(n => AlikeTo(asked, n))];
        var succeeded = alike.Where(IsOfTheKind).Select(a => (DateTimeOffset?)a.Episode.At).Max();
        var vain = found.Where(n => WasInVain(n.Item) && Fits(n.Item, asked) && (succeeded is null || n.Item.At > succeeded)).Take(count).Count(n => IsOfTheKind(AlikeTo(asked, n)));
        return new(alike, vain);
    }

    /// <summary>The nearest usable episodes, best first, one a question text.</summary>
    /// <remarks>
    /// A question that was met before stands once: a repeated case costs tokens and teaches nothing. A follow-up is nobody's case and gets none: "and the
    /// second one?" is like another only in its words. Nor does a case cross standing instructions: what one application was told to answer misleads another.
    /// </remarks>
    public static async ValueTask<IReadOnlyList<Neighbour<Episode>>> NearestAsync(
        AskedText asked, int count, int harmLimit, double minimumSimilarity, IMemoryContext context, CancellationToken cancellationToken)
    {
        var query = QueryOf(asked, context);
        if (query.IsEmpty)
            return [];
        var lookup = LookupOf(context);
        for (var wanted = Math.Max(8, 2 * count); ; wanted *= 4)
        {
            var found = await context.Store.NearestAsync(lookup, query, wanted, cancellationToken).ConfigureAwait(false);
            var cases = OneEach(found.Where(n => n.Similarity >= minimumSimilarity && Fits(n.Item, asked) && IsSound(n.Item, harmLimit))).Take(count).ToList();
            if (cases.Count == count || found.Count < wanted || wanted >= MostLookedAt)
                return cases;
        }
    }

    /// <summary>The nearest usable episodes, best first, and how alike each is.</summary>
    public static async ValueTask<IReadOnlyList<AlikeCase>> AlikeAsync(AskedText asked, int count, int harmLimit, IMemoryContext context, CancellationToken cancellationToken) =>
    [
        .. (await NearestAsync(asked, count, harmLimit, -1, context, cancellationToken).ConfigureAwait(false))
            .Select(n => AlikeTo(asked, n)),
    ];

    /// <summary>The usable episodes up to <paramref name="last"/>, which is the one being learnt, oldest first, one a question text.</summary>
    /// <remarks>Others may be remembered meanwhile; they are learnt from in their own turn, and must not push this one out of the last few.</remarks>
    public static ValueTask<IReadOnlyList<Episode>> UpToAsync(
        Episode last, int count, int harmLimit, IMemoryContext context, CancellationToken cancellationToken) =>
        LatestAsync(last.Id, count, harmLimit, keepFirst: false, context, cancellationToken);

    /// <summary>The newest usable episodes, oldest first, one a question text. Of those with one question and the same final answer the first stays, so that asking again changes nothing.</summary>
    public static ValueTask<IReadOnlyList<Episode>> LatestAsync(int count, int harmLimit, IMemoryContext context, CancellationToken cancellationToken) =>
        LatestAsync(null, count, harmLimit, keepFirst: true, context, cancellationToken);

    private static async ValueTask<IReadOnlyList<Episode>> LatestAsync(
        string? upTo, int count, int harmLimit, bool keepFirst, IMemoryContext context, CancellationToken cancellationToken)
    {
        var order = new List<string>();
        var best = new Dictionary<string, Episode>(StringComparer.Ordinal);
        var looked = 0;
        await foreach (var episode in context.Store.ListAsync(LookupOf(context), cancellationToken).ConfigureAwait(false))
        {
            if (++looked > MostLookedAt)
                break;
            if (upTo is not null && order.Count == 0 && !string.Equals(episode.Id, upTo, StringComparison.Ordinal))
                continue; // newer than the one being learnt
            if (episode.IsFollowUp || !IsSound(episode, harmLimit))
                continue;
            if (best.TryGetValue(episode.Question, out var known))
            {
                if (Better(episode, known) || (keepFirst && !Better(known, episode) && SameFinal(episode, known)))
                    best[episode.Question] = episode;
                continue;
            }
            if (order.Count == count)
                break;
            order.Add(episode.Question);
            best[episode.Question] = episode;
        }
        order.Reverse();
        return [.. order.Select(q => best[q])];
    }

    /// <summary>The hint of a case.</summary>
    public static Hint ToHint(Episode episode) => new(HintKind.Case, episode.Question, episode.Answer, episode.Id);

    /// <summary>The worked case of a usable episode.</summary>
    public static Prompts.WorkedCase ToCase(Episode episode) =>
        new(episode.Question, episode.Answer ?? throw new ArgumentException("Only a usable episode has an answer.", nameof(episode)));

    /// <summary>What the context may see: usable episodes of its scope.</summary>
    public static Lookup LookupOf(IMemoryContext context) => new(context.Scope, context.Embedder.Fingerprint);

    /// <summary>How alike the nearest remembered question is; <see cref="Relevance.None"/> if nothing was found.</summary>
    public static Relevance RelevanceOf(AskedText asked, IReadOnlyList<Neighbour<Episode>> nearest) =>
        nearest.Count == 0 ? Relevance.None : AlikeTo(asked, nearest[0]).Relevance;

    /// <summary>How alike the nearest question of the scope is, for memories that do not look for cases.</summary>
    public static async ValueTask<Relevance> RelevanceAsync(AskedText asked, int harmLimit, IMemoryContext context, CancellationToken cancellationToken) =>
        RelevanceOf(asked, await NearestAsync(asked, 1, harmLimit, -1, context, cancellationToken).ConfigureAwait(false));

    /// <summary>Whether an episode may be reused: accepted or verified, and not in quarantine (case 25).</summary>
    public static bool IsSound(Episode episode, int harmLimit) => episode.Usable && episode.Harmed - episode.Helped < harmLimit;

    /// <summary>Empty where nothing is to be looked for.</summary>
    private static ReadOnlyMemory<float> QueryOf(AskedText asked, IMemoryContext context) => asked.IsFollowUp ? default : context.Embedder.Embed(asked.Text);

    private static bool Fits(Episode episode, AskedText asked) => !episode.IsFollowUp && (episode.Setting ?? "") == asked.Setting;

    private static AlikeCase AlikeTo(AskedText asked, Neighbour<Episode> neighbour) =>
        new(neighbour.Item, Estimator.Estimate(asked.Reading, TextReading.Of(neighbour.Item.Question), neighbour.Similarity));

    private static IEnumerable<Neighbour<Episode>> OneEach(IEnumerable<Neighbour<Episode>> episodes) => episodes
        .GroupBy(n => n.Item.Question, StringComparer.Ordinal)
        .Select(g => g.Aggregate((a, b) => Better(b.Item, a.Item) ? b : a));

    private static bool IsOfTheKind(AlikeCase alike) => alike.Relevance.Level is SimilarityLevel.S1 or SimilarityLevel.S2 or SimilarityLevel.S3;

    /// <summary>Whether a search was made to its end and nothing reached τ. Answers that somebody rejected are no such thing: they deserve a better search, not a shorter one.</summary>
    private static bool WasInVain(Episode episode) =>
        episode.Verdict == Verdict.Unverified && episode.Stop is StopReason.Cap or StopReason.Exhausted && episode.Attempts.Any(a => a.Error is null);

    private static bool SameFinal(Episode one, Episode other) =>
        one.Final is { } final && other.Final is { } its && AnswerComparer.AreEquivalent(final, its);

    /// <summary>Which of two episodes of one question to keep: verified before self-judged, then what helped more, else the one already held.</summary>
    private static bool Better(Episode candidate, Episode held) =>
        (candidate.Verdict == Verdict.Verified, candidate.Helped - candidate.Harmed)
            .CompareTo((held.Verdict == Verdict.Verified, held.Helped - held.Harmed)) > 0;
}

/// <summary>What is known around a question.</summary>
/// <param name="Alike">The nearest episodes that may be reused, best first, one a question text.</param>
/// <param name="Vain">Searches of the same kind (S1 to S3) that found nothing since the last one that did, counted among the nearest.</param>
internal sealed record Neighbourhood(IReadOnlyList<AlikeCase> Alike, int Vain);

/// <summary>A past episode and how alike its question is to the asked one.</summary>
internal sealed record AlikeCase(Episode Episode, Relevance Relevance);

/// <summary>What cases are looked for by.</summary>
internal sealed record AskedText(string Text, string Setting, bool IsFollowUp)
{
    private readonly Lazy<TextReading> _reading = new(() => TextReading.Of(Text));

    public TextReading Reading => _reading.Value;

    public static AskedText Of(Question question) => new(question.Text, question.Setting, question.IsFollowUp);

    public static AskedText Of(Episode episode) => new(episode.Question, episode.Setting ?? "", episode.IsFollowUp);
}
