namespace SpeedupLlm.Guard;

/// <summary>What <see cref="MemoryGuard"/> promises, and what it may spend on finding out.</summary>
public sealed record GuardOptions
{
    /// <summary>α: a memory that does not help is admitted with at most this chance, however long it is watched. In (0, 1); default 0.05.</summary>
    public double Alpha { get; init; } = 0.05;

    /// <summary>Questions to a false removal, on average at least. Above 1; default 10,000.</summary>
    public double AverageRunLength { get; init; } = 10_000;

    /// <summary>What finding out may cost, as a share of all cost so far: questions that memory made dearer while on trial, and questions asked without memory once it is in use. In (0, 1); default 0.04.</summary>
    public double ExplorationShare { get; init; } = 0.04;

    /// <summary>The share of questions that are asked with memory while it is on trial, if the budget allows. In (0, 1); default 0.5.</summary>
    public double TrialShare { get; init; } = 0.5;

    /// <summary>The share of questions that are asked without memory once it is in use, if the budget allows. In (0, 1); default 0.05.</summary>
    public double ControlShare { get; init; } = 0.05;

    /// <summary>The most that a question can cost, in the units of the observed costs; dearer ones count as this. Above 0; default 1.</summary>
    public double CostCap { get; init; } = 1;

    /// <summary>Randomised questions after which a trial without a result starts anew, so that an old opinion does not stand forever. At least 1; default 2,000.</summary>
    public int TrialLength { get; init; } = 2000;

    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    internal GuardOptions Validated()
    {
        foreach (var (name, share) in new[] { (nameof(Alpha), Alpha), (nameof(ExplorationShare), ExplorationShare), (nameof(TrialShare), TrialShare), (nameof(ControlShare), ControlShare) })
        {
            if (!(share is > 0 and < 1))
                throw new ArgumentOutOfRangeException(name, share, $"{name} is in (0, 1).");
        }
        if (!(AverageRunLength > 1 && double.IsFinite(AverageRunLength)))
            throw new ArgumentOutOfRangeException(nameof(AverageRunLength), AverageRunLength, "The average run length is a number above 1.");
        if (!(CostCap > 0 && double.IsFinite(CostCap)))
            throw new ArgumentOutOfRangeException(nameof(CostCap), CostCap, "The most that a question can cost is above 0.");
        ArgumentOutOfRangeException.ThrowIfLessThan(TrialLength, 1);
        return this;
    }
}
