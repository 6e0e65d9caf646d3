using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Conversations;

namespace SpeedupLlm;

/// <summary>How far experience is let into an application's traffic.</summary>
public enum ExperienceMode
{
    /// <summary>Every request goes to the model as it is, and nothing is measured.</summary>
    Off,

    /// <summary>Every request is answered by the model as it is; what would have been saved is measured beside it, within a budget.</summary>
    Observe,

    /// <summary>A share of requests, drawn by lot, is answered with experience.</summary>
    Canary,

    /// <summary>All requests are, but for a few controls drawn by lot.</summary>
    On,
}

/// <summary>How an <see cref="ExperiencedChatClient"/> works.</summary>
public sealed record ExperienceOptions
{
    /// <summary>How questions are answered: search, scorer, memory, store, caller.</summary>
    public SolverOptions Solver { get; init; } = new();

    /// <summary>What is taken for a question.</summary>
    public ConversationOptions Conversations { get; init; } = new();

    /// <summary>The mode to begin with. Default: on.</summary>
    public ExperienceMode Mode { get; init; } = ExperienceMode.On;

    /// <summary>The share of questions answered with experience in canary mode. In (0, 1); default 0.1.</summary>
    public double CanaryShare { get; init; } = 0.1;

    /// <summary>The share of questions answered by one plain call all the same when on: without them nobody knows what is saved. In [0, 1); default 0.05.</summary>
    public double ControlShare { get; init; } = 0.05;

    /// <summary>What observing may cost, as a share of what the plain calls cost; at most one question more. Above 0; default 0.5.</summary>
    public double ObserveShare { get; init; } = 0.5;

    /// <summary>Answers that wait to be learnt from at most, and as many observed questions; what comes beyond is answered and not learnt. At least 1; default 64.</summary>
    public int Backlog { get; init; } = 64;

    /// <summary>Who asks, from the request's options; null: <see cref="SolverOptions.Caller"/>. The tenant must be an authenticated one, never what a client says of itself.</summary>
    public Func<ChatOptions?, Caller>? CallerOf { get; init; }

    /// <summary>Whether an answer may be kept and learnt from; null keeps all. What it refuses, or throws at, leaves nothing behind: no episode, no lesson.</summary>
    public Func<Solution, bool>? MayLearn { get; init; }

    /// <summary>The ledger; clients may share one.</summary>
    public Savings Savings { get; init; } = new();

    /// <summary>Checks ranges.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    internal ExperienceOptions Validated()
    {
        if (!(CanaryShare is > 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(CanaryShare), CanaryShare, "The canary's share is in (0, 1).");
        if (!(ControlShare is >= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(ControlShare), ControlShare, "The controls' share is in [0, 1).");
        if (!(ObserveShare > 0 && double.IsFinite(ObserveShare)))
            throw new ArgumentOutOfRangeException(nameof(ObserveShare), ObserveShare, "What observing may cost is a share above 0.");
        if (!Enum.IsDefined(Mode))
            throw new ArgumentOutOfRangeException(nameof(Mode), Mode, "There is no such mode.");
        ArgumentOutOfRangeException.ThrowIfLessThan(Backlog, 1);
        return this;
    }
}
