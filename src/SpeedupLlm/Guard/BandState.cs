namespace SpeedupLlm.Guard;

/// <summary>Where a memory stands in a band of similarity.</summary>
public enum GuardPhase
{
    /// <summary>Not used but for a few randomised questions.</summary>
    OnTrial,

    /// <summary>Used but for a few randomised questions.</summary>
    Admitted,
}

/// <summary>The mean of costs seen in one arm.</summary>
/// <param name="Count">How many.</param>
/// <param name="Sum">Their sum, each in [0, 1].</param>
public readonly record struct ArmCost(long Count, double Sum)
{
    /// <summary>Their mean, or null if there is none.</summary>
    public double? Mean => Count == 0 ? null : Sum / Count;

    internal ArmCost With(double cost) => new(Count + 1, Sum + cost);
}

/// <summary>All that the guard knows of one memory in one band. Immutable.</summary>
public sealed record BandState
{
    internal BandState(BettingTest admission) => Admission = admission;

    /// <summary>Where the memory stands.</summary>
    public GuardPhase Phase { get; init; }

    /// <summary>How many trials began before this one.</summary>
    public int Trials { get; init; }

    /// <summary>Evidence of this trial against "memory does not help".</summary>
    internal BettingTest Admission { get; init; }

    /// <summary>The evidence on which it was admitted, infinite for a prior; 0 while on trial.</summary>
    public double AdmittedWith { get; init; }

    /// <summary>The mean cost without memory at admission, in caps; 0 while on trial.</summary>
    public double CostWithout { get; init; }

    /// <summary>Watches the cost with memory, once admitted; null while on trial.</summary>
    internal ChangeDetector? Dearer { get; init; }

    /// <summary>Watches memory against controls, once admitted; null while on trial.</summary>
    internal ChangeDetector? Harmful { get; init; }

    /// <summary>Costs with memory since the phase began.</summary>
    public ArmCost WithMemory { get; init; }

    /// <summary>Costs without.</summary>
    public ArmCost Without { get; init; }

    /// <summary>All cost in this band, in caps.</summary>
    public double Spent { get; init; }

    /// <summary>What finding out has cost of it, counted so that it is rather too much than too little.</summary>
    public double Explored { get; init; }
}
