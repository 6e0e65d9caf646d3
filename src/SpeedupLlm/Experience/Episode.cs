using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Experience;

/// <summary>What is known of an episode's answer.</summary>
public enum Verdict
{
    /// <summary>Nobody looked.</summary>
    Unverified,

    /// <summary>The run's own scorer accepted it.</summary>
    SelfJudged,

    /// <summary>Somebody who knows said that it is right, or it is a given worked solution.</summary>
    Verified,

    /// <summary>Somebody who knows said that it is wrong.</summary>
    Rejected,
}

/// <summary>A question that was answered: what memories are made from.</summary>
public sealed record Episode
{
    /// <summary>The version of the persisted form that this code writes.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The version of the persisted form.</summary>
    public int FormatVersion { get; init; } = CurrentFormat;

    /// <summary>Unique.</summary>
    public required string Id { get; init; }

    /// <summary>Whose it is.</summary>
    public required Scope Scope { get; init; }

    /// <summary>The question's identity.</summary>
    public required string QuestionId { get; init; }

    /// <summary>The question's text.</summary>
    public required string Question { get; init; }

    /// <summary>The question's <see cref="SpeedupLlm.Question.Context"/>; null is none.</summary>
    public string? Context { get; init; }

    /// <summary>The question's <see cref="SpeedupLlm.Question.Setting"/>; null is none.</summary>
    public string? Setting { get; init; }

    /// <summary>Whether the question leant on earlier turns: then it is no case, and nothing is learnt from it but its answer to the very same question.</summary>
    public bool IsFollowUp { get; init; }

    /// <summary>The worked answer that may be reused (a search's dead ends removed), or null if none was accepted.</summary>
    public string? Answer { get; init; }

    /// <summary>The final answer in it.</summary>
    public string? Final { get; init; }

    /// <summary>The score of the accepted attempt, or of the best one.</summary>
    public double? Score { get; init; }

    /// <summary>What is known of the answer.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>All attempts.</summary>
    public IReadOnlyList<Attempt> Attempts { get; init; } = [];

    /// <summary>Why the search stopped.</summary>
    public StopReason Stop { get; init; }

    /// <summary>Operations spent.</summary>
    public decimal Operations { get; init; }

    /// <summary>Full cost spent, in the units of the solver's price sheet.</summary>
    public decimal FullCost { get; init; }

    /// <summary>When it was answered, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The embedding of <see cref="Question"/>, unit length, or empty if it has none (empty text).</summary>
    public ReadOnlyMemory<float> Embedding { get; init; }

    /// <summary>The embedder's fingerprint; vectors of another one are never compared.</summary>
    public required string EmbeddingFingerprint { get; init; }

    /// <summary>What was recalled for it: the sources of the hints in its prompts. An answer that leant on something is no evidence for it.</summary>
    public IReadOnlyList<string> Hints
    {
        get;
        init => field = value ?? []; // records of before there was this field come with null
    } = [];

    /// <summary>Why the episode is set aside: its text speaks to the model; null if it does not. It is kept and shown, and never recalled.</summary>
    public string? Suspicion { get; init; }

    /// <summary>How often this episode was recalled and the answer then was accepted.</summary>
    public int Helped { get; init; }

    /// <summary>How often it was recalled and the answer then was not accepted.</summary>
    public int Harmed { get; init; }

    /// <summary>Whether the answer was told by somebody who knows and is none of the attempts': the question was one that the search did not solve.</summary>
    public bool IsTold => Verdict == Verdict.Verified && Attempts.All(a => a.Final is null || a.Final != Final);

    /// <summary>Whether it may be learnt from and recalled: it has an answer that was accepted or verified (case 25), and nothing in it is suspicious (case 24).</summary>
    public bool Usable => Answer is not null && Suspicion is null && Verdict is (Verdict.SelfJudged or Verdict.Verified);
}
