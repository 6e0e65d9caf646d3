using System.Collections.Concurrent;
using SpeedupLlm.Compute;
using SpeedupLlm.Guard;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Data;

/// <summary>Questions of a world: a group is one subject with its hidden rule.</summary>
public sealed class WorldExamples : IExampleSource
{
    /// <summary>The seed of the published run; it alone draws from the sealed split (docs/protocol.md).</summary>
    public const long SealedSeed = 2026;

    private readonly IWorld _world;
    private readonly Split _split;
    private readonly StreamKey _stream;
    private readonly ConcurrentDictionary<int, IQuestionGroup> _groups = [];
    private readonly ConcurrentDictionary<int, IQuestionGroup?> _changed = [];
    private readonly Lazy<ReuseEvidence> _prior;

    /// <param name="world">The world.</param>
    /// <param name="seed">Picks the groups.</param>
    public WorldExamples(IWorld world, long seed)
    {
        _world = world;
        _prior = new(() => Calibration.ReusePrior.Of(world));
        _split = seed == SealedSeed ? Split.Sealed : Split.Development;
        _stream = StreamKey.Root(seed).Child("groups");
    }

    /// <inheritdoc/>
    public string Name => _world.Name;

    /// <inheritdoc/>
    public string Fingerprint => $"{_world.Fingerprint}/{_split.ToString().ToLowerInvariant()}";

    /// <inheritdoc/>
    public int? Groups => null;

    /// <inheritdoc/>
    public IAnswerComparer Answers { get; } = new AnswerComparer();

    /// <inheritdoc/>
    /// <remarks>Measured on the calibration split, whose firms are in no other.</remarks>
    public ReuseEvidence? ReusePrior => _prior.Value;

    /// <inheritdoc/>
    public int? LevelsAt(SimilarityLevel similarity) => int.MaxValue;

    /// <inheritdoc/>
    public Example At(int group, SimilarityLevel similarity, int level)
    {
        var questions = GroupOf(group);
        return level == 0 ? questions.Base : questions.At(similarity, level);
    }

    /// <inheritdoc/>
    public string SubjectOf(int group) => GroupOf(group).Subject;

    /// <inheritdoc/>
    public Example? AfterChange(int group, SimilarityLevel similarity, int level)
    {
        var questions = _changed.GetOrAdd(group, g => GroupOf(g).Changed);
        return level == 0 ? questions?.Base : questions?.At(similarity, level);
    }

    /// <inheritdoc/>
    public ValueTask<bool> IsCorrectAsync(Example example, string? final, CancellationToken cancellationToken) => ValueTask.FromResult(_world.Verify(example, final));

    private IQuestionGroup GroupOf(int group) => _groups.GetOrAdd(group, g => _world.Group(g, _split, _stream));
}
