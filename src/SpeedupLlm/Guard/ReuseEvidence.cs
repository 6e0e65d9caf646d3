using System.Globalization;

namespace SpeedupLlm.Guard;

/// <summary>What is known of answering rewordings from memory: how often such an answer would have been wrong, pooled over all entries by the confidence of the match. Immutable.</summary>
/// <remarks>
/// Four hypotheses "more than δ of the answers are wrong", for matches from the surest down to all, are tested in this order by betting
/// (arXiv 2010.09686), each at level α: fixed-sequence testing (arXiv 2110.01052) keeps the chance of serving where δ does not hold to α, however
/// often it is looked at. A change detector (arXiv 2203.03532) takes a level back when answers go wrong later; its proof then starts anew, with less of α.
/// </remarks>
public sealed class ReuseEvidence
{
    private const double AverageRunLength = 10_000;

    // the matches that a level is about: of at least this confidence
    private static readonly double[] Levels = [0.99, 0.95, 0.85, 0.5];

    private readonly double _alpha;
    private readonly BettingTest _safe;
    private readonly ChangeDetector _worse;
    private readonly IReadOnlyList<LevelEvidence> _levels;

    private ReuseEvidence(double alpha, BettingTest safe, ChangeDetector worse, IReadOnlyList<LevelEvidence> levels)
    {
        _alpha = alpha;
        _safe = safe;
        _worse = worse;
        _levels = levels;
    }

    /// <summary>No evidence.</summary>
    /// <param name="delta">δ, in (0, 1).</param>
    /// <param name="alpha">α, in (0, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static ReuseEvidence None(double delta, double alpha)
    {
        if (!(alpha is > 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "α is in (0, 1).");
        var safe = BettingTest.AtLeast(delta, 0, 1);
        // an observation is 1 where the answer is right; its mean falls below 1 − δ
        var worse = ChangeDetector.Below(1 - delta, 0, 1, AverageRunLength);
        return new(alpha, safe, worse, [.. Levels.Select(_ => New(safe, worse, 0))]);
    }

    /// <summary>How many matches were checked since the laxest level began.</summary>
    public long Checked => _levels[^1].Checked;

    /// <summary>How many of them were wrong.</summary>
    public long Wrong => _levels[^1].Wrong;

    /// <summary>Whether a match of this confidence is answered: its level and all surer ones are proven.</summary>
    public bool Serves(double confidence)
    {
        var level = Array.FindIndex(Levels, l => confidence >= l);
        return level >= 0 && _levels.Take(level + 1).All(l => l.Proven);
    }

    /// <summary>The evidence after one more check of a match.</summary>
    public ReuseEvidence After(double confidence, bool wrong) =>
        new(_alpha, _safe, _worse, [.. _levels.Select((l, i) => confidence >= Levels[i] ? After(l, wrong) : l)]);

    /// <summary>Says in one line how far it goes.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Checked} checks, {Wrong} wrong; {(_levels[0].Proven ? $"answers rewordings from confidence {Levels[_levels.TakeWhile(l => l.Proven).Count() - 1]}" : "answers no rewordings yet")}");

    /// <summary>Its state, for storing.</summary>
    internal IReadOnlyList<LevelEvidence> State => _levels;

    /// <summary>Evidence of the same promise that goes on from what <see cref="State"/> said.</summary>
    /// <exception cref="ArgumentException">It is no such state.</exception>
    internal ReuseEvidence From(IReadOnlyList<LevelEvidence> state) =>
        state.Count == Levels.Length ? new(_alpha, _safe, _worse, state) : throw new ArgumentException("This is no state of evidence.", nameof(state));

    private LevelEvidence After(LevelEvidence level, bool wrong)
    {
        var safe = _safe.From(level.LogWealth, level.Checked).After(wrong ? 1 : 0);
        var worse = _worse.From(level.Wealth, level.Watched);
        if (level.Proven)
            worse = worse.After(wrong ? 0 : 1);
        if (worse.Alarm)
            return New(_safe, _worse, level.Lost + 1);
        // 1/2 + 1/6 + 1/12 + … = 1: all proofs together keep to α
        var proven = level.Proven || safe.EValue >= (level.Lost + 1.0) * (level.Lost + 2.0) / _alpha;
        return new(safe.LogWealth, safe.Count, level.Wrong + (wrong ? 1 : 0), proven, worse.Wealth, worse.Count, level.Lost);
    }

    private static LevelEvidence New(BettingTest safe, ChangeDetector worse, int lost) => new(safe.LogWealth, 0, 0, false, worse.Wealth, 0, lost);
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
