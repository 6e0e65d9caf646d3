using SpeedupLlm.Experience;

namespace SpeedupLlm.Memory;

/// <summary>Options of <see cref="MultiReflect"/>.</summary>
public sealed record MultiReflectOptions
{
    /// <summary>Episodes that a lesson is made from, at most: the last ones. At least 1; default 3.</summary>
    public int Episodes { get; init; } = 3;

    /// <summary>Lessons in the prompt, at most. At least 1; default 1: a lesson speaks for several episodes already, and its neighbours share them.</summary>
    public int Lessons { get; init; } = 1;

    /// <summary>The length of a lesson in characters, at most; longer ones are cut at a sentence. At least 40; default 900.</summary>
    public int MaximumCharacters { get; init; } = 900;

    /// <summary>Episodes that harmed this many times more than they helped are neither learnt nor recalled any more. At least 1; default 3.</summary>
    public int HarmLimit { get; init; } = 3;

    internal MultiReflectOptions Validated()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Episodes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Lessons, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaximumCharacters, 40);
        ArgumentOutOfRangeException.ThrowIfLessThan(HarmLimit, 1);
        return this;
    }
}

/// <summary>
/// One lesson from the last few episodes together, written anew after each (Multi-Reflect of arXiv 2505.20643; comparing episodes: ExpeL, arXiv 2308.10144).
/// </summary>
/// <remarks>Learning spends one model call an episode, with several cases in its prompt; recalling spends none.</remarks>
/// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
public sealed class MultiReflect(MultiReflectOptions options) : IMemory
{
    /// <summary>The name in the catalogue.</summary>
    public const string CatalogueName = "multi-reflect";

    private readonly MultiReflectOptions _options = options.Validated();

    /// <summary>With the default options.</summary>
    public MultiReflect()
        : this(new())
    {
    }

    /// <inheritdoc/>
    public string Name => CatalogueName;

    /// <inheritdoc/>
    public ValueTask<Recalled> RecallAsync(Question question, IMemoryContext context, CancellationToken cancellationToken) =>
        RememberedLessons.RecallAsync(question, _options.Lessons, _options.HarmLimit, context, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask LearnAsync(Episode episode, IMemoryContext context, CancellationToken cancellationToken)
    {
        if (!await Learning.MayLearnAsync(episode, context, cancellationToken).ConfigureAwait(false))
            return;
        var key = $"{CatalogueName}/{episode.Id}";
        if (await context.Store.GetAsync(context.Scope, RememberedLessons.Kind, key, cancellationToken).ConfigureAwait(false) is not null)
            return; // learnt before
        var episodes = await RememberedCases.UpToAsync(episode, _options.Episodes, _options.HarmLimit, context, cancellationToken).ConfigureAwait(false);
        if (episodes.Count == 0)
            return; // quarantined or forgotten meanwhile
        var prompt = context.Prompts.Reflect([.. episodes.Select(RememberedCases.ToCase)]);
        var reply = await context.AskAsync(prompt, context.Stream.Child(CatalogueName), cancellationToken).ConfigureAwait(false);
        if (LessonText.Read(reply, _options.MaximumCharacters) is not { } text)
            return;
        var sources = episodes.Select(e => e.Id).ToList();
        await Learning.PublishAsync(
            new()
            {
                Kind = RememberedLessons.Kind,
                Key = key,
                Scope = context.Scope,
                Text = text,
                Sources = sources,
                Embedding = Centre(episodes.Select(e => context.Embedder.Embed(e.Question)), context.Embedder.Dimensions),
                EmbeddingFingerprint = context.Embedder.Fingerprint,
                At = episode.At,
            },
            sources, context, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The unit vector in the middle, so that the lesson is near each of its questions. Summed in order: the same bits everywhere.</summary>
    private static ReadOnlyMemory<float> Centre(IEnumerable<ReadOnlyMemory<float>> vectors, int dimensions)
    {
        var sum = new float[dimensions];
        foreach (var vector in vectors)
        {
            for (var i = 0; i < vector.Length; i++)
                sum[i] += vector.Span[i];
        }
        var square = 0f;
        foreach (var x in sum)
            square += x * x;
        if (square == 0)
            return default;
        var length = MathF.Sqrt(square);
        for (var i = 0; i < sum.Length; i++)
            sum[i] /= length;
        return sum;
    }
}
