using SpeedupLlm.Experience;

namespace SpeedupLlm.Memory;

/// <summary>Options of <see cref="ReflectUpdate"/>.</summary>
public sealed record ReflectUpdateOptions
{
    /// <summary>The length of the running lesson in characters, at most; what is longer is cut at a sentence (case 35). At least 40; default 1200.</summary>
    public int MaximumCharacters { get; init; } = 1200;

    /// <summary>Episodes that one running lesson may come from. After so many it is written anew from the last ones, so that its list of sources, and what forgetting one of them costs, stays bounded. At least 1; default 256.</summary>
    public int MaximumSources { get; init; } = 256;

    /// <summary>Episodes that a lesson is begun from when there is none: at first, after one of its episodes was forgotten or found wrong, and after <see cref="MaximumSources"/>. A model call each. At least 1; default 3.</summary>
    public int BeginFrom { get; init; } = 3;

    /// <summary>Episodes that harmed this many times more than they helped end the lesson that came from them. At least 1; default 3.</summary>
    public int HarmLimit { get; init; } = 3;

    internal ReflectUpdateOptions Validated()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaximumCharacters, 40);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaximumSources, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(BeginFrom, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(HarmLimit, 1);
        return this;
    }
}

/// <summary>
/// One running lesson a scope, revised with each episode (Reflect-Update of arXiv 2505.20643; kindred: Dynamic Cheatsheet, arXiv 2504.07952, and ACE, arXiv 2510.04618).
/// </summary>
/// <remarks>
/// Learning spends one model call an episode, more when several learn at once: each revision starts from the lesson that is stored
/// (compare and swap), so none is lost. Recalling spends none; the same lesson stands in every prompt, which prefix caches like.
/// </remarks>
/// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
public sealed class ReflectUpdate(ReflectUpdateOptions options) : IMemory
{
    /// <summary>The name in the catalogue.</summary>
    public const string CatalogueName = "reflect-update";

    /// <summary>The kind of the document.</summary>
    public const string Kind = "running-lesson";

    private const string Key = "current";

    private readonly ReflectUpdateOptions _options = options.Validated();

    /// <summary>With the default options.</summary>
    public ReflectUpdate()
        : this(new())
    {
    }

    /// <inheritdoc/>
    public string Name => CatalogueName;

    /// <inheritdoc/>
    public async ValueTask<Recalled> RecallAsync(Question question, IMemoryContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var query = context.Embedder.Embed(question.Text);
        if (query.IsEmpty)
            return Recalled.Nothing;
        var lesson = await context.Store.GetAsync(context.Scope, Kind, Key, cancellationToken).ConfigureAwait(false);
        if (lesson is null || lesson.Text.Length == 0
            || await Learning.IsTaintedAsync(lesson, _options.HarmLimit, context, cancellationToken).ConfigureAwait(false))
            return Recalled.Nothing;
        var relevance = await RememberedCases.RelevanceAsync(AskedText.Of(question), _options.HarmLimit, context, cancellationToken).ConfigureAwait(false);
        return new(null, HintWindow.Fit([RememberedLessons.ToHint(lesson)], question, context), null, relevance);
    }

    /// <inheritdoc/>
    /// <exception cref="MemoryConflictException">Other learners were faster again and again.</exception>
    public async ValueTask LearnAsync(Episode episode, IMemoryContext context, CancellationToken cancellationToken)
    {
        if (!await Learning.MayLearnAsync(episode, context, cancellationToken).ConfigureAwait(false))
            return;
        // who is overtaken has asked the model in vain
        var turn = await context.Store.TakeTurnAsync(context.Scope, Kind, cancellationToken).ConfigureAwait(false);
        await using var _ = turn.ConfigureAwait(false);
        for (var round = 0; round < Learning.MostRounds; round++)
        {
            var held = await context.Store.GetAsync(context.Scope, Kind, Key, cancellationToken).ConfigureAwait(false);
            var anew = held is null || held.Text.Length == 0 || held.Sources.Count >= _options.MaximumSources
                || await Learning.IsTaintedAsync(held, _options.HarmLimit, context, cancellationToken).ConfigureAwait(false);
            if (!anew && held!.Sources.Contains(episode.Id, StringComparer.Ordinal))
                return; // learnt before
            IReadOnlyList<Episode> cases = anew
                ? await RememberedCases.UpToAsync(episode, _options.BeginFrom, _options.HarmLimit, context, cancellationToken).ConfigureAwait(false)
                : [episode];
            var text = anew ? "" : held!.Text;
            var read = new List<string>();
            foreach (var one in cases)
            {
                var prompt = context.Prompts.Update(text, RememberedCases.ToCase(one), _options.MaximumCharacters);
                var stream = context.Stream.Child(CatalogueName).Child(round).Child(read.Count);
                var reply = await context.AskAsync(prompt, stream, cancellationToken).ConfigureAwait(false);
                if (LessonText.Read(reply, _options.MaximumCharacters) is not { } revised)
                    continue; // the lesson stays as it was; this episode taught nothing
                text = revised;
                read.Add(one.Id);
            }
            if (read.Count == 0)
                return;
            var document = new MemoryDocument
            {
                Kind = Kind,
                Key = Key,
                Scope = context.Scope,
                Text = text,
                Sources = [.. anew ? [] : held!.Sources, .. read],
                Version = held?.Version ?? 0,
                At = episode.At,
            };
            if (await Learning.PublishAsync(document, read, context, cancellationToken).ConfigureAwait(false) is not null)
                return;
        }
        throw Learning.Conflict(CatalogueName);
    }
}
