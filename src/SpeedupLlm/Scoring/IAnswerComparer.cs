using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Scoring;

/// <summary>Says whether two final answers mean the same. An equivalence relation: reflexive, symmetric, transitive. Thread-safe.</summary>
/// <remarks>Voting, agreement and the oracle all go through the one comparer of the run. Two answers that differ in one digit are never the same (case 41).</remarks>
public interface IAnswerComparer
{
    /// <summary>Whether <paramref name="one"/> and <paramref name="other"/> mean the same.</summary>
    /// <param name="one">A final answer, as <see cref="Prompts.IPromptSet.Final(string)"/> gives it.</param>
    /// <param name="other">Another one.</param>
    /// <param name="context">For comparers that may ask a model about free text (purpose <see cref="Compute.CallPurpose.Score"/>); null outside the solving of a question, then no model is asked.</param>
    /// <param name="cancellationToken">Cancels.</param>
    ValueTask<bool> AreEquivalentAsync(string one, string other, ISolveContext? context, CancellationToken cancellationToken);
}
