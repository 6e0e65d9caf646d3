namespace SpeedupLlm.Guard;

/// <summary>Whether a question is asked with memory.</summary>
/// <param name="UseMemory">Whether it is.</param>
/// <param name="Propensity">The chance that it would be, in [0, 1]; 0 or 1 where nothing was drawn. Logged with the outcome.</param>
/// <param name="Phase">Where memory stood.</param>
public readonly record struct GuardDecision(bool UseMemory, double Propensity, GuardPhase Phase);

/// <summary>Lets memory be used in a band of similarity only while the evidence says that it lowers cost (docs/guard.md).</summary>
/// <remarks>
/// On trial, assignment is randomised, and a betting test (arXiv 2010.09686) of "memory does not help" must reach 1/α; the k-th trial bets only
/// 1/(k (k+1)) of the wealth, so all trials together keep to α. Once admitted, two change detectors with a stated average run length
/// (arXiv 2203.03532) watch: the cost with memory against the cost without it at admission, and memory against the few controls that go on being
/// asked. An alarm puts memory on trial again. Pure functions of state and observation; all state is in <see cref="BandState"/>.
/// </remarks>
/// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
public sealed class MemoryGuard(GuardOptions options)
{
    // before this many costs of an arm are known, its mean is taken to be the least possible
    private const int KnownFrom = 10;

    private readonly GuardOptions _options = options.Validated();

    /// <summary>The state of a band of which nothing is known: memory is on trial.</summary>
    public BandState Begin() => new(NewTest());

    /// <summary>The state of a band where a prior says that memory helps.</summary>
    /// <param name="costWithout">The prior's mean cost without memory, in (0, <see cref="GuardOptions.CostCap"/>).</param>
    /// <exception cref="ArgumentOutOfRangeException">The cost is out of range.</exception>
    public BandState BeginAdmitted(double costWithout)
    {
        if (!(costWithout > 0 && costWithout < _options.CostCap))
            throw new ArgumentOutOfRangeException(nameof(costWithout), costWithout, "A prior's cost is above 0 and below the cap.");
        return Admit(Begin(), costWithout / _options.CostCap, double.PositiveInfinity);
    }

    /// <summary>Decides for one question.</summary>
    /// <param name="state">The band's state.</param>
    /// <param name="chance">A uniform draw from [0, 1).</param>
    public GuardDecision Decide(BandState state, double chance)
    {
        ArgumentNullException.ThrowIfNull(state);
        var mayExplore = state.Explored + Worst(state) <= _options.ExplorationShare * state.Spent;
        return state.Phase == GuardPhase.OnTrial
            ? mayExplore ? new(chance < _options.TrialShare, _options.TrialShare, state.Phase) : new(false, 0, state.Phase)
            : mayExplore ? new(chance >= _options.ControlShare, 1 - _options.ControlShare, state.Phase) : new(true, 1, state.Phase);
    }

    /// <summary>What is known after the question's cost is.</summary>
    /// <param name="state">The state now; it may have changed since the decision.</param>
    /// <param name="decision">What was decided.</param>
    /// <param name="cost">What the question cost; NaN and negative ones are refused, dearer ones than the cap count as the cap.</param>
    /// <param name="needed">The evidence that admits; null is 1/α. Over several bands, what <see cref="EBenjaminiHochberg.Needed"/> says.</param>
    /// <exception cref="ArgumentOutOfRangeException">The cost is no cost.</exception>
    public BandState After(BandState state, GuardDecision decision, double cost, double? needed = null)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (!(cost >= 0))
            throw new ArgumentOutOfRangeException(nameof(cost), cost, "A cost is at least 0.");
        var relative = Math.Min(cost, _options.CostCap) / _options.CostCap;
        var next = state with
        {
            Spent = state.Spent + relative,
            Explored = state.Explored + Extra(state, decision, relative),
            WithMemory = decision.UseMemory ? state.WithMemory.With(relative) : state.WithMemory,
            Without = decision.UseMemory ? state.Without : state.Without.With(relative),
        };
        // a decision from before the phase changed says nothing of this phase
        return decision.Phase != state.Phase ? next : state.Phase == GuardPhase.OnTrial ? OnTrial(state, next, decision, relative, needed ?? (1 / _options.Alpha)) : Watched(state, next, decision, relative);
    }

    private BandState OnTrial(BandState before, BandState next, GuardDecision decision, double cost, double needed)
    {
        if (decision.Propensity is > 0 and < 1)
            next = next with { Admission = before.Admission.After(Effect(before, decision, cost)) };
        var evidence = EvidenceOf(next);
        if (evidence >= needed && next.Without.Mean is { } without)
            return Admit(next, Math.Clamp(without, 0.001, 0.999), evidence);
        return next.Admission.Count >= _options.TrialLength ? Retry(next) : next;
    }

    private BandState Watched(BandState before, BandState next, GuardDecision decision, double cost)
    {
        if (decision.UseMemory)
            next = next with { Dearer = before.Dearer!.After(-cost) };
        if (decision.Propensity is > 0 and < 1)
            next = next with { Harmful = before.Harmful!.After(-Effect(before, decision, cost)) };
        return next.Dearer!.Alarm || next.Harmful!.Alarm ? Retry(next) : next;
    }

    /// <summary>The evidence of a state that memory helps: an e-value, discounted by the trials before. e-BH over several bands takes these.</summary>
    public static double EvidenceOf(BandState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        // 1/2 + 1/6 + 1/12 + … = 1
        return state.Phase == GuardPhase.Admitted ? state.AdmittedWith : state.Admission.EValue / ((state.Trials + 1.0) * (state.Trials + 2.0));
    }

    private BettingTest NewTest() => BettingTest.AtLeast(0, -Bound(_options.TrialShare), Bound(_options.TrialShare));

    private BandState Admit(BandState state, double costWithout, double evidence)
    {
        var bound = Bound(_options.ControlShare);
        return state with
        {
            Phase = GuardPhase.Admitted,
            AdmittedWith = evidence,
            CostWithout = costWithout,
            Dearer = ChangeDetector.Below(-costWithout, -1, 0, 2 * _options.AverageRunLength),
            Harmful = ChangeDetector.Below(0, -bound, bound, 2 * _options.AverageRunLength),
            WithMemory = default,
            Without = default,
        };
    }

    private BandState Retry(BandState state) => state with
    {
        Phase = GuardPhase.OnTrial,
        Trials = state.Trials + 1,
        Admission = NewTest(),
        AdmittedWith = 0,
        CostWithout = 0,
        Dearer = null,
        Harmful = null,
        WithMemory = default,
        Without = default,
    };

    /// <summary>An unbiased estimate of what memory adds to the cost, from one randomised question: inverse propensity, around a cost guessed beforehand.</summary>
    private static double Effect(BandState before, GuardDecision decision, double cost)
    {
        var guess = ((before.WithMemory.Mean ?? 0.5) + (before.Without.Mean ?? 0.5)) / 2;
        return (cost - guess) * (decision.UseMemory ? 1 / decision.Propensity : -1 / (1 - decision.Propensity));
    }

    private static double Bound(double share) => 1 / Math.Min(share, 1 - share);

    /// <summary>What this question cost more for the sake of finding out.</summary>
    private static double Extra(BandState state, GuardDecision decision, double cost) => (state.Phase, decision.UseMemory) switch
    {
        (GuardPhase.OnTrial, true) => Math.Max(0, cost - Known(state.Without)),
        (GuardPhase.Admitted, false) => Math.Max(0, cost - Known(state.WithMemory)),
        _ => 0,
    };

    private static double Worst(BandState state) => 1 - Known(state.Phase == GuardPhase.OnTrial ? state.Without : state.WithMemory);

    private static double Known(ArmCost arm) => arm.Count < KnownFrom ? 0 : arm.Mean!.Value;
}
