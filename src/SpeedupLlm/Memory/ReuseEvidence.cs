using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using SpeedupLlm.Experience;
using SpeedupLlm.Guard;

namespace SpeedupLlm.Memory;

/// <summary>What is known of answering rewordings from memory: how often such an answer would have been wrong, pooled over all entries of a scope by the confidence of the match.</summary>
/// <remarks>
/// Four hypotheses "more than δ of the answers are wrong", for matches from the surest fifth down to all, are tested in this order by betting
/// (arXiv 2010.09686), each at level α: fixed-sequence testing (arXiv 2110.01052) keeps the chance of serving where δ does not hold to α, however
/// often it is looked at. A change detector takes a level back when answers go wrong later.
/// </remarks>
internal sealed class ReuseEvidence
{
    /// <summary>The kind of the document.</summary>
    public const string Kind = "reuse-evidence";

    private const string Key = "S2";

    private const double AverageRunLength = 10_000;

    // the matches that a level is about: of at least this confidence
    private static readonly double[] Levels = [0.99, 0.95, 0.85, 0.5];

    private readonly double _alpha;
    private readonly BettingTest _safe;
    private readonly ChangeDetector _worse;

    /// <exception cref="ArgumentOutOfRangeException">δ is not in (0, 1).</exception>
    public ReuseEvidence(double delta, double alpha)
    {
        _alpha = alpha;
        _safe = BettingTest.AtLeast(delta, 0, 1);
        // an observation is 1 where the answer is right; its mean falls below 1 − δ
        _worse = ChangeDetector.Below(1 - delta, 0, 1, AverageRunLength);
    }

    /// <summary>The evidence as it stands.</summary>
    public async ValueTask<Standing> ReadAsync(IMemoryContext context, CancellationToken cancellationToken) =>
        new(this, Parse(await context.Store.GetAsync(context.Scope, Kind, Key, cancellationToken).ConfigureAwait(false)));

    /// <summary>Adds a check.</summary>
    /// <exception cref="MemoryConflictException">Other writers were faster again and again.</exception>
    public async ValueTask AddAsync(double confidence, bool wrong, IMemoryContext context, CancellationToken cancellationToken)
    {
        for (var round = 0; round < Learning.MostRounds; round++)
        {
            var held = await context.Store.GetAsync(context.Scope, Kind, Key, cancellationToken).ConfigureAwait(false);
            var levels = Parse(held).Select((l, i) => confidence >= Levels[i] ? After(l, wrong) : l).ToArray();
            var document = new MemoryDocument
            {
                Kind = Kind,
                Key = Key,
                Scope = context.Scope,
                Content = JsonSerializer.SerializeToUtf8Bytes(levels, ReuseJson.Default.LevelEvidenceArray),
                Version = held?.Version ?? 0,
                At = context.Now,
            };
            if (await context.Store.PutAsync(document, cancellationToken).ConfigureAwait(false) is not null)
                return;
        }
        throw Learning.Conflict(AnswerCache.CatalogueName);
    }

    private LevelEvidence After(LevelEvidence level, bool wrong)
    {
        var safe = _safe.From(level.LogWealth, level.Checked).After(wrong ? 1 : 0);
        var worse = _worse.From(level.Wealth, level.Watched);
        if (level.Proven)
            worse = worse.After(wrong ? 0 : 1);
        // taken back: the proof starts anew
        if (worse.Alarm)
            return New() with { Lost = level.Lost + 1 };
        return new(safe.LogWealth, safe.Count, level.Wrong + (wrong ? 1 : 0), level.Proven || safe.EValue >= (level.Lost + 1.0) * (level.Lost + 2.0) / _alpha,
            worse.Wealth, worse.Count, level.Lost);
    }

    private LevelEvidence New() => new(_safe.LogWealth, 0, 0, false, _worse.Wealth, 0, 0);

    private LevelEvidence[] Parse(MemoryDocument? document)
    {
        if (document is null)
            return [.. Levels.Select(_ => New())];
        return JsonSerializer.Deserialize(document.Content.Span, ReuseJson.Default.LevelEvidenceArray) is { } levels && levels.Length == Levels.Length
            ? levels : throw new InvalidDataException($"The {Kind} of {document.Scope.Tenant} is not readable.");
    }

    /// <summary>The evidence at one moment.</summary>
    internal sealed class Standing(ReuseEvidence evidence, LevelEvidence[] levels)
    {
        /// <summary>Whether a match of this confidence is answered: its level and all surer ones are proven.</summary>
        public bool Serves(double confidence)
        {
            var level = Array.FindIndex(Levels, l => confidence >= l);
            return level >= 0 && levels.Take(level + 1).All(l => l.Proven);
        }

        /// <summary>Says in one line how far the evidence goes.</summary>
        public override string ToString() => string.Create(CultureInfo.InvariantCulture,
            $"{levels[^1].Checked} checks, {levels[^1].Wrong} wrong; {(levels[0].Proven ? $"answers rewordings from confidence {Levels[levels.TakeWhile(l => l.Proven).Count() - 1]}" : "answers none yet")} (alpha {evidence._alpha})");
    }
}

/// <summary>The evidence for matches from one confidence on.</summary>
/// <param name="LogWealth">Of the test that they are safe.</param>
/// <param name="Checked">How many were checked.</param>
/// <param name="Wrong">How many of them were wrong.</param>
/// <param name="Proven">Whether they are answered.</param>
/// <param name="Wealth">Of the detector that they have become worse.</param>
/// <param name="Watched">How many it has seen.</param>
/// <param name="Lost">How often a proof was taken back.</param>
internal sealed record LevelEvidence(
    IReadOnlyList<double> LogWealth, long Checked, long Wrong, bool Proven, IReadOnlyList<double> Wealth, long Watched, int Lost);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(LevelEvidence[]))]
internal sealed partial class ReuseJson : JsonSerializerContext
{
}
