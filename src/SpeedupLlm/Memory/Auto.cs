using System.Collections.Frozen;
using System.Globalization;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Guard;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Memory;

/// <summary>Options of <see cref="Auto"/>.</summary>
public sealed record AutoOptions
{
    private static readonly double BelowOne = Math.BitDecrement(1.0);

    /// <summary>How answers are given without a search.</summary>
    public AnswerCacheOptions Answers { get; init; } = new();

    /// <summary>What is promised of cases, and what finding out may cost. The cap on cost is found by itself.</summary>
    public GuardOptions Guard { get; init; } = new();

    /// <summary>Cases in the prompt, at least 1. Default 1: more of the same say the same again, and are paid for in each attempt.</summary>
    public int Cases { get; init; } = 1;

    /// <summary>What may take the place of cases in a band that nothing was measured of (<see cref="Measured"/>), once it is proven to cost less, what it costs to learn included. Default: three cases, lessons, and a case with lessons or with adapted weights.</summary>
    public IReadOnlyList<AutoPlan> Alternatives { get; init; } = [new(3), new(0, new MultiReflect()), new(1, new MultiReflect()), new(1, new Sft())];

    /// <summary>What finding out about alternatives may cost, as a share of a band's cost: beside <see cref="GuardOptions.ExplorationShare"/>. In (0, 1); default 0.01.</summary>
    public double AlternativeShare { get; init; } = 0.01;

    /// <summary>The levels at which cases are used from the first question on; at others they must prove themselves first. Default S1 to S3. What <see cref="Measured"/> says goes before.</summary>
    public IReadOnlyList<SimilarityLevel> Prior { get; init; } = [SimilarityLevel.S1, SimilarityLevel.S2, SimilarityLevel.S3];

    /// <summary>What was measured of the model elsewhere, or null.</summary>
    public AutoPrior? Measured { get; init; }

    /// <summary>What each search of the same kind (S1 to S3) that found nothing, since the last one that did, leaves of the next search's cap. In (0, 1]; default 0.5; 1 always searches in full.</summary>
    public double BackOff { get; init; } = 0.5;

    /// <summary>The least that is left of a search's cap. In (0, 1]; default 1/8.</summary>
    public double LeastEffort { get; init; } = 0.125;

    /// <summary>δ: attempts with cases are accepted without asking the scorer only where it would refuse at most this share of them. In (0, 1), or null to always ask. Default 0.1.</summary>
    public double? UnscoredDelta { get; init; } = 0.1;

    /// <summary>α: the chance that the scorer is left out although it would refuse more than that. In (0, 1); default 0.05.</summary>
    public double UnscoredAlpha { get; init; } = 0.05;

    /// <summary>The share of questions whose attempts are scored all the same, to go on learning. In (0, 1); default 0.05.</summary>
    public double CheckShare { get; init; } = 0.05;

    /// <summary>An episode that harmed this many times more than it helped is not recalled any more. At least 1; default 3.</summary>
    public int HarmLimit { get; init; } = 3;

    internal AutoOptions Validated()
    {
        Answers.Validated();
        Guard.Validated();
        ArgumentOutOfRangeException.ThrowIfLessThan(Cases, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(HarmLimit, 1);
        foreach (var plan in Alternatives)
            plan.Validate();
        if (Alternatives.DistinctBy(p => p.Name).Count() < Alternatives.Count)
            throw new ArgumentException("Two alternatives have one name.", nameof(Alternatives));
        foreach (var (name, share, most) in new[]
        {
            (nameof(BackOff), BackOff, 1), (nameof(LeastEffort), LeastEffort, 1),
            (nameof(UnscoredDelta), UnscoredDelta ?? 0.5, BelowOne), (nameof(UnscoredAlpha), UnscoredAlpha, BelowOne), (nameof(CheckShare), CheckShare, BelowOne),
            (nameof(AlternativeShare), AlternativeShare, BelowOne),
        })
        {
            if (!(share > 0 && share <= most))
                throw new ArgumentOutOfRangeException(name, share, $"{name} is in (0, 1{(most < 1 ? ")" : "]")}.");
        }
        return this;
    }
}

/// <summary>Uses what pays: an answer given before, else cases that are alike, else nothing; and as large a search as experience says is worth it.</summary>
/// <remarks>
/// The same question is answered by an <see cref="AnswerCache"/>. Else the nearest episodes are cases, but only those of the nearest level: what is
/// about something else distracts. A kind of question that was searched in vain gets a smaller search. Attempts with cases that the scorer would
/// accept nearly always are accepted without asking it, and not learnt. Whether any of this is done in a band (a scaling method and level) is up to a
/// <see cref="MemoryGuard"/> in the caller's scope: where it does not lower cost and misses it is not done (docs/guard.md). Learning costs no model call.
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
    private readonly Alternatives _alternatives;
    private readonly FrozenDictionary<string, PriorBand> _measured;
    private readonly FrozenDictionary<string, ReuseEvidence> _verdicts;

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
        _alternatives = new(options);
        _measured = (options.Measured?.Bands ?? []).ToFrozenDictionary(b => b.Band);
        _verdicts = options.UnscoredDelta is { } delta
            ? _measured.ToFrozenDictionary(b => b.Key, b => b.Value.Evidence(delta, options.UnscoredAlpha))
            : FrozenDictionary<string, ReuseEvidence>.Empty;
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
        var around = await RememberedCases.AroundAsync(AskedText.Of(question), LookedAt, _options.HarmLimit, context, cancellationToken).ConfigureAwait(false);
        if (known is null)
        {
            var (reworded, isCheck) = await _answers.RewordedAsync(question, around.Alike, context, cancellationToken).ConfigureAwait(false);
            if (reworded.Answer is not null)
                return Given(reworded);
            if (isCheck)
                return reworded with { Choice = new("", "searched without memory, to check what it holds of this question", false, 0) };
        }
        var level = around.Alike.Select(a => a.Relevance.Level).Where(l => l != SimilarityLevel.Unrelated).DefaultIfEmpty().Min();
        if (level == SimilarityLevel.Unrelated && around.Vain == 0)
            return Recalled.Nothing with { Choice = new("", around.Alike.Count == 0 ? "nothing is known" : "nothing alike is known", false, 0) };
        return await PlanAsync(question, level, around, context, cancellationToken).ConfigureAwait(false);
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
        if (solution.Used.Choice is not { Band: { Length: > 0 } band } choice)
            return;
        await _bands.AddAsync(band, IsPrior(band, solution.Used.Relevance.Level), new(choice.IsUsed, choice.Propensity, choice.Phase), (double)cost, !solution.Accepted, context, cancellationToken).ConfigureAwait(false);
        if (solution.Used.Hints.Count > 0 && choice.Alternative is not { IsUsed: true } && solution.FirstVerdict is { } accepted && Verdicts(band) is { } verdicts)
            await verdicts.AddAsync(solution.Used.Relevance.Confidence, !accepted, context, cancellationToken).ConfigureAwait(false);
        if (choice.IsUsed && MayHaveAlternatives(band, solution.Used.Relevance.Level))
            await _alternatives.ObserveAsync(band, solution, cost, context, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Cases and effort, if the guard lets them.</summary>
    private async ValueTask<Recalled> PlanAsync(Question question, SimilarityLevel level, Neighbourhood around, IMemoryContext context, CancellationToken cancellationToken)
    {
        var cases = around.Alike.Where(a => level != SimilarityLevel.Unrelated && a.Relevance.Level == level).Take(_options.Cases).ToList();
        var relevance = cases.Count > 0 ? cases[0].Relevance : Relevance.None;
        // a case whose answer had to be told is of a harder kind of question than one that was solved
        var band = PriorBand.BandOf(context.Scaling, level, told: cases.Count > 0 && cases.All(c => c.Episode.IsTold));
        var measured = _measured.GetValueOrDefault(band);
        var backOff = _measured.GetValueOrDefault(PriorBand.BandOf(context.Scaling, SimilarityLevel.Unrelated, told: false))?.Effort ?? _options.BackOff;
        var effort = Math.Max(_options.LeastEffort, Math.Min(cases.Count > 0 && measured is not null ? measured.Effort : 1, Math.Pow(backOff, around.Vain)));
        var chance = new StreamRandom(context.Stream.Child(CatalogueName));
        var (decision, why) = await _bands.DecideAsync(band, IsPrior(band, level), chance.NextDouble(), context, cancellationToken).ConfigureAwait(false);

        var isScored = true;
        if (decision.UseMemory && cases.Count > 0 && Verdicts(band) is { } verdicts && chance.NextDouble() >= _options.CheckShare)
            isScored = !(await verdicts.ReadAsync(context, cancellationToken).ConfigureAwait(false)).Serves(relevance.Confidence);
        var offer = decision.UseMemory && MayHaveAlternatives(band, relevance.Level)
            ? await _alternatives.OfferAsync(band, question, [.. around.Alike.Where(a => a.Relevance.Level == level)], chance.NextDouble(), context, cancellationToken).ConfigureAwait(false)
            : null;
        if (offer?.Given is { } given)
        {
            var plan = $"{offer.Choice.Plan} in place of {AutoPlan.Count(cases.Count)}, {Describe(relevance)}: {offer.Why}";
            return given with { Relevance = relevance, Effort = effort, Choice = new(band, plan, true, decision.Propensity) { Phase = decision.Phase, Alternative = offer.Choice } };
        }

        var parts = new List<string>();
        if (cases.Count > 0)
            parts.Add($"{AutoPlan.Count(cases.Count)}, {Describe(relevance)}");
        if (effort < 1)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{effort:P0} of the search{(around.Vain > 0 ? $" after {around.Vain} in vain" : "")}"));
        if (!isScored)
            parts.Add("not scored");
        if (decision.UseMemory && cases.Count > 0 && measured is not null)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"expected {measured.Operations:0.0} operations instead of {measured.OperationsWithout:0.0}"));
        var choice = new MemoryChoice(band, $"{(decision.UseMemory ? "" : "not ")}{string.Join("; ", parts)}: {why}", decision.UseMemory, decision.Propensity) { Phase = decision.Phase, Alternative = offer?.Choice };
        return decision.UseMemory
            ? new(null, HintWindow.Fit(AutoPlan.Hints(cases), question, context), null, relevance)
            {
                Choice = choice,
                Effort = effort,
                ExpectedScore = isScored ? null : 1 - _options.UnscoredDelta,
            }
            : Recalled.Nothing with { Relevance = relevance, Choice = choice };
    }

    private bool MayHaveAlternatives(string band, SimilarityLevel level) => _options.Alternatives.Count > 0 && level != SimilarityLevel.Unrelated && !_measured.ContainsKey(band);

    private bool IsPrior(string band, SimilarityLevel level) =>
        level == SimilarityLevel.Unrelated || (_measured.GetValueOrDefault(band)?.UseCases ?? _options.Prior.Contains(level));

    /// <summary>The evidence that the scorer accepts a band's attempts with cases, or null where it is always asked.</summary>
    private StoredEvidence? Verdicts(string band) => _options.UnscoredDelta is not { } delta ? null
        : new($"score/{band}", CatalogueName, _verdicts.GetValueOrDefault(band) ?? ReuseEvidence.None(delta, _options.UnscoredAlpha));

    private static Recalled Given(Recalled known) => known with { Choice = new("", $"the answer given before, {Describe(known.Relevance)}", true, 1) };

    private static string Describe(Relevance relevance) => string.Create(CultureInfo.InvariantCulture, $"{relevance.Level}, confidence {relevance.Confidence:0.00}");
}
