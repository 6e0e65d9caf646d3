using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using SpeedupLlm.Experience;
using SpeedupLlm.Guard;

namespace SpeedupLlm.Memory;

/// <summary>The guard's states of a scope, a document a band.</summary>
/// <remarks>
/// What the guard calls cost is a loss: the full cost, and as much again as the dearest of a band's first ten questions for a question that was missed
/// (nothing accepted), so that nothing is cheap because it gives up. Until ten are known a band is used as its prior says.
/// </remarks>
internal sealed class GuardedBands(GuardOptions options)
{
    /// <summary>The kind of the documents.</summary>
    public const string Kind = "guard";

    private const int WarmUp = 10;

    // the scale is twice the dearest of the first, so that half of it is a question
    private const double MissShare = 0.5;

    private readonly MemoryGuard _guard = new(options with { CostCap = 1 });

    /// <summary>Decides for one question, and says why in a few words.</summary>
    public async ValueTask<(GuardDecision Decision, string Why)> DecideAsync(string band, bool prior, double chance, IMemoryContext context, CancellationToken cancellationToken)
    {
        var record = await ReadAsync(band, context, cancellationToken).ConfigureAwait(false);
        if (record?.State is not { } saved)
            return prior ? (new(true, 1, GuardPhase.Admitted), "a prior says that it helps") : (new(false, 0, GuardPhase.OnTrial), "not proven to help yet");
        var decision = _guard.Decide(saved.Open(_guard), chance);
        var why = (decision.Phase, decision.UseMemory) switch
        {
            (GuardPhase.Admitted, true) => Compare(saved) ?? "found to help",
            (GuardPhase.Admitted, false) => "a control",
            (_, true) => "on trial",
            _ => string.Create(CultureInfo.InvariantCulture, $"on trial, {saved.Tested} questions compared"),
        };
        return (decision, why);
    }

    /// <summary>Adds what a question cost, and whether it was missed.</summary>
    /// <exception cref="MemoryConflictException">Other writers were faster again and again.</exception>
    public async ValueTask AddAsync(string band, bool prior, GuardDecision decision, double cost, bool missed, IMemoryContext context, CancellationToken cancellationToken)
    {
        // the scope's other bands are only read where this question may admit the band; another writer's question at the same moment may at most put it off
        var needed = double.PositiveInfinity;
        if (decision is { Phase: GuardPhase.OnTrial, Propensity: > 0 and < 1 }
            && After(await ReadAsync(band, context, cancellationToken).ConfigureAwait(false), prior, decision, cost, missed, 1 / options.Alpha).State?.Phase == GuardPhase.Admitted)
        {
            needed = await NeededAsync(band, context, cancellationToken).ConfigureAwait(false);
        }
        await Learning.ReviseAsync(
            Kind, band, held => JsonSerializer.SerializeToUtf8Bytes(After(Read(held), prior, decision, cost, missed, needed), GuardJson.Default.BandRecord),
            Auto.CatalogueName, context, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The evidence that a band needs beside the scope's others: of all that are admitted by evidence, at most α are false on average (e-BH). Those that a prior admitted are not among them.</summary>
    private async ValueTask<double> NeededAsync(string band, IMemoryContext context, CancellationToken cancellationToken)
    {
        var others = new List<double>();
        await foreach (var document in context.Store.ListDocumentsAsync(context.Scope, Kind, cancellationToken).ConfigureAwait(false))
        {
            if (document.Key != band && document.Scope == context.Scope && Read(document)?.State is { } state && double.IsFinite(state.AdmittedWith))
                others.Add(MemoryGuard.EvidenceOf(state.Open(_guard)));
        }
        return EBenjaminiHochberg.Needed(others, options.Alpha);
    }

    /// <summary>What is stored of a band.</summary>
    public async ValueTask<BandRecord?> ReadAsync(string band, IMemoryContext context, CancellationToken cancellationToken) =>
        Read(await context.Store.GetAsync(context.Scope, Kind, band, cancellationToken).ConfigureAwait(false));

    /// <summary>Whether memory may learn from the band's next question: always where it is in use, on trial as long as that fits half of what finding out may cost, since the rest is for trying it.</summary>
    public bool MayLearn(BandRecord? record) => record?.State is { } state && (state.Phase == GuardPhase.Admitted
        // of the first time nobody knows what it costs: as much as the dearest of the first questions
        || state.Explored + (record.Learnt.Mean ?? MissShare) <= options.ExplorationShare / 2 * state.Spent);

    /// <summary>Adds what learning from a question has cost. From then on memory is charged its mean for each question that it is used for.</summary>
    /// <exception cref="MemoryConflictException">Other writers were faster again and again.</exception>
    public ValueTask AddLearningAsync(string band, double cost, IMemoryContext context, CancellationToken cancellationToken) => Learning.ReviseAsync(
        Kind, band, held => JsonSerializer.SerializeToUtf8Bytes(AfterLearning(Read(held), cost), GuardJson.Default.BandRecord), Auto.CatalogueName, context, cancellationToken);

    private static BandRecord AfterLearning(BandRecord? record, double cost)
    {
        if (record is not { State: { } state })
            return record ?? new([], 0, null);
        var relative = cost / record.Scale;
        return record with
        {
            Learnt = record.Learnt.With(relative),
            State = state.Phase == GuardPhase.OnTrial ? state with { Explored = state.Explored + relative, Spent = state.Spent + relative } : state,
        };
    }

    private BandRecord After(BandRecord? record, bool prior, GuardDecision decision, double cost, bool missed, double needed)
    {
        record ??= new([], 0, null);
        if (record.State is { } saved)
        {
            var loss = (cost / record.Scale) + (missed ? MissShare : 0) + (decision.UseMemory ? record.Learnt.Mean ?? 0 : 0);
            return record with { State = SavedState.Of(_guard.After(saved.Open(_guard), decision, loss, needed)) };
        }
        double[] first = [.. record.First, cost];
        if (first.Length < WarmUp)
            return record with { First = first };
        // of a prior's cost without memory nothing is known here: only the comparison with controls can take it back
        return new([], Math.Max(double.Epsilon, 2 * first.Max()), SavedState.Of(prior ? _guard.BeginAdmitted(0.999) : _guard.Begin()));
    }

    private static string? Compare(SavedState saved) => saved.WithMemory.Mean is { } with && saved.Without.Mean is { } without && saved.Without.Count >= WarmUp
        ? string.Create(CultureInfo.InvariantCulture, $"cost and misses are {with / Math.Max(without, 1e-9):P0} of those without") : null;

    internal static BandRecord? Read(MemoryDocument? document) => document is null ? null
        : JsonSerializer.Deserialize(document.Content.Span, GuardJson.Default.BandRecord) ?? throw new InvalidDataException($"The {Kind} of {document.Scope.Tenant} is not readable.");
}

/// <summary>A band as it is stored.</summary>
/// <param name="First">The costs of the first questions, before <see cref="State"/> is there.</param>
/// <param name="Scale">What counts as the cap.</param>
/// <param name="State">The guard's state.</param>
internal sealed record BandRecord(IReadOnlyList<double> First, double Scale, SavedState? State)
{
    /// <summary>What learning from a question has cost, as parts of <see cref="Scale"/>.</summary>
    public ArmCost Learnt { get; init; }
}

/// <summary>A <see cref="BandState"/> as it is stored.</summary>
internal sealed record SavedState(
    GuardPhase Phase, int Trials, IReadOnlyList<double> LogWealth, long Tested, double AdmittedWith, double CostWithout,
    IReadOnlyList<double>? Dearer, long DearerSeen, IReadOnlyList<double>? Harmful, long HarmfulSeen, ArmCost WithMemory, ArmCost Without, double Spent, double Explored)
{
    public static SavedState Of(BandState s) => new(
        s.Phase, s.Trials, s.Admission.LogWealth, s.Admission.Count, s.AdmittedWith, s.CostWithout,
        s.Dearer?.Wealth, s.Dearer?.Count ?? 0, s.Harmful?.Wealth, s.Harmful?.Count ?? 0, s.WithMemory, s.Without, s.Spent, s.Explored);

    public BandState Open(MemoryGuard guard)
    {
        var open = Phase == GuardPhase.Admitted ? guard.BeginAdmitted(CostWithout) : guard.Begin();
        return open with
        {
            Trials = Trials,
            Admission = open.Admission.From(LogWealth, Tested),
            AdmittedWith = AdmittedWith,
            Dearer = open.Dearer?.From(Dearer ?? [], DearerSeen),
            Harmful = open.Harmful?.From(Harmful ?? [], HarmfulSeen),
            WithMemory = WithMemory,
            Without = Without,
            Spent = Spent,
            Explored = Explored,
        };
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, IgnoreReadOnlyProperties = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(BandRecord))]
internal sealed partial class GuardJson : JsonSerializerContext
{
}
