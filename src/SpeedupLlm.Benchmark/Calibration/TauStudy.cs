using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Memory;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Calibration;

/// <summary>Draws the searches that τ is chosen on: a world's calibration split, without memory and with the answer to a question with other numbers (S3) remembered.</summary>
/// <remarks>Searches are drawn to their caps, whatever they score, so that thresholds below the one in use are labelled too. What is remembered is a worked solution.</remarks>
public sealed class TauStudy(ExperimentModel model, IWorld world, ExperimentSettings settings)
{
    // no score reaches it: every search goes to its cap
    private const double Never = 2;

    /// <summary>Chooses τ for both states of memory.</summary>
    /// <param name="groups">Firms, at least 2.</param>
    /// <param name="seed">Picks the firms.</param>
    /// <param name="delta">δ, in (0, 1).</param>
    /// <param name="alpha">α, in (0, 1).</param>
    /// <param name="cancellationToken">Ends it; nothing is kept.</param>
    public async Task<IReadOnlyList<TauChoice>> RunAsync(int groups, long seed, double delta, double alpha, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(groups, 2);
        var stream = StreamKey.Root(seed).Child("tau");
        var (without, with) = (new DrawnSearch[groups], new DrawnSearch[groups]);
        await Parallel.ForAsync(0, groups, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancellationToken }, async (index, ct) =>
        {
            var group = world.Group(index, Split.Calibration, stream);
            without[index] = await DrawAsync(group.Base, null, stream.Child(index), ct).ConfigureAwait(false);
            with[index] = await DrawAsync(group.At(SimilarityLevel.S3, 1), group.Base, stream.Child(index), ct).ConfigureAwait(false);
        }).ConfigureAwait(false);
        return [LearnThenTest.Choose("no memory", without, delta, alpha), LearnThenTest.Choose("a case of S3", with, delta, alpha)];
    }

    private async Task<DrawnSearch> DrawAsync(Example asked, Example? remembered, StreamKey stream, CancellationToken cancellationToken)
    {
        await using var store = new InMemoryStore();
        await using var solver = new Solver(model.Client, new()
        {
            Scaling = settings.ScalingMethod(),
            Scorer = Methods.Scorer(settings, asked),
            Threshold = Never,
            Memory = new InContext(),
            Store = store,
        });
        if (remembered is not null)
        {
            var known = await solver.SolveAsync(Question.FromText(remembered.Question, remembered.Id), new() { Stream = stream.Child("remembered"), Budget = new() { Calls = 1 } }, cancellationToken).ConfigureAwait(false);
            await solver.LearnAsync(known, Feedback.Reference(remembered.WorkedSolution), cancellationToken).ConfigureAwait(false);
        }

        var solution = await solver.SolveAsync(Question.FromText(asked.Question, asked.Id), new() { Stream = stream.Child("asked"), CacheScope = stream.ToString() }, cancellationToken).ConfigureAwait(false);
        return new([.. solution.Attempts.Select(a => (a.Score.Value, world.Verify(asked, a.Final)))]);
    }
}
