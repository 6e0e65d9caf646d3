using SpeedupLlm.Experience;

namespace SpeedupLlm.Memory;

/// <summary>Options of <see cref="Reflect"/>.</summary>
public sealed record ReflectOptions
{
    /// <summary>Lessons in the prompt, at most. At least 1; default 3.</summary>
    public int Lessons { get; init; } = 3;

    /// <summary>The length of a lesson in characters, at most; longer ones are cut at a sentence. At least 40; default 600.</summary>
    public int MaximumCharacters { get; init; } = 600;

    /// <summary>Lessons from an episode that harmed this many times more than it helped are not recalled any more. At least 1; default 3.</summary>
    public int HarmLimit { get; init; } = 3;

    internal ReflectOptions Validated()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Lessons, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaximumCharacters, 40);
        ArgumentOutOfRangeException.ThrowIfLessThan(HarmLimit, 1);
        return this;
    }
}

/// <summary>
/// One written lesson from each episode; those of the most similar questions are recalled (Reflect of arXiv 2505.20643, after Reflexion, arXiv 2303.11366).
/// </summary>
/// <remarks>Learning spends one model call an episode; recalling spends none. A failed, cut or garbled lesson is not stored.</remarks>
/// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
public sealed class Reflect(ReflectOptions options) : IMemory
{
    /// <summary>The name in the catalogue.</summary>
    public const string CatalogueName = "reflect";

    private readonly ReflectOptions _options = options.Validated();

    /// <summary>With the default options.</summary>
    public Reflect()
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
        var prompt = context.Prompts.Reflect([RememberedCases.ToCase(episode)]);
        var reply = await context.AskAsync(prompt, context.Stream.Child(CatalogueName), cancellationToken).ConfigureAwait(false);
        if (LessonText.Read(reply, _options.MaximumCharacters) is not { } text)
            return;
        // null: somebody else wrote the lesson of this very episode meanwhile
        await Learning.PublishAsync(
            new()
            {
                Kind = RememberedLessons.Kind,
                Key = key,
                Scope = context.Scope,
                Text = text,
                Sources = [episode.Id],
                Embedding = context.Embedder.Embed(episode.Question),
                EmbeddingFingerprint = context.Embedder.Fingerprint,
                At = episode.At,
            },
            [episode.Id], context, cancellationToken).ConfigureAwait(false);
    }
}
