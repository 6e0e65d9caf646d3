using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using SpeedupLlm.Reasoning;

namespace SpeedupLlm;

/// <summary>An answered question: what came out, how, and what it cost.</summary>
/// <param name="Question">The question.</param>
/// <param name="Best">The best attempt, or null if there is none.</param>
/// <param name="Attempts">All attempts.</param>
/// <param name="Stop">Why the search ended.</param>
/// <param name="Used">What memory gave.</param>
/// <param name="Bill">What answering cost; learning comes later and has its own bill.</param>
/// <param name="Accepted">Whether the best attempt's score reached τ.</param>
/// <param name="ToAccepted">Time until the answer was there.</param>
public sealed record Solution(
    Question Question,
    Attempt? Best,
    IReadOnlyList<Attempt> Attempts,
    StopReason Stop,
    Recalled Used,
    Bill Bill,
    bool Accepted,
    TimeSpan ToAccepted)
{
    /// <summary>Names the episode that learning makes of it.</summary>
    public required string Id { get; init; }

    /// <summary>Whose question it was.</summary>
    public required Scope Scope { get; init; }

    /// <summary>The stream of chance of this question.</summary>
    public required StreamKey Stream { get; init; }

    /// <summary>Which calls shared prompt prefixes with it (see <see cref="CallInfo.CacheScope"/>).</summary>
    public string? CacheScope { get; init; }

    /// <summary>When it was answered, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Why memory could not be used, or null if it could (case 30: the question is answered all the same).</summary>
    public string? Degraded { get; init; }

    /// <summary>What went wrong in model calls whose failure the search survived, in the order of failing (case 3).</summary>
    public IReadOnlyList<ModelFailedException> Failures { get; init; } = [];

    /// <summary>Whether the scorer accepted the first attempt with a final answer that it looked at; null if it looked at none.</summary>
    public bool? FirstVerdict =>
        Attempts.FirstOrDefault(a => a is { Complete: true, Final: not null, Score: { Value: not null, IsExpected: false } }) is { } first
            ? Accepted && first == Best
            : null;
}

/// <summary>The caller went away. What was found and spent until then is in <see cref="Solution"/>, whose stop is <see cref="StopReason.Cancelled"/>.</summary>
public sealed class SolveCancelledException(Solution solution, CancellationToken token) : OperationCanceledException("The question was cancelled.", token)
{
    /// <summary>What was found and spent.</summary>
    public Solution Solution { get; } = solution;
}

/// <summary>What happens while a question is solved.</summary>
public abstract record SolveEvent;

/// <summary>Memory was asked.</summary>
public sealed record RecallDone(Recalled Recalled) : SolveEvent;

/// <summary>A piece of an attempt's text, as it is generated; the attempt may still be refused.</summary>
public sealed record AttemptDelta(int Attempt, string Text) : SolveEvent;

/// <summary>An attempt was scored.</summary>
public sealed record AttemptScored(Attempt Attempt) : SolveEvent;

/// <summary>A piece of the answer.</summary>
public sealed record AnswerDelta(string Text) : SolveEvent;

/// <summary>The answer is there.</summary>
public sealed record Finished(Solution Solution) : SolveEvent;

/// <summary>Memory has learnt from the answer.</summary>
/// <param name="Episode">The episode's id.</param>
/// <param name="Bill">What learning cost.</param>
public sealed record Learnt(string Episode, Bill Bill) : SolveEvent
{
    /// <summary>Whether the episode may be reused: it was accepted or verified, and is complete.</summary>
    public bool Usable { get; init; }

    /// <summary>Why memory could not keep or learn it, or null if it could.</summary>
    public string? Degraded { get; init; }
}
