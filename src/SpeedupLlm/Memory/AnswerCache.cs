using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Guard;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Memory;

/// <summary>Options of <see cref="AnswerCache"/>.</summary>
public sealed record AnswerCacheOptions
{
    /// <summary>δ: of the answers that are given to rewordings, at most this share may be wrong. In (0, 1); default 0.02.</summary>
    public double Delta { get; init; } = 0.02;

    /// <summary>α: the chance that rewordings are answered although more than δ of them would be wrong. In (0, 1); default 0.05.</summary>
    public double Alpha { get; init; } = 0.05;

    /// <summary>Evidence from elsewhere that rewordings of this kind of question have the remembered question's answer, with a promise of its own; null starts without. Default null.</summary>
    /// <remarks>It counts for verified answers only: how often a scorer accepts a wrong one it cannot know.</remarks>
    public ReuseEvidence? Prior { get; init; }

    /// <summary>The share of rewordings that are searched anew, without what memory holds of them, to go on learning. In (0, 1); default 0.02.</summary>
    public double CheckShare { get; init; } = 0.02;

    /// <summary>Answers older than this are searched anew, verified or not; null is never. Above zero; default null.</summary>
    public TimeSpan? MaximumAge { get; init; }

    /// <summary>An episode that was wrong this many times more than it was right is not answered with any more. At least 1; default 1.</summary>
    public int HarmLimit { get; init; } = 1;

    internal AnswerCacheOptions Validated()
    {
        foreach (var (name, share) in new[] { (nameof(Delta), Delta), (nameof(Alpha), Alpha), (nameof(CheckShare), CheckShare) })
        {
            if (!(share is > 0 and < 1))
                throw new ArgumentOutOfRangeException(name, share, $"{name} is in (0, 1).");
        }
        if (MaximumAge <= TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(nameof(MaximumAge), MaximumAge, "The maximum age is above zero.");
        ArgumentOutOfRangeException.ThrowIfLessThan(HarmLimit, 1);
        return this;
    }
}

/// <summary>Answers a question that was answered before, without any model call.</summary>
/// <remarks>
/// The same question (equal <see cref="QuestionKey"/>: text but for its spelling, and all of its context) gets the answer of its accepted or verified
/// episode. A rewording (S2: other words, the same numbers, names and units) gets it only once there is evidence that at most δ of such answers are
/// wrong (<see cref="ReuseEvidence"/>), kept apart for answers that somebody verified and for those that only the scorer accepted; until then, and for
/// a share of them afterwards, it is searched, and what a search that saw none of it accepts is the check.
/// Never across different numbers. Accepted answers to one question, or to its rewordings, that differ are a contradiction: none is given until one is verified.
/// Where it gives nothing the search goes on as without memory.
/// </remarks>
/// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
public sealed class AnswerCache(AnswerCacheOptions options) : IMemory
{
    /// <summary>The name in the catalogue.</summary>
    public const string CatalogueName = "answer-cache";

    /// <summary>The kind of the document that names the episode of a question; its key is the question's key.</summary>
    public const string Kind = "answer";

    private const string Contradicted = "contradicted";

    // of the nearest, the first that is a rewording counts
    private const int LookedAt = 8;

    // in a longer text (a pasted document) the few words that matter are lost among those that are the same
    private const int LongestReworded = 1000;

    private readonly AnswerCacheOptions _options = options.Validated();
    private readonly StoredEvidence _verified = new("S2", CatalogueName, options.Prior ?? ReuseEvidence.None(options.Delta, options.Alpha));
    private readonly StoredEvidence _judged = new("S2/judged", CatalogueName, ReuseEvidence.None(options.Delta, options.Alpha));

    /// <summary>With the default options.</summary>
    public AnswerCache()
        : this(new())
    {
    }

    /// <inheritdoc/>
    public string Name => CatalogueName;

    /// <inheritdoc/>
    public bool GivesAnswers => true;

    /// <inheritdoc/>
    public async ValueTask<Recalled> RecallAsync(Question question, IMemoryContext context, CancellationToken cancellationToken)
    {
        if (await SameAsync(question, context, cancellationToken).ConfigureAwait(false) is { } same)
            return same;
        var alike = await RememberedCases.AlikeAsync(AskedText.Of(question), LookedAt, _options.HarmLimit, context, cancellationToken).ConfigureAwait(false);
        return (await RewordedAsync(question, alike, context, cancellationToken).ConfigureAwait(false)).Recalled;
    }

    /// <summary>What is recalled for the very question; null if it was never answered.</summary>
    internal async ValueTask<Recalled?> SameAsync(Question question, IMemoryContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (QuestionKey.Of(question) is not { } key)
            return Recalled.Nothing;
        if (await context.Store.GetAsync(context.Scope, Kind, key, cancellationToken).ConfigureAwait(false) is not { } known)
            return null;
        return await EpisodeOfAsync(known, context, cancellationToken).ConfigureAwait(false) is { } same ? Give(same, new(SimilarityLevel.S1, 1, 1)) : Recalled.Nothing;
    }

    /// <summary>What is recalled for a question of which only rewordings may be known, and whether the search is to check it: then it must see nothing of it.</summary>
    internal async ValueTask<(Recalled Recalled, bool IsCheck)> RewordedAsync(
        Question question, IReadOnlyList<AlikeCase> alike, IMemoryContext context, CancellationToken cancellationToken)
    {
        var reworded = Reworded(question.Context, null, alike, context);
        if (reworded.Count == 0)
            return (Recalled.Nothing, false);
        var unknown = Recalled.Nothing with { Relevance = reworded[0].Relevance };
        if (new StreamRandom(context.Stream.Child(CatalogueName)).NextDouble() < _options.CheckShare)
            return (unknown, true);
        if (await AgreedAsync(reworded, context, cancellationToken).ConfigureAwait(false) is not { } agreed)
            return (unknown, false);
        var evidence = await EvidenceOf(agreed.Episode).ReadAsync(context, cancellationToken).ConfigureAwait(false);
        return (evidence.Serves(agreed.Relevance.Confidence) ? Give(agreed.Episode, agreed.Relevance) : unknown, false);
    }

    /// <inheritdoc/>
    /// <exception cref="MemoryConflictException">Other learners were faster again and again.</exception>
    public async ValueTask LearnAsync(Episode episode, IMemoryContext context, CancellationToken cancellationToken)
    {
        if (!await Learning.MayAnswerAsync(episode, context, cancellationToken).ConfigureAwait(false) || episode.Final is null
            || QuestionKey.Of(episode.Question, episode.Context ?? "") is not { } key)
            return;
        await CheckAsync(episode, context, cancellationToken).ConfigureAwait(false);
        for (var round = 0; round < Learning.MostRounds; round++)
        {
            var held = await context.Store.GetAsync(context.Scope, Kind, key, cancellationToken).ConfigureAwait(false);
            if (await RevisedAsync(held, episode, key, context, cancellationToken).ConfigureAwait(false) is not { } revised
                || await Learning.PublishAsync(revised, revised.Sources, context, cancellationToken).ConfigureAwait(false) is not null)
                return;
        }
        throw Learning.Conflict(CatalogueName);
    }

    /// <inheritdoc/>
    public async ValueTask HearAsync(Solution solution, bool isRight, IMemoryContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(solution);
        if (solution.Used is { Answer: not null, Relevance: { Level: SimilarityLevel.S2, Confidence: var confidence } })
        {
            // feedback came first and may have changed the episode's verdict: what counts is what was known when it was given
            var given = solution.Used.Answer.Verdict == Verdict.Verified ? _verified : _judged;
            await given.AddAsync(confidence, !isRight, context, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>A search that saw nothing of memory, or somebody who knows, checks what a rewording's answer would have been.</summary>
    private async ValueTask CheckAsync(Episode episode, IMemoryContext context, CancellationToken cancellationToken)
    {
        // an answer that leant on a case repeats that case, right or wrong
        if (episode.Hints.Count > 0 && episode.Verdict != Verdict.Verified)
            return;
        var alike = await RememberedCases.AlikeAsync(AskedText.Of(episode), LookedAt, _options.HarmLimit, context, cancellationToken).ConfigureAwait(false);
        if (await AgreedAsync(Reworded(episode.Context ?? "", episode.Id, alike, context), context, cancellationToken).ConfigureAwait(false) is not { } agreed)
            return;
        var agrees = await context.Answers.AreEquivalentAsync(episode.Final!, agreed.Episode.Final!, null, cancellationToken).ConfigureAwait(false);
        await EvidenceOf(agreed.Episode).AddAsync(agreed.Relevance.Confidence, !agrees, context, cancellationToken).ConfigureAwait(false);
    }

    private StoredEvidence EvidenceOf(Episode episode) => episode.Verdict == Verdict.Verified ? _verified : _judged;

    /// <summary>What is known of a question after one more episode of it; null if nothing changes.</summary>
    private async ValueTask<MemoryDocument?> RevisedAsync(MemoryDocument? held, Episode episode, string key, IMemoryContext context, CancellationToken cancellationToken)
    {
        var fresh = new MemoryDocument { Kind = Kind, Key = key, Scope = context.Scope, Sources = [episode.Id], Version = held?.Version ?? 0, At = episode.At };
        if (held is null || held.Sources is not [var source, ..] || (source != episode.Id && await SoundAsync(source, context, cancellationToken).ConfigureAwait(false) is null))
            return fresh;
        if (held.Sources.Contains(episode.Id, StringComparer.Ordinal))
            return episode.Verdict == Verdict.Verified && held.Text == Contradicted ? fresh : null;
        var other = (await SoundAsync(source, context, cancellationToken).ConfigureAwait(false))!;
        var verified = (Now: episode.Verdict == Verdict.Verified, Before: other.Verdict == Verdict.Verified);
        if (await context.Answers.AreEquivalentAsync(episode.Final!, other.Final!, null, cancellationToken).ConfigureAwait(false))
            return verified is { Now: true, Before: false } || IsOld(other, context) ? fresh : null;
        return verified switch
        {
            (true, _) => fresh,
            (false, true) => null,
            _ => fresh with { Text = Contradicted, Sources = [source, episode.Id] },
        };
    }

    /// <summary>The episode that a question is answered with, if it still may be.</summary>
    private async ValueTask<Episode?> EpisodeOfAsync(MemoryDocument known, IMemoryContext context, CancellationToken cancellationToken)
    {
        if (known.Sources is not [var source, ..] || await SoundAsync(source, context, cancellationToken).ConfigureAwait(false) is not { } episode)
            return null;
        return IsOld(episode, context) || (known.Text == Contradicted && episode.Verdict != Verdict.Verified) ? null : episode;
    }

    private async ValueTask<Episode?> SoundAsync(string id, IMemoryContext context, CancellationToken cancellationToken) =>
        await context.Store.GetEpisodeAsync(context.Scope.Tenant, id, cancellationToken).ConfigureAwait(false) is { Final: not null } episode
        && RememberedCases.IsSound(episode, _options.HarmLimit) ? episode : null;

    private bool IsOld(Episode episode, IMemoryContext context) => context.Now - episode.At > _options.MaximumAge;

    /// <summary>The episodes whose questions are the asked one in other words, nearest first.</summary>
    private List<AlikeCase> Reworded(string questionContext, string? except, IReadOnlyList<AlikeCase> alike, IMemoryContext context) =>
    [
        .. alike.Where(a => a.Relevance.Level == SimilarityLevel.S2 && a.Episode.Question.Length <= LongestReworded && a.Episode.Id != except && a.Episode.Final is not null
            && RememberedCases.IsSound(a.Episode, _options.HarmLimit) && !IsOld(a.Episode, context) && (a.Episode.Context ?? "") == questionContext),
    ];

    /// <summary>The one to answer with: the latest verified, else the nearest if all have the same answer; null if they contradict each other.</summary>
    private static async ValueTask<AlikeCase?> AgreedAsync(IReadOnlyList<AlikeCase> reworded, IMemoryContext context, CancellationToken cancellationToken)
    {
        if (reworded.Where(a => a.Episode.Verdict == Verdict.Verified).MaxBy(a => a.Episode.At) is { } verified)
            return verified;
        foreach (var other in reworded.Skip(1))
        {
            if (!await context.Answers.AreEquivalentAsync(reworded[0].Episode.Final!, other.Episode.Final!, null, cancellationToken).ConfigureAwait(false))
                return null;
        }
        return reworded.Count > 0 ? reworded[0] : null;
    }

    private static Recalled Give(Episode episode, Relevance relevance) =>
        new(new(episode.Answer!, episode.Final, episode.Id, episode.Verdict), [], null, relevance);
}
