using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;

namespace SpeedupLlm.Worlds;

/// <summary>One measured share or mean.</summary>
/// <param name="Part">What was done, such as <c>guess</c>.</param>
/// <param name="Condition">Under which condition, such as what the prompt remembered.</param>
/// <param name="Measure">What was measured, such as <c>right</c>.</param>
/// <param name="Value">A share in [0, 1], or a mean where the measure says so (<c>tokens</c>).</param>
/// <param name="N">Over how many.</param>
public sealed record Figure(string Part, string Condition, string Measure, double Value, int N);

/// <summary>How a model is evaluated.</summary>
public sealed record EvaluationOptions
{
    /// <summary>Questions a condition, ≥ 1.</summary>
    public int N { get; init; } = 150;

    /// <summary>Which parts; null is all of them.</summary>
    public IReadOnlyList<string>? Parts { get; init; }

    /// <summary>The seed of questions and answers.</summary>
    public long Seed { get; init; } = 99;

    /// <summary>How many calls are in flight at once, ≥ 1. Figures do not depend on it.</summary>
    public int Concurrency { get; init; } = 64;
}

/// <summary>What an evaluation needs of a model: calls whose streams of chance are keyed by what they are for, many in flight, results in order.</summary>
internal sealed class EvaluatedModel(IChatClient model, int concurrency)
{
    /// <summary>Fine-tuning, where the model has it.</summary>
    public IAdapterTrainer? Trainer => model.GetService(typeof(IAdapterTrainer)) as IAdapterTrainer;

    /// <summary>One reply at the prompt's temperature (1 where it names none), and its output tokens.</summary>
    public async Task<(string Text, long Tokens)> AskAsync(Prompt prompt, StreamKey stream, CancellationToken cancellationToken, AdapterRef? adapter = null)
    {
        var options = new ChatOptions
        {
            Temperature = prompt.Temperature ?? 1,
            MaxOutputTokens = prompt.MaxOutputTokens,
            AdditionalProperties = new() { [CallInfo.Key] = new CallInfo(CallPurpose.Solve, stream, 0, "evaluation", adapter) },
        };
        var response = await model.GetResponseAsync(prompt.Messages, options, cancellationToken);
        return (response.Text, response.Usage?.OutputTokenCount ?? 0);
    }

    /// <summary>Applies an asynchronous function to all items; results in the order of the items.</summary>
    public async Task<TOut[]> MapAsync<TIn, TOut>(IReadOnlyList<TIn> items, Func<TIn, int, Task<TOut>> apply, CancellationToken cancellationToken)
    {
        var results = new TOut[items.Count];
        await Parallel.ForAsync(0, items.Count, new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellationToken },
            async (i, _) => results[i] = await apply(items[i], i));
        return results;
    }
}
