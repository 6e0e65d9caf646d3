using System.Runtime.CompilerServices;
using SpeedupLlm.Experience;
using SpeedupLlm.Guard;

namespace SpeedupLlm.Memory;

/// <summary>What the guard of <see cref="Auto"/> knows of one band of a scope, for looking at.</summary>
/// <param name="Scope">Whose.</param>
/// <param name="Band">The scaling method and the level, such as <c>best-of-n/S3</c>.</param>
public sealed record GuardedBand(Scope Scope, string Band)
{
    /// <summary>Where memory stands; null while the first questions are counted: until then a prior decides.</summary>
    public GuardPhase? Phase { get; init; }

    /// <summary>Whether memory is in use because a prior said so, and not by evidence from here.</summary>
    public bool IsPrior { get; init; }

    /// <summary>How many trials ended without a result, or uses with a removal, before this.</summary>
    public int Trials { get; init; }

    /// <summary>The evidence that memory helps, an e-value (docs/guard.md); null where a prior decided. It admits at 1/α.</summary>
    public double? Evidence { get; init; }

    /// <summary>Costs with memory since the phase began, in parts of the band's cap.</summary>
    public ArmCost WithMemory { get; init; }

    /// <summary>Costs without memory since the phase began: the controls, once memory is in use.</summary>
    public ArmCost Without { get; init; }

    /// <summary>What finding out has cost, as a share of all cost of the band; null before there is any.</summary>
    public double? ExploredShare { get; init; }

    /// <summary>The bands of all scopes that <paramref name="scope"/> covers: a null user or conversation means all of them.</summary>
    /// <exception cref="InvalidDataException">A record of the guard's is not readable.</exception>
    public static async IAsyncEnumerable<GuardedBand> ListAsync(IExperienceStore store, Scope scope, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        var guard = new MemoryGuard(new());
        await foreach (var document in store.ListDocumentsAsync(scope, GuardedBands.Kind, cancellationToken).ConfigureAwait(false))
            yield return Of(document, guard);
    }

    private static GuardedBand Of(MemoryDocument document, MemoryGuard guard)
    {
        var band = new GuardedBand(document.Scope, document.Key);
        if (GuardedBands.Read(document)?.State is not { } state)
            return band;
        var evidence = MemoryGuard.EvidenceOf(state.Open(guard));
        return band with
        {
            Phase = state.Phase,
            IsPrior = state.Phase == GuardPhase.Admitted && double.IsInfinity(state.AdmittedWith),
            Trials = state.Trials,
            Evidence = double.IsFinite(evidence) ? evidence : null,
            WithMemory = state.WithMemory,
            Without = state.Without,
            ExploredShare = state.Spent > 0 ? state.Explored / state.Spent : null,
        };
    }
}
