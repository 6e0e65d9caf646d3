namespace SpeedupLlm.Compute;

/// <summary>What is booked of one tenant. Thread-safe.</summary>
internal sealed class TenantLedger(string tenant)
{
    private readonly Lock _lock = new();
    private Ledger _sum = Ledger.Empty;

    public void Add(Ledger booking)
    {
        lock (_lock)
            _sum = _sum.Then(booking);
    }

    public TenantSavings Read()
    {
        lock (_lock)
            return _sum.Read(tenant);
    }
}
