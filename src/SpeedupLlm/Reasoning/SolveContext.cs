using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Scoring;

namespace SpeedupLlm.Reasoning;

/// <summary>The solving of one question: all that changes meanwhile is here. Thread-safe.</summary>
internal sealed class SolveContext(Meter meter, IScorer scorer, Action<SolveEvent>? listener) : ISolveContext
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<int, Attempt> _attempts = [];

    public required Question Question { get; init; }

    public required Recalled Recalled { get; init; }

    public required IPromptSet Prompts { get; init; }

    public required ModelTraits Model { get; init; }

    public required StreamKey Stream { get; init; }

    public required double Threshold { get; init; }

    public required IAnswerComparer Answers { get; init; }

    public required string? CacheScope { get; init; }

    public IReadOnlyList<Attempt> Attempts
    {
        get
        {
            lock (_lock)
                return [.. _attempts.Values];
        }
    }

    public void Report(Attempt attempt)
    {
        lock (_lock)
            _attempts[attempt.Index] = attempt;
        if (attempt.Error is not null || attempt.Score != default)
            listener?.Invoke(new AttemptScored(attempt));
    }

    public ValueTask<Reply> AskAsync(Prompt prompt, CallPurpose purpose, StreamKey stream, int draw, int? progress, CancellationToken cancellationToken) =>
        meter.AskAsync(Asked(prompt, progress), Info(prompt, purpose, stream, draw), OnText(progress) is { } onText ? new(onText, null) : null, cancellationToken);

    public ValueTask<Reply> ReadAlongAsync(
        Prompt prompt, CallPurpose purpose, StreamKey stream, int draw, int? progress, Func<string, CancellationToken, ValueTask<bool>> goOn, CancellationToken cancellationToken) =>
        meter.AskAsync(Asked(prompt, progress), Info(prompt, purpose, stream, draw), new(OnText(progress), goOn), cancellationToken);

    public async ValueTask<Attempt> ScoreAsync(Attempt attempt, CancellationToken cancellationToken)
    {
        attempt = attempt with { Final = attempt.Final ?? Prompts.Final(Question, attempt.Text) };
        Report(attempt);
        attempt = attempt with { Score = await ScoreOfAsync(attempt, cancellationToken).ConfigureAwait(false) };
        Report(attempt);
        return attempt;
    }

    private async ValueTask<Score> ScoreOfAsync(Attempt attempt, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(attempt.Final))
            return new(0, "no final answer");
        if (Recalled.ExpectedScore is { } expected && expected >= Threshold && attempt.Complete)
            return Score.Of(expected, "expected from experience") with { IsExpected = true };
        try
        {
            var score = await scorer.ScoreAsync(attempt, this, cancellationToken).ConfigureAwait(false);
            // a scorer may hand out a NaN (case 37); and a score always says something, so that it differs from "not scored yet"
            return score.Value is { } value ? Score.Of(value, score.Reason) : Score.Unscored(score.Reason ?? "no score");
        }
        catch (ModelFailedException e)
        {
            return Score.Unscored(e.Message);
        }
    }

    /// <summary>Adapted weights draw attempts; judging, feedback and lessons stay with the model's own, which nobody fine-tuned to approve of itself.</summary>
    private CallInfo Info(Prompt prompt, CallPurpose purpose, StreamKey stream, int draw) =>
        new(purpose, stream, draw, Question.Id, DrawsText(prompt) ? Recalled.Weights : null, prompt.TopLogProbs, CacheScope);

    /// <summary>The prompt with what the caller asked of the text: all of it where the text may become the answer, else only how it is drawn (case 13).</summary>
    private Prompt Asked(Prompt prompt, int? attempt) => DrawsText(prompt) ? AskedOptions.Bind(prompt, Question.Options, isAnswer: attempt is not null) : prompt;

    private static bool DrawsText(Prompt prompt) => prompt.Task is PromptTask.Guess or PromptTask.Think or PromptTask.Propose or PromptTask.Refine;

    private Action<string>? OnText(int? progress) =>
        listener is not null && progress is { } attempt ? text => listener(new AttemptDelta(attempt, text)) : null;
}
