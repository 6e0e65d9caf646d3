using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Scoring;

namespace SpeedupLlm.Reasoning;

/// <summary>One full answer.</summary>
/// <param name="Index">0-based, in the order of drawing.</param>
/// <param name="Text">The whole text.</param>
/// <param name="Final">The final answer in it, or null if there is none.</param>
/// <param name="Score">Its score.</param>
/// <param name="Finish">Why the model stopped writing.</param>
public sealed record Attempt(int Index, string Text, string? Final, Score Score, ChatFinishReason? Finish)
{
    /// <summary>Why no text came, for attempts whose call failed; null otherwise.</summary>
    public string? Error { get; init; }

    /// <summary>Whether the model ended the text by itself: only such attempts may be learnt or cached (case 5).</summary>
    public bool Complete => Error is null && (Finish is null || Finish == ChatFinishReason.Stop);
}

/// <summary>Why a search ended.</summary>
public enum StopReason
{
    /// <summary>An attempt's score reached τ, or a method's own rule was satisfied (agreement).</summary>
    Threshold,

    /// <summary>The method's own cap: N samples, nodes, refinements, thinking tokens.</summary>
    Cap,

    /// <summary>A hard cap of the budget.</summary>
    Budget,

    /// <summary>The caller went away.</summary>
    Cancelled,

    /// <summary>Nothing is left to try: all calls failed, the tree is searched, or the one thought ended below τ.</summary>
    Exhausted,

    /// <summary>Answered from memory without a search.</summary>
    Recalled,
}

/// <summary>What a scaling method found.</summary>
/// <param name="Best">The best attempt, first of equals; null if there is none.</param>
/// <param name="Attempts">All attempts, in the order of drawing, failed ones among them.</param>
/// <param name="Stop">Why it ended.</param>
/// <param name="Operations">The method's own cost (see <see cref="Bill.Operations"/>).</param>
public sealed record Search(Attempt? Best, IReadOnlyList<Attempt> Attempts, StopReason Stop, decimal Operations);

/// <summary>Draws attempts for a question and stops as soon as one is good enough. Holds options only; what changes is in the context. Thread-safe.</summary>
public interface IScalingMethod
{
    /// <summary>The name in the catalogue.</summary>
    string Name { get; }

    /// <summary>Which prompt starts an attempt; fine-tuning trains on it.</summary>
    PromptTask Entry { get; }

    /// <summary>Runs the search. Model failures become failed attempts; an exhausted budget becomes <see cref="StopReason.Budget"/>; cancellation by the caller throws after what was spent is in the bill.</summary>
    ValueTask<Search> RunAsync(ISolveContext context, CancellationToken cancellationToken);
}

/// <summary>A model's answer to one prompt.</summary>
/// <param name="Text">The text, without hidden reasoning.</param>
/// <param name="Finish">Why the model stopped.</param>
/// <param name="Output">Generated tokens.</param>
/// <param name="LogProbs">A token each, or null if none were given.</param>
/// <param name="Reasoning">The text of hidden reasoning, if the model gives it.</param>
public sealed record Reply(string Text, ChatFinishReason? Finish, long Output, IReadOnlyList<TokenLogProb>? LogProbs = null, string? Reasoning = null);

/// <summary>What a method or scorer sees of the solving of one question. Every call is metered and capped; nobody sees the raw client.</summary>
/// <remarks>Thread-safe: waves of attempts call it concurrently.</remarks>
public interface ISolveContext
{
    /// <summary>The question.</summary>
    Question Question { get; }

    /// <summary>What memory gave.</summary>
    Recalled Recalled { get; }

    /// <summary>The prompts that the model understands.</summary>
    IPromptSet Prompts { get; }

    /// <summary>What the model can do.</summary>
    ModelTraits Model { get; }

    /// <summary>The random stream of this question.</summary>
    StreamKey Stream { get; }

    /// <summary>τ. Above 1 makes a method its plain, non-adaptive self.</summary>
    double Threshold { get; }

    /// <summary>Says which final answers mean the same.</summary>
    IAnswerComparer Answers { get; }

    /// <summary>The attempts reported so far, in the order of their indices: scorers may look at earlier ones.</summary>
    IReadOnlyList<Attempt> Attempts { get; }

    /// <summary>Makes an attempt known, or its new score: to listeners, to scorers, and to the record that is kept if the caller goes away. Replaces what was reported with the same index.</summary>
    void Report(Attempt attempt);

    /// <summary>Asks the model once: one call, one sample.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="purpose">What the call is for.</param>
    /// <param name="stream">The stream of chance; derive it from <see cref="Stream"/> by method and attempt, memory left out.</param>
    /// <param name="draw">The number of the sample among samples of the same prompt.</param>
    /// <param name="progress">The attempt that streams meanwhile, or null if the text is not for the user's eyes.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="BudgetExceededException">No call is left.</exception>
    /// <exception cref="ModelFailedException">The call failed.</exception>
    ValueTask<Reply> AskAsync(Prompt prompt, CallPurpose purpose, StreamKey stream, int draw, int? progress, CancellationToken cancellationToken);

    /// <summary>As <see cref="AskAsync"/>, but reads along: <paramref name="goOn"/> sees the text so far after each piece, and ends the call by saying false.</summary>
    /// <returns>The reply; if the reader ended it, its finish is null and its tokens are estimated.</returns>
    ValueTask<Reply> ReadAlongAsync(
        Prompt prompt, CallPurpose purpose, StreamKey stream, int draw, int? progress, Func<string, CancellationToken, ValueTask<bool>> goOn, CancellationToken cancellationToken);

    /// <summary>Reports an attempt and scores it with the run's scorer, extracting its final answer first. An attempt without a final answer scores 0 without a model call; one whose scorer failed is unscored.</summary>
    /// <exception cref="BudgetExceededException">No call is left for the scorer.</exception>
    ValueTask<Attempt> ScoreAsync(Attempt attempt, CancellationToken cancellationToken);
}
