using System.Collections.Concurrent;

namespace SpeedupLlm.Compute;

/// <summary>What was measured, with the 95 % confidence interval of Student's t.</summary>
/// <param name="Value">The estimate.</param>
/// <param name="Low">The lower end.</param>
/// <param name="High">The upper end.</param>
public sealed record Estimate(double Value, double Low, double High);

/// <summary>How many questions went one way, and their full cost in the units of the price sheet.</summary>
public readonly record struct Spending(long Questions, decimal Cost)
{
    internal Spending And(Spending other) => new(Questions + other.Questions, Cost + other.Cost);
}

/// <summary>What experience saves a tenant, beside one plain call. What is not known is null.</summary>
public sealed record TenantSavings
{
    /// <summary>The tenant.</summary>
    public required string Tenant { get; init; }

    /// <summary>Questions answered by one plain call: controls, observed ones, those outside the canary.</summary>
    public Spending Plain { get; init; }

    /// <summary>Questions answered with memory and search; what was learnt from them is in the cost.</summary>
    public Spending Experienced { get; init; }

    /// <summary>Questions that were answered plainly and tried with memory and search beside it.</summary>
    public Spending Shadowed { get; init; }

    /// <summary>Requests passed by, by reason.</summary>
    public IReadOnlyDictionary<string, long> Bypassed { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>Questions that the lot sent to one plain call, since its share last changed. These and <see cref="DrawnExperienced"/> must both reach <see cref="Savings.LeastCompared"/> before <see cref="Saved"/> is known.</summary>
    public long DrawnPlain { get; init; }

    /// <summary>Questions that the lot sent to memory and search, since its share last changed.</summary>
    public long DrawnExperienced { get; init; }

    /// <summary>What a question costs less than one plain call, from questions whose way was drawn by lot; negative if it costs more. Null while fewer than <see cref="Savings.LeastCompared"/> went either way.</summary>
    public Estimate? Saved { get; init; }

    /// <summary>The same as a share of a plain call's cost.</summary>
    public Estimate? SavedShare { get; init; }

    /// <summary>What a question would cost less, from questions that went both ways.</summary>
    public Estimate? WouldSave { get; init; }

    /// <summary>The same as a share of a plain call's cost.</summary>
    public Estimate? WouldSaveShare { get; init; }

    /// <summary>Shadowed questions whose two final answers could be compared.</summary>
    public long Compared { get; init; }

    /// <summary>Those that differ. Either of the two may be the wrong one: it bounds the would-be errors from above, and says nothing of the plain call's own.</summary>
    public long Differed { get; init; }

    /// <summary>The share that differs, with Wilson's interval.</summary>
    public Estimate? DifferedShare { get; init; }
}

/// <summary>The ledger of what experience saves, by tenant. Thread-safe; in process, from when it was made.</summary>
/// <remarks>
/// The comparison is between questions of one lottery: when the share that is served with experience changes, it begins anew, since the traffic before may
/// have been another. Costs have long tails, and the intervals are asymptotic: nothing is said before <see cref="LeastCompared"/> questions went either way.
/// </remarks>
/// <param name="booked">Hears of each booking, by tenant, once it is booked; is called by many threads at once and must not throw. Null: nobody.</param>
public sealed class Savings(Action<string, Ledger>? booked = null)
{
    /// <summary>Fewer questions than this, either way, promise nothing.</summary>
    public const int LeastCompared = 20;

    private readonly ConcurrentDictionary<string, TenantLedger> _tenants = new(StringComparer.Ordinal);

    /// <summary>Books a question.</summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="isExperienced">Whether it was answered with experience.</param>
    /// <param name="propensity">The chance that it would be; 0 and 1 are no lottery, and not compared.</param>
    /// <param name="cost">Its full cost.</param>
    /// <param name="learning">The part of it that was learning. Default 0.</param>
    public void Add(string tenant, bool isExperienced, double propensity, decimal cost, decimal learning = 0) =>
        Book(tenant, Ledger.OfQuestion(isExperienced, propensity, cost, learning));

    /// <summary>Books a question that went both ways; the plain one is to be booked by <see cref="Add"/> too.</summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="plain">What the plain call cost.</param>
    /// <param name="experienced">What memory, search and learning cost beside it.</param>
    /// <param name="agrees">Whether the answers mean the same; null if they could not be compared.</param>
    public void AddShadow(string tenant, decimal plain, decimal experienced, bool? agrees) =>
        Book(tenant, Ledger.OfShadow(plain, experienced, agrees));

    /// <summary>Books a request that was passed by.</summary>
    public void AddBypass(string tenant, string reason) => Book(tenant, Ledger.OfBypass(reason));

    /// <summary>What is known of a tenant; null if nothing was booked.</summary>
    public TenantSavings? For(string tenant) => _tenants.TryGetValue(tenant, out var ledger) ? ledger.Read() : null;

    /// <summary>What is known of every tenant, by name.</summary>
    public IReadOnlyList<TenantSavings> All() => [.. _tenants.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => t.Value.Read())];

    private void Book(string tenant, Ledger booking)
    {
        Of(tenant).Add(booking);
        booked?.Invoke(tenant, booking);
    }

    private TenantLedger Of(string tenant)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        return _tenants.GetOrAdd(tenant, static t => new(t));
    }
}
