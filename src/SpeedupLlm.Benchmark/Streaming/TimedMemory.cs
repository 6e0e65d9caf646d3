using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Benchmark.Streaming;

/// <summary>A memory with a stopwatch on recalling. For one question at a time.</summary>
internal sealed class TimedMemory(IMemory memory, TimeProvider clock) : IMemory, IModelRequirement
{
    /// <summary>How long the last recall took.</summary>
    public TimeSpan Recalling { get; private set; }

    public string Name => memory.Name;

    public bool GivesAnswers => memory.GivesAnswers;

    public async ValueTask<Recalled> RecallAsync(Question question, IMemoryContext context, CancellationToken cancellationToken)
    {
        var start = clock.GetTimestamp();
        try
        {
            return await memory.RecallAsync(question, context, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Recalling = clock.GetElapsedTime(start);
        }
    }

    public ValueTask LearnAsync(Episode episode, IMemoryContext context, CancellationToken cancellationToken) => memory.LearnAsync(episode, context, cancellationToken);

    public ValueTask ObserveAsync(Solution solution, decimal cost, IMemoryContext context, CancellationToken cancellationToken) =>
        memory.ObserveAsync(solution, cost, context, cancellationToken);

    public ValueTask HearAsync(Solution solution, bool isRight, IMemoryContext context, CancellationToken cancellationToken) =>
        memory.HearAsync(solution, isRight, context, cancellationToken);

    public void Require(ModelTraits model, IAdapterTrainer? trainer) => (memory as IModelRequirement)?.Require(model, trainer);
}
