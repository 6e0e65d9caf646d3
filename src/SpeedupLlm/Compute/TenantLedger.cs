namespace SpeedupLlm.Compute;

/// <summary>What is booked of one tenant. Thread-safe.</summary>
internal sealed class TenantLedger(string tenant)
{
    // reasons may quote requests, so there is an end to what is kept of them
    private const int MostReasons = 64;
    private const string OtherReasons = "other";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _bypassed = new(StringComparer.Ordinal);
    private Ledger _sum = Ledger.Empty;

    public void Add(Ledger booking)
    {
        lock (_lock)
            _sum = _sum.Then(booking);
    }

    public void AddBypass(string reason)
    {
        lock (_lock)
        {
            var known = _bypassed.Count < MostReasons || _bypassed.ContainsKey(reason) ? reason : OtherReasons;
            _bypassed[known] = _bypassed.GetValueOrDefault(known) + 1;
        }
    }

    public TenantSavings Read()
    {
        lock (_lock)
            return _sum.Read(tenant) with { Bypassed = new Dictionary<string, long>(_bypassed, StringComparer.Ordinal) };
    }
}
