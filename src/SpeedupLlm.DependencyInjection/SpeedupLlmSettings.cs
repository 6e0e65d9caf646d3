using SpeedupLlm.Memory;
using SpeedupLlm.Reasoning;

namespace SpeedupLlm;

/// <summary>What an application's configuration may say of a chat client with experience; the names are those of the gateway's file. Values are checked when the client is made.</summary>
public sealed record SpeedupLlmSettings
{
    private static readonly ExperienceOptions Defaults = new();

    /// <summary>The mode to begin with. Default: on.</summary>
    public ExperienceMode Mode { get; init; } = Defaults.Mode;

    /// <summary>See <see cref="ExperienceOptions.CanaryShare"/>.</summary>
    public double CanaryShare { get; init; } = Defaults.CanaryShare;

    /// <summary>See <see cref="ExperienceOptions.ControlShare"/>.</summary>
    public double ControlShare { get; init; } = Defaults.ControlShare;

    /// <summary>See <see cref="ExperienceOptions.ObserveShare"/>.</summary>
    public double ObserveShare { get; init; } = Defaults.ObserveShare;

    /// <summary>A scaling method of the <see cref="Catalogue"/>. Default <c>best-of-n</c>.</summary>
    public string Scaling { get; init; } = "best-of-n";

    /// <summary>N of Best-of-N and Self-Consistency, at least 1. Default 8.</summary>
    public int Samples { get; init; } = 8;

    /// <summary>A memory of the <see cref="Catalogue"/>. Default <c>auto</c>.</summary>
    public string Memory { get; init; } = "auto";

    /// <summary>A scorer of the <see cref="Catalogue"/>. Default <c>judge</c>.</summary>
    public string Scorer { get; init; } = "judge";

    /// <summary>τ: see <see cref="SolverOptions.Threshold"/>. Default 0.5.</summary>
    public double Tau { get; init; } = Defaults.Solver.Threshold;

    /// <summary>The options that these settings mean.</summary>
    /// <exception cref="UnknownNameException">There is no method, memory or scorer of that name.</exception>
    internal ExperienceOptions ToOptions() => Defaults with
    {
        // each client has a ledger of its own
        Savings = new(),
        Mode = Mode,
        CanaryShare = CanaryShare,
        ControlShare = ControlShare,
        ObserveShare = ObserveShare,
        Solver = new()
        {
            Scaling = Scaling switch
            {
                "best-of-n" => new BestOfN(new() { Samples = Samples }),
                "self-consistency" => new SelfConsistency(new() { Samples = Samples }),
                var name => Catalogue.ScalingMethods.Create(name),
            },
            Memory = Memory == NoMemory.CatalogueName ? null : Catalogue.Memories.Create(Memory),
            Scorer = Catalogue.Scorers.Create(Scorer),
            Threshold = Tau,
        },
    };
}
