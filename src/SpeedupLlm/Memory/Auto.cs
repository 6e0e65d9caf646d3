using System.Globalization;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Guard;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Memory;

/// <summary>Options of <see cref="Auto"/>.</summary>
public sealed record AutoOptions
{
    /// <summary>How answers are given without a search.</summary>
    public AnswerCacheOptions Answers { get; init; } = new();

    /// <summary>What is promised of cases, and what finding out may cost. The cap on cost is found by itself.</summary>
    public GuardOptions Guard { get; init; } = new();

    /// <summary>Cases in the prompt where the nearest is one of the same kind (S1 to S3), at least 1. Default 1: more of the same say the same again.</summary>
    public int Cases { get; init; } = 1;

    /// <summary>Cases in the prompt where only the knowledge is the same (S4), at least 1. Default 3.</summary>
    public int FarCases { get; init; } = 3;

    /// <summary>The levels at which cases are used from the first question on; at others they must prove themselves first. Default S1 to S3.</summary>
    public IReadOnlyList<SimilarityLevel> Prior { get; init; } = [SimilarityLevel.S1, SimilarityLevel.S2, SimilarityLevel.S3];

    /// <summary>An episode that harmed this many times more than it helped is not recalled any more. At least 1; default 3.</summary>
    public int HarmLimit { get; init; } = 3;

    internal AutoOptions Validated()
    {
        Answers.Validated();
        Guard.Validated();
        ArgumentOutOfRangeException.ThrowIfLessThan(Cases, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(FarCases, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(HarmLimit, 1);
        return this;
    }
}

/// <summary>Uses what pays: an answer given before, else cases that are alike, else nothing.</summary>
/// <remarks>
/// The same question is answered by an <see cref="AnswerCache"/>. Else the nearest episodes are cases, but only those of the nearest level: what is
/// about something else distracts. Whether cases are used at a level is up to a <see cref="MemoryGuard"/> for each kind of search and level, in the
/// caller's scope: where they do not lower the cost they are not used (docs/guard.md). Learning costs no model call.
/// </remarks>
/// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
public sealed class Auto : IMemory
{
    /// <summary>The name in the catalogue.</summary>
    public const string CatalogueName = "auto";

    // a level's best cases are among so many nearest
    private const int LookedAt = 16;

    private readonly AutoOptions _options;
    private readonly AnswerCache _answers;
    private readonly GuardedBands _bands;

    /// <summary>With the default options.</summary>
    public Auto()
        : this(new())
    {
    }

    /// <param name="options">The options.</param>
    public Auto(AutoOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Validated();
        _answers = new(options.Answers);
        _bands = new(options.Guard);
    }

    /// <inheritdoc/>
    public string Name => CatalogueName;

    /// <inheritdoc/>
    public bool GivesAnswers => true;

    /// <inheritdoc/>
    public async ValueTask<Recalled> RecallAsync(Question question, IMemoryContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(question);
        var known = await _answers.SameAsync(question, context, cancellationToken).ConfigureAwait(false);
        if (known?.Answer is not null)
            return Given(known);
        var alike = await RememberedCases.AlikeAsync(question.Text, LookedAt, _options.HarmLimit, context, cancellationToken).ConfigureAwait(false);
        known ??= await _answers.RewordedAsync(question, alike, context, cancellationToken).ConfigureAwait(false);
        if (known.Answer is not null)
            return Given(known);
        var level = alike.Select(a => a.Relevance.Level).Where(l => l != SimilarityLevel.Unrelated).DefaultIfEmpty().Min();
        if (level == SimilarityLevel.Unrelated)
            return Recalled.Nothing with { Choice = new("", alike.Count == 0 ? "nothing is known" : "nothing alike is known", false, 0) };

        var cases = alike.Where(a => a.Relevance.Level == level).Take(level == SimilarityLevel.S4 ? _options.FarCases : _options.Cases).ToList();
        var relevance = cases[0].Relevance;
        var band = $"{context.Entry.ToString().ToLowerInvariant()}/{level}";
        var chance = new StreamRandom(context.Stream.Child(CatalogueName)).NextDouble();
        var (decision, why) = await _bands.DecideAsync(band, _options.Prior.Contains(level), chance, context, cancellationToken).ConfigureAwait(false);
        var plan = string.Create(CultureInfo.InvariantCulture, $"{(decision.UseMemory ? "" : "not ")}{cases.Count} {(cases.Count == 1 ? "case" : "cases")}, {Describe(relevance)}: {why}");
        var choice = new MemoryChoice(band, plan, decision.UseMemory, decision.Propensity) { Phase = decision.Phase };
        return decision.UseMemory
            ? new(null, HintWindow.Fit([.. Enumerable.Reverse(cases).Select(c => RememberedCases.ToHint(c.Episode))], question, context), null, relevance) { Choice = choice }
            : Recalled.Nothing with { Relevance = relevance, Choice = choice };
    }

    /// <inheritdoc/>
    public ValueTask LearnAsync(Episode episode, IMemoryContext context, CancellationToken cancellationToken) => _answers.LearnAsync(episode, context, cancellationToken);

    /// <inheritdoc/>
    public ValueTask HearAsync(Solution solution, bool isRight, IMemoryContext context, CancellationToken cancellationToken) =>
        _answers.HearAsync(solution, isRight, context, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask ObserveAsync(Solution solution, decimal cost, IMemoryContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(solution);
        if (solution.Used.Choice is { Band: { Length: > 0 } band } choice)
            await _bands.AddAsync(band, _options.Prior.Contains(solution.Used.Relevance.Level), new(choice.IsUsed, choice.Propensity, choice.Phase), (double)cost, context, cancellationToken).ConfigureAwait(false);
    }

    private static Recalled Given(Recalled known) => known with { Choice = new("", $"the answer given before, {Describe(known.Relevance)}", true, 1) };

    private static string Describe(Relevance relevance) => string.Create(CultureInfo.InvariantCulture, $"{relevance.Level}, confidence {relevance.Confidence:0.00}");
}
