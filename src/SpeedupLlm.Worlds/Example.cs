using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Worlds;

/// <summary>Which questions: the names of their firms (or other subjects) are disjoint, and none of them is in training texts.</summary>
public enum Split
{
    /// <summary>Tuning, tests and quick runs.</summary>
    Development,

    /// <summary>Priors and τ.</summary>
    Calibration,

    /// <summary>The published run, once.</summary>
    Sealed,
}

/// <summary>A question with what the benchmark knows about it; the solver sees the question only.</summary>
/// <param name="Id">Stable: the same question has the same id in every run of the same seed.</param>
/// <param name="Question">The text that is asked.</param>
/// <param name="Expected">The final answer.</param>
/// <param name="WorkedSolution">A sound attempt that ends in the final answer; what <c>reference</c> feedback shows.</param>
/// <param name="Lesson">What a good lesson of this question says.</param>
/// <param name="Kind">The kind of question, in the world's words.</param>
/// <param name="HeldOut">Whether the hidden rule never occurs in training texts.</param>
public sealed record Example(string Id, string Question, string Expected, string WorkedSolution, string Lesson, string Kind, bool HeldOut)
{
    /// <summary>Of a question that asks for a program: Python that raises where the program, run before it, is wrong. Else empty.</summary>
    public string Tests { get; init; } = "";
}

/// <summary>A base question and the questions that stand to it in a similarity (arXiv 2505.20643). Immutable; thread-safe.</summary>
public interface IQuestionGroup
{
    /// <summary>The base question: level 0 of every lifeline.</summary>
    Example Base { get; }

    /// <summary>The question at level <paramref name="level"/> (≥ 0; 0 is <see cref="Base"/>) of the lifeline of a similarity.</summary>
    Example At(SimilarityLevel similarity, int level);

    /// <summary>What the group is about, in the world's words: groups of one subject would mix up in one memory. By default each group is its own.</summary>
    string Subject => Base.Id;

    /// <summary>The same group from the moment on at which its hidden rule changes: the same subject, a base question and a lifeline of its own. Null in a world whose rules never change.</summary>
    IQuestionGroup? Changed => null;

    /// <summary>A past case of somebody else: another hidden rule, mostly in the same setting.</summary>
    Example Distractor(int index);

    /// <summary>A past case of this group that does not hold any more: its hidden rule has changed since.</summary>
    Example Stale(int index);
}
