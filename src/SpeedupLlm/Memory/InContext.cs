using SpeedupLlm.Experience;

namespace SpeedupLlm.Memory;

/// <summary>Options of <see cref="InContext"/>.</summary>
public sealed record InContextOptions
{
    /// <summary>Cases in the prompt, at most. At least 1; default 3: text memories gain little beyond (arXiv 2505.20643, finding 7).</summary>
    public int Cases { get; init; } = 3;

    /// <summary>Cases less similar than this are left out, in [-1, 1]; default -1: none.</summary>
    public double MinimumSimilarity { get; init; } = -1;

    /// <summary>An episode that harmed this many times more than it helped is not recalled any more (quarantine). At least 1; default 3.</summary>
    public int HarmLimit { get; init; } = 3;

    internal InContextOptions Validated()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Cases, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(HarmLimit, 1);
        if (!(MinimumSimilarity is >= -1 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(MinimumSimilarity), MinimumSimilarity, "A cosine similarity lies in [-1, 1].");
        return this;
    }
}

/// <summary>
/// The most similar accepted episodes as worked examples (In-Context of arXiv 2505.20643; choosing examples by similarity: arXiv 2101.06804).
/// </summary>
/// <remarks>
/// The most similar case stands last, next to the question. A question text appears once, verified answers before self-judged ones.
/// Learning costs nothing: the episode is in the store already. Spends no model call; costs prompt tokens on every call of a search.
/// </remarks>
/// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
public sealed class InContext(InContextOptions options) : IMemory
{
    /// <summary>The name in the catalogue.</summary>
    public const string CatalogueName = "in-context";

    private readonly InContextOptions _options = options.Validated();

    /// <summary>With the default options.</summary>
    public InContext()
        : this(new())
    {
    }

    /// <inheritdoc/>
    public string Name => CatalogueName;

    /// <inheritdoc/>
    public async ValueTask<Recalled> RecallAsync(Question question, IMemoryContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var asked = AskedText.Of(question);
        var nearest = await RememberedCases.NearestAsync(
            asked, _options.Cases, _options.HarmLimit, _options.MinimumSimilarity, context, cancellationToken).ConfigureAwait(false);
        if (nearest.Count == 0)
            return Recalled.Nothing;
        var hints = HintWindow.Fit([.. nearest.Reverse().Select(n => RememberedCases.ToHint(n.Item))], question, context);
        return new(null, hints, null, RememberedCases.RelevanceOf(asked, nearest));
    }

    /// <inheritdoc/>
    public ValueTask LearnAsync(Episode episode, IMemoryContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Learning.SameTenant(episode, context);
        return ValueTask.CompletedTask;
    }
}
