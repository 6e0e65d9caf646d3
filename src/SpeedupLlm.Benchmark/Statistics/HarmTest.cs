namespace SpeedupLlm.Benchmark.Statistics;

/// <summary>A cell's verdict, and about how many groups would decide it.</summary>
internal sealed record HarmOutcome(string Verdict, int? GroupsNeeded)
{
    public const string Harmless = "harmless";
    public const string Harmful = "harmful";
    public const string Undecided = "undecided";

    /// <summary>The baseline against itself.</summary>
    public static HarmOutcome SameArm { get; } = new(Harmless, null);
}

/// <summary>
/// The protocol's rule of no harm: full cost at most 5 % more and accuracy at most 2 points less, both shown simultaneously over all cells
/// at 95 %. Harmful if the opposite of either is shown at the same level. A cell too small to tell is undecided.
/// </summary>
internal static class HarmTest
{
    /// <summary>Full cost may be at most this multiple of the baseline's.</summary>
    public const double CostBound = 1.05;

    /// <summary>Accuracy may change by at least this.</summary>
    public const double AccuracyBound = -0.02;

    private const double Level = 0.05;

    /// <summary>Outcomes in the order of <paramref name="cells"/>. Cells of the paper's grid are one family, all others another.</summary>
    public static IReadOnlyList<HarmOutcome> Judge(IReadOnlyList<PairedCell> cells, GroupBootstrap bootstrap)
    {
        var outcomes = new HarmOutcome[cells.Count];
        foreach (var family in Enumerable.Range(0, cells.Count).GroupBy(i => GridOrder.IsPaperCell(cells[i].Key)))
        {
            var members = family.ToList();
            var harmless = RomanoWolf.Test(Claims(members.Select(i => cells[i]), noHarm: true), bootstrap, Level);
            var harmful = RomanoWolf.Test(Claims(members.Select(i => cells[i]), noHarm: false), bootstrap, Level);
            foreach (var (at, i) in members.Index())
                outcomes[i] = Decide(harmless[2 * at], harmless[2 * at + 1], harmful[2 * at], harmful[2 * at + 1], bootstrap.Groups);
        }

        return outcomes;
    }

    private static List<Claim> Claims(IEnumerable<PairedCell> cells, bool noHarm) =>
    [
        .. cells.SelectMany(cell => new[]
        {
            new Claim(cell.Ratio(Measure.FullCost), CostBound, Below: noHarm),
            new Claim(cell.Gain(), AccuracyBound, Below: !noHarm),
        }),
    ];

    private static HarmOutcome Decide(ClaimOutcome cost, ClaimOutcome accuracy, ClaimOutcome dearer, ClaimOutcome worse, int groups) =>
        cost.Shown && accuracy.Shown ? new(HarmOutcome.Harmless, null)
        : dearer.Shown || worse.Shown ? new(HarmOutcome.Harmful, null)
        : new(HarmOutcome.Undecided, Needed(cost, accuracy, groups));

    /// <summary>The statistic grows with the root of the number of groups; null if the estimate itself lies beyond a bound.</summary>
    private static int? Needed(ClaimOutcome cost, ClaimOutcome accuracy, int groups)
    {
        if (One(cost, groups) is not { } a || One(accuracy, groups) is not { } b)
            return null;
        var needed = Math.Ceiling(Math.Max(a, b));
        return needed < 100_000 ? (int)needed : null;
    }

    private static double? One(ClaimOutcome claim, int groups) =>
        claim.Shown ? groups
        : claim.Statistic is > 0 and < double.PositiveInfinity && double.IsFinite(claim.Critical)
            ? groups * Math.Pow(claim.Critical / claim.Statistic.Value, 2)
            : null;
}
