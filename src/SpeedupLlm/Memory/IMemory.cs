using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring;

namespace SpeedupLlm.Memory;

/// <summary>What a hint is.</summary>
public enum HintKind
{
    /// <summary>A past question with its accepted answer.</summary>
    Case,

    /// <summary>A written lesson.</summary>
    Lesson,

    /// <summary>Irrelevant text of equal length (the benchmark's control).</summary>
    Placebo,
}

/// <summary>Something remembered that goes into the prompt, as data.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">The lesson, or the past question.</param>
/// <param name="Answer">The worked answer of a case; null otherwise.</param>
/// <param name="Source">The episode or lesson that it comes from.</param>
public sealed record Hint(HintKind Kind, string Text, string? Answer, string Source);

/// <summary>An answer that needs no search.</summary>
public sealed record StoredAnswer(string Text, string? Final, string Source, Verdict Verdict);

/// <summary>What memory gave for a question.</summary>
/// <param name="Answer">A whole answer, or null.</param>
/// <param name="Hints">For the prompt: stable lessons before varying cases, so that prefix caches keep working.</param>
/// <param name="Weights">Adapted weights, or null.</param>
/// <param name="Relevance">How alike the most similar remembered question is.</param>
public sealed record Recalled(StoredAnswer? Answer, IReadOnlyList<Hint> Hints, AdapterRef? Weights, Relevance Relevance)
{
    /// <summary>Why it was used or not, from memories that choose; null from others.</summary>
    public MemoryChoice? Choice { get; init; }

    /// <summary>How much of its cap (samples, nodes, answers, thinking tokens) the search may use, in (0, 1]. Default 1.</summary>
    public double Effort { get; init; } = 1;

    /// <summary>What the scorer is expected to say of an attempt with a final answer, from experience with this memory, in [0, 1]: if that reaches τ, it is not asked. Null: it is asked.</summary>
    public double? ExpectedScore { get; init; }

    /// <summary>Nothing was recalled.</summary>
    public static Recalled Nothing { get; } = new(null, [], null, Relevance.None);

    /// <summary>The part of a cap that <see cref="Effort"/> leaves, at least 1.</summary>
    internal int Limit(int cap) => Math.Max(1, (int)Math.Ceiling(cap * Effort));
}

/// <summary>What a memory that chooses has chosen.</summary>
/// <param name="Band">The band of similarity that the choice is accounted to; empty if to none.</param>
/// <param name="Plan">What was chosen and why, in a line.</param>
/// <param name="IsUsed">Whether memory was used.</param>
/// <param name="Propensity">The chance that it would be; 0 or 1 where nothing was drawn.</param>
public sealed record MemoryChoice(string Band, string Plan, bool IsUsed, double Propensity)
{
    /// <summary>Where memory stood in the band.</summary>
    public Guard.GuardPhase Phase { get; init; }

    /// <summary>What could have been given in place of cases, or was; null if nothing.</summary>
    public AlternativeChoice? Alternative { get; init; }
}

/// <summary>What became of a plan that wants to take the place of cases.</summary>
/// <param name="Plan">The plan's name.</param>
/// <param name="IsUsed">Whether it was given.</param>
/// <param name="Propensity">The chance that it would be; 0 or 1 where nothing was drawn.</param>
/// <param name="Phase">Where it stood in the band.</param>
public sealed record AlternativeChoice(string Plan, bool IsUsed, double Propensity, Guard.GuardPhase Phase);

/// <summary>Names adapted weights of a model.</summary>
/// <param name="Id">A hash of the content.</param>
/// <param name="ModelFingerprint">The model that it adapts.</param>
public sealed record AdapterRef(string Id, string ModelFingerprint);

/// <summary>A prompt and the text that should follow it.</summary>
public sealed record TrainingPair(Prompt Prompt, string Target);

/// <summary>Fine-tunes the model; from <c>IChatClient.GetService</c>. Thread-safe.</summary>
public interface IAdapterTrainer
{
    /// <summary>Trains on <paramref name="pairs"/>, starting at <paramref name="from"/> or at the model's own weights. Pure: the same input gives the same adapter.</summary>
    ValueTask<TrainedAdapter> TrainAsync(AdapterRef? from, IReadOnlyList<TrainingPair> pairs, StreamKey stream, CancellationToken cancellationToken);

    /// <summary>The loss of an adapter (null: of the model's own weights) on pairs, without training; null if the trainer cannot say. Memories hold questions out with it.</summary>
    ValueTask<MeasuredLoss?> MeasureAsync(AdapterRef? adapter, IReadOnlyList<TrainingPair> pairs, CancellationToken cancellationToken) =>
        ValueTask.FromResult<MeasuredLoss?>(null);

    /// <summary>The adapter as bytes, for the store.</summary>
    ValueTask<ReadOnlyMemory<byte>> ExportAsync(AdapterRef adapter, CancellationToken cancellationToken);

    /// <summary>Makes an exported adapter usable again. Idempotent.</summary>
    /// <exception cref="InvalidDataException">The bytes are not an adapter of this model.</exception>
    ValueTask<AdapterRef> ImportAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken);
}

/// <summary>The outcome of a training run.</summary>
/// <param name="Adapter">The new weights.</param>
/// <param name="Tokens">Tokens passed forward and backward.</param>
/// <param name="LossBefore">Mean loss a target token before, in nats.</param>
/// <param name="LossAfter">The same after.</param>
public sealed record TrainedAdapter(AdapterRef Adapter, long Tokens, double LossBefore, double LossAfter);

/// <summary>A loss on pairs that were not trained on.</summary>
/// <param name="Tokens">Tokens passed forward; they are paid as input.</param>
/// <param name="Loss">Mean loss a target token, in nats.</param>
public sealed record MeasuredLoss(long Tokens, double Loss);

/// <summary>A memory that not every model can have: asked once when memory and model are put together, so that nobody learns it after the first question.</summary>
public interface IModelRequirement
{
    /// <summary>Refuses a model that the memory cannot work with.</summary>
    /// <exception cref="MemoryNotSupportedException">With the remedy.</exception>
    void Require(ModelTraits model, IAdapterTrainer? trainer);
}

/// <summary>A memory cannot work with a model. Remedy: another memory, or another model.</summary>
public sealed class MemoryNotSupportedException(string memory, string message) : Exception(message)
{
    /// <summary>The memory's name in the catalogue.</summary>
    public string Memory { get; } = memory;
}

/// <summary>Keeps something of past episodes and gives it back when it may help. Holds options only; all state is in the store. Thread-safe.</summary>
public interface IMemory
{
    /// <summary>The name in the catalogue.</summary>
    string Name { get; }

    /// <summary>Whether it may answer whole questions; then the same question asked twice at once is searched once. Default false.</summary>
    bool GivesAnswers => false;

    /// <summary>What may help with <paramref name="question"/>.</summary>
    ValueTask<Recalled> RecallAsync(Question question, IMemoryContext context, CancellationToken cancellationToken);

    /// <summary>Learns from an episode that is already in the store. Only accepted or verified episodes should be learnt (case 25).</summary>
    ValueTask LearnAsync(Episode episode, IMemoryContext context, CancellationToken cancellationToken);

    /// <summary>Sees what a question cost, whether it was answered well or not, once. Does nothing by default.</summary>
    /// <param name="solution">The answer, with what this memory gave for it.</param>
    /// <param name="cost">The full cost of answering, in the units of the solver's price sheet.</param>
    /// <param name="context">What the memory works with.</param>
    /// <param name="cancellationToken">Cancels.</param>
    ValueTask ObserveAsync(Solution solution, decimal cost, IMemoryContext context, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>Hears from somebody who knows whether an answer that this memory gave whole was right. Does nothing by default.</summary>
    ValueTask HearAsync(Solution solution, bool isRight, IMemoryContext context, CancellationToken cancellationToken) => ValueTask.CompletedTask;
}

/// <summary>What a memory works with.</summary>
public interface IMemoryContext
{
    /// <summary>Where episodes, lessons and adapters are kept; a bounded in-process store at the short-term horizon.</summary>
    IExperienceStore Store { get; }

    /// <summary>Whose memory it is.</summary>
    Scope Scope { get; }

    /// <summary>The prompts that the model understands.</summary>
    IPromptSet Prompts { get; }

    /// <summary>What the model can do.</summary>
    ModelTraits Model { get; }

    /// <summary>Embeds question texts.</summary>
    ITextEmbedder Embedder { get; }

    /// <summary>The prompt that starts an attempt of the scaling method in use; fine-tuning trains on it.</summary>
    PromptTask Entry { get; }

    /// <summary>The name of the scaling method in use.</summary>
    string Scaling { get; }

    /// <summary>The random stream of this recall or learning.</summary>
    StreamKey Stream { get; }

    /// <summary>Fine-tuning, or null if the model has none.</summary>
    IAdapterTrainer? Trainer { get; }

    /// <summary>Counts prompt tokens, or null if the model does not say how; then they are estimated.</summary>
    ITokenCounter? Counter { get; }

    /// <summary>The time, UTC: of asking when recalling, of answering when learning.</summary>
    DateTimeOffset Now { get; }

    /// <summary>Says whether two final answers mean the same; no model is asked.</summary>
    IAnswerComparer Answers { get; }

    /// <summary>Asks the model, metered, with the context's purpose (recall or learn).</summary>
    /// <exception cref="BudgetExceededException">No call is left.</exception>
    ValueTask<Reply> AskAsync(Prompt prompt, StreamKey stream, CancellationToken cancellationToken);

    /// <summary>Books a training run.</summary>
    void Charge(Charge charge);

    /// <summary>The full cost of all that was asked and booked so far, in the units of the solver's price sheet.</summary>
    decimal Spent { get; }
}
