using System.Text;
using SpeedupLlm.Experience;

namespace SpeedupLlm.Memory;

/// <summary>Options of <see cref="Placebo"/>.</summary>
public sealed record PlaceboOptions
{
    /// <summary>Everyday English that has nothing to do with any question.</summary>
    public const string DefaultText =
        "The bus stops by the old bridge. Rain is likely in the evening. The garden has roses and two apple trees. "
        + "A cat sleeps on the warm stone wall. The bakery opens early and smells of bread. Children play near the river. "
        + "The train was late because of snow. Someone left a blue umbrella in the hall. The library is quiet after lunch. "
        + "A band plays in the park on Sunday. The lamp in the kitchen is broken. Boats go out when the wind is low.";

    /// <summary>The irrelevant text; repeated when it is too short. Default <see cref="DefaultText"/>.</summary>
    public string Text { get; init; } = DefaultText;

    /// <summary>The In-Context memory whose length is imitated.</summary>
    public InContextOptions Like { get; init; } = new();

    internal PlaceboOptions Validated()
    {
        if (string.IsNullOrWhiteSpace(Text))
            throw new ArgumentException("The placebo needs words.", nameof(Text));
        Like.Validated();
        return this;
    }
}

/// <summary>
/// The benchmark's control: in place of each case that In-Context would give stands irrelevant text of equal length.
/// What it gains or loses comes from a longer prompt, not from experience (kindred control: arXiv 2202.12837).
/// </summary>
/// <remarks>Equal length: the same number of characters, less at most the rest of a word. Spends no model call.</remarks>
public sealed class Placebo : IMemory
{
    /// <summary>The name in the catalogue.</summary>
    public const string CatalogueName = "placebo";

    private readonly InContext _like;
    private readonly string[] _words;

    /// <summary>With the default options.</summary>
    public Placebo()
        : this(new())
    {
    }

    /// <summary>With options.</summary>
    /// <exception cref="ArgumentException">The text is empty.</exception>
    public Placebo(PlaceboOptions options)
    {
        options.Validated();
        _like = new(options.Like);
        _words = options.Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
    }

    /// <inheritdoc/>
    public string Name => CatalogueName;

    /// <inheritdoc/>
    public async ValueTask<Recalled> RecallAsync(Question question, IMemoryContext context, CancellationToken cancellationToken)
    {
        var real = await _like.RecallAsync(question, context, cancellationToken).ConfigureAwait(false);
        var hints = new List<Hint>();
        var word = 0;
        foreach (var hint in real.Hints)
            hints.Add(new(HintKind.Placebo, Text(hint.Text.Length + 1 + (hint.Answer?.Length ?? 0), ref word), null, CatalogueName));
        return real with { Hints = hints };
    }

    /// <inheritdoc/>
    public ValueTask LearnAsync(Episode episode, IMemoryContext context, CancellationToken cancellationToken) =>
        _like.LearnAsync(episode, context, cancellationToken);

    private string Text(int length, ref int word)
    {
        var text = new StringBuilder();
        while (text.Length + (text.Length > 0 ? 1 : 0) + _words[word % _words.Length].Length <= length)
            text.Append(text.Length > 0 ? " " : "").Append(_words[word++ % _words.Length]);
        return text.ToString();
    }
}
