namespace SpeedupLlm.Compute;

/// <summary>The sums of one tenant's <see cref="Savings"/>. Thread-safe.</summary>
internal sealed class TenantLedger(string tenant)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _bypassed = new(StringComparer.Ordinal);
    private Spending _plain;
    private Spending _experienced;
    private Spending _shadowed;
    private double _propensity;
    private Moments _drawnPlain;
    private Moments _drawnExperienced;
    private PairedMoments _both;
    private long _compared;
    private long _differed;

    public void Add(bool isExperienced, double propensity, decimal cost)
    {
        lock (_lock)
        {
            if (isExperienced)
                _experienced = _experienced.With(cost);
            else
                _plain = _plain.With(cost);
            if (propensity is not (> 0 and < 1))
                return;
            if (propensity != _propensity)
                (_propensity, _drawnPlain, _drawnExperienced) = (propensity, default, default);
            if (isExperienced)
                _drawnExperienced = _drawnExperienced.With((double)cost);
            else
                _drawnPlain = _drawnPlain.With((double)cost);
        }
    }

    public void AddShadow(decimal plain, decimal experienced, bool? agrees)
    {
        lock (_lock)
        {
            _shadowed = _shadowed.With(experienced);
            _both = _both.With((double)plain, (double)experienced);
            _compared += agrees is null ? 0 : 1;
            _differed += agrees == false ? 1 : 0;
        }
    }

    public void AddBypass(string reason)
    {
        lock (_lock)
            _bypassed[reason] = _bypassed.GetValueOrDefault(reason) + 1;
    }

    public TenantSavings Read()
    {
        lock (_lock)
        {
            var known = _drawnPlain.Count >= Savings.LeastCompared && _drawnExperienced.Count >= Savings.LeastCompared;
            var both = _both.Count >= Savings.LeastCompared;
            return new()
            {
                Tenant = tenant,
                Plain = _plain,
                Experienced = _experienced,
                Shadowed = _shadowed,
                Bypassed = new Dictionary<string, long>(_bypassed, StringComparer.Ordinal),
                Saved = known ? Comparison.Difference(_drawnPlain, _drawnExperienced) : null,
                SavedShare = known ? Comparison.Share(_drawnPlain, _drawnExperienced) : null,
                WouldSave = both ? Comparison.Difference(_both) : null,
                WouldSaveShare = both ? Comparison.Share(_both) : null,
                Compared = _compared,
                Differed = _differed,
                DifferedShare = _compared >= Savings.LeastCompared ? Comparison.Wilson(_differed, _compared) : null,
            };
        }
    }
}
