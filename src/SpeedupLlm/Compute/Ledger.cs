namespace SpeedupLlm.Compute;

/// <summary>What questions cost with experience and without: sums that add up over time, so that they can be kept and read again. Immutable.</summary>
/// <remarks>A booking is a ledger of one question, and a day is the hours of it, one <see cref="Then"/> the other.</remarks>
public sealed record Ledger
{
    // reasons may quote requests, so there is an end to what is kept of them
    private const int MostReasons = 64;
    private const string OtherReasons = "other";
    private static readonly IReadOnlyDictionary<string, long> NoReasons = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>Nothing is booked.</summary>
    public static Ledger Empty { get; } = new();

    /// <summary>Questions answered by one plain call.</summary>
    public Spending Plain { get; init; }

    /// <summary>Questions answered with memory and search; what was learnt from them is in the cost.</summary>
    public Spending Experienced { get; init; }

    /// <summary>The part of the cost of <see cref="Experienced"/> that was learning.</summary>
    public decimal Learning { get; init; }

    /// <summary>Questions that were answered plainly and tried with memory and search beside it.</summary>
    public Spending Shadowed { get; init; }

    /// <summary>The chance with which the lot sent questions to memory and search; 0 if none was drawn.</summary>
    public double Propensity { get; init; }

    /// <summary>Costs of the questions that the lot sent to one plain call.</summary>
    public Moments DrawnPlain { get; init; }

    /// <summary>Costs of those that it sent to memory and search.</summary>
    public Moments DrawnExperienced { get; init; }

    /// <summary>Costs of shadowed questions: the plain call's, and that of memory, search and learning.</summary>
    public PairedMoments Both { get; init; }

    /// <summary>Shadowed questions whose two final answers could be compared.</summary>
    public long Compared { get; init; }

    /// <summary>Those that differ.</summary>
    public long Differed { get; init; }

    /// <summary>Requests passed by, by reason; some reasons, and then <c>other</c>.</summary>
    // a ledger that was written before reasons were has none
    public IReadOnlyDictionary<string, long> Bypassed { get; init => field = value ?? NoReasons; } = NoReasons;

    /// <summary>This ledger and what was booked after it. Where the share of the lot is another one, its comparison begins anew: the traffic before may have been another.</summary>
    public Ledger Then(Ledger later)
    {
        ArgumentNullException.ThrowIfNull(later);
        var lot = later.Propensity == 0 ? this : later.Propensity != Propensity ? later : later with
        {
            DrawnPlain = DrawnPlain.And(later.DrawnPlain),
            DrawnExperienced = DrawnExperienced.And(later.DrawnExperienced),
        };
        return new()
        {
            Plain = Plain.And(later.Plain),
            Experienced = Experienced.And(later.Experienced),
            Learning = Learning + later.Learning,
            Shadowed = Shadowed.And(later.Shadowed),
            Propensity = lot.Propensity,
            DrawnPlain = lot.DrawnPlain,
            DrawnExperienced = lot.DrawnExperienced,
            Both = Both.And(later.Both),
            Compared = Compared + later.Compared,
            Differed = Differed + later.Differed,
            Bypassed = Together(Bypassed, later.Bypassed),
        };
    }

    /// <summary>What the sums say; null where they say nothing yet.</summary>
    public TenantSavings Read(string tenant)
    {
        var known = DrawnPlain.Count >= Savings.LeastCompared && DrawnExperienced.Count >= Savings.LeastCompared;
        var both = Both.Count >= Savings.LeastCompared;
        return new()
        {
            Tenant = tenant,
            Plain = Plain,
            Experienced = Experienced,
            Shadowed = Shadowed,
            Bypassed = Bypassed,
            DrawnPlain = DrawnPlain.Count,
            DrawnExperienced = DrawnExperienced.Count,
            Saved = known ? Comparison.Difference(DrawnPlain, DrawnExperienced) : null,
            SavedShare = known ? Comparison.Share(DrawnPlain, DrawnExperienced) : null,
            WouldSave = both ? Comparison.Difference(Both) : null,
            WouldSaveShare = both ? Comparison.Share(Both) : null,
            Compared = Compared,
            Differed = Differed,
            DifferedShare = Compared >= Savings.LeastCompared ? Comparison.Wilson(Differed, Compared) : null,
        };
    }

    internal static Ledger OfQuestion(bool isExperienced, double propensity, decimal cost, decimal learning)
    {
        var drawn = propensity is > 0 and < 1 ? Moments.Of((double)cost) : default;
        return isExperienced
            ? new() { Experienced = new(1, cost), Learning = learning, Propensity = drawn.Count > 0 ? propensity : 0, DrawnExperienced = drawn }
            : new() { Plain = new(1, cost), Propensity = drawn.Count > 0 ? propensity : 0, DrawnPlain = drawn };
    }

    internal static Ledger OfShadow(decimal plain, decimal experienced, bool? agrees) => new()
    {
        Shadowed = new(1, experienced),
        Both = PairedMoments.Of((double)plain, (double)experienced),
        Compared = agrees is null ? 0 : 1,
        Differed = agrees == false ? 1 : 0,
    };

    internal static Ledger OfBypass(string reason) => new() { Bypassed = new Dictionary<string, long>(StringComparer.Ordinal) { [reason] = 1 } };

    private static IReadOnlyDictionary<string, long> Together(IReadOnlyDictionary<string, long> ours, IReadOnlyDictionary<string, long> later)
    {
        if (later.Count == 0)
            return ours;
        var sum = new Dictionary<string, long>(ours, StringComparer.Ordinal);
        foreach (var (reason, count) in later)
        {
            var known = sum.Count < MostReasons || sum.ContainsKey(reason) ? reason : OtherReasons;
            sum[known] = sum.GetValueOrDefault(known) + count;
        }
        return sum;
    }
}
