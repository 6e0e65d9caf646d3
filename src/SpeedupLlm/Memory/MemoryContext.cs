using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring;

namespace SpeedupLlm.Memory;

/// <summary>One recall or one learning. Thread-safe.</summary>
internal sealed class MemoryContext(Meter meter, CallPurpose purpose, string questionId, string? cacheScope) : IMemoryContext
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _draws = new(StringComparer.Ordinal);

    public required IExperienceStore Store { get; init; }

    public required Scope Scope { get; init; }

    public required IPromptSet Prompts { get; init; }

    public required ModelTraits Model { get; init; }

    public required ITextEmbedder Embedder { get; init; }

    public required PromptTask Entry { get; init; }

    public required string Scaling { get; init; }

    public required StreamKey Stream { get; init; }

    public required IAdapterTrainer? Trainer { get; init; }

    public required ITokenCounter? Counter { get; init; }

    public required DateTimeOffset Now { get; init; }

    public required IAnswerComparer Answers { get; init; }

    public ValueTask<Reply> AskAsync(Prompt prompt, StreamKey stream, CancellationToken cancellationToken) => meter.AskAsync(
        prompt, new(purpose, stream, NextDraw(prompt), questionId, null, prompt.TopLogProbs, cacheScope), reader: null, cancellationToken);

    public void Charge(Charge charge) => meter.Add(charge);

    public decimal Spent => meter.Spent;

    /// <summary>The number of this sample among the samples of the same prompt.</summary>
    private int NextDraw(Prompt prompt)
    {
        var text = string.Join('\u001f', prompt.Messages.Select(m => m.Text));
        lock (_lock)
        {
            var draw = _draws.GetValueOrDefault(text);
            _draws[text] = draw + 1;
            return draw;
        }
    }
}
