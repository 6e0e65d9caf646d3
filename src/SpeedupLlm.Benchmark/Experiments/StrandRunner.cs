using System.Collections.Concurrent;
using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Results;

namespace SpeedupLlm.Benchmark.Experiments;

/// <summary>Lives the strands of a plan. The base question of a group is asked once for all that begin with it. Thread-safe.</summary>
/// <param name="plan">The plan.</param>
/// <param name="model">The model.</param>
/// <param name="data">The questions.</param>
/// <param name="clock">The clock.</param>
/// <param name="run">Ends the run: base questions are shared, so that the end of one lifeline is not that of another's.</param>
internal sealed class StrandRunner(ExperimentPlan plan, ExperimentModel model, IExampleSource data, TimeProvider clock, CancellationToken run)
{
    private readonly LifelineRunner _runner = new(plan.Settings, model, data, clock);
    private readonly ConcurrentDictionary<(int Group, string Scaling), Lazy<Task<Solved>>> _bases = new();

    /// <summary>A strand's trials in order, each list as soon as it is finished.</summary>
    public IAsyncEnumerable<IReadOnlyList<Trial>> LiveAsync(Strand strand, CancellationToken cancellationToken)
    {
        var key = strand.Keys[0];
        return key.Scaling == LifelineRunner.PlainCall ? AskPlainlyAsync(key, cancellationToken)
            : plan.HasLevels ? LiveAsync(key, cancellationToken)
            : StreamAsync(strand.Keys, cancellationToken);
    }

    /// <summary>The first question, asked plainly: a model that cannot be used fails the run at once, not trial by trial.</summary>
    /// <exception cref="ModelUnusableException">It failed.</exception>
    public async Task<Trial> TryModelAsync(LifelineKey key, int level, CancellationToken cancellationToken)
    {
        var trial = await AskPlainlyAsync(key, level, cancellationToken).ConfigureAwait(false);
        return trial.Error is { } error ? throw new ModelUnusableException(error) : trial;
    }

    /// <summary>One question, asked plainly.</summary>
    public Task<Trial> AskPlainlyAsync(LifelineKey key, int level, CancellationToken cancellationToken) => _runner.AskPlainlyAsync(key.Group, key.Similarity, level, cancellationToken);

    private async IAsyncEnumerable<IReadOnlyList<Trial>> AskPlainlyAsync(LifelineKey key, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var level in plan.PlainLevels(key.Similarity))
            yield return [await AskPlainlyAsync(key, level, cancellationToken).ConfigureAwait(false)];
    }

    private async IAsyncEnumerable<IReadOnlyList<Trial>> LiveAsync(LifelineKey key, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var others = new List<Solved>();
        for (var other = 1; other <= plan.Settings.Distractors; other++)
            others.Add(await BaseOf((key.Group + other) % plan.Groups.Count, key.Scaling).ConfigureAwait(false));
        var atBase = await BaseOf(key.Group, key.Scaling).ConfigureAwait(false);
        yield return await _runner.LiveAsync(key, plan.LevelsOf(key.Similarity), atBase, others, cancellationToken).ConfigureAwait(false);
    }

    private async IAsyncEnumerable<IReadOnlyList<Trial>> StreamAsync(IReadOnlyList<LifelineKey> keys, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var trial in _runner.StreamAsync(keys[0].Scaling, keys[0].Memory, [.. keys.Select(k => k.Group)], cancellationToken).ConfigureAwait(false))
            yield return [trial];
    }

    private Task<Solved> BaseOf(int group, string scaling) => _bases.GetOrAdd((group, scaling), _ => new(() => _runner.BaseAsync(group, scaling, run))).Value;
}
