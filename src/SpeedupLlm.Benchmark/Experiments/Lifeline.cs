using System.Globalization;
using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Memory;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Experiments;

/// <summary>One group in one cell: its questions in order, from empty memory.</summary>
internal readonly record struct LifelineKey(int Group, string Similarity, string Scaling, string Memory);

/// <summary>Lives lifelines: question, learn, question, learn, … Each is alone with its memory; nothing is shared but the model.</summary>
/// <remarks>Streams are keyed by (seed, group, level, scaling), memory and similarity left out, so that arms are paired (docs/protocol.md).</remarks>
internal sealed class LifelineRunner(ExperimentSettings settings, ExperimentModel model, IExampleSource data, TimeProvider clock)
{
    /// <summary>The scaling name of plain calls in their file.</summary>
    public const string PlainCall = "plain-call";

    private readonly QuestionRunner _questions = new(settings, model, data, clock);
    private readonly StreamKey _root = StreamKey.Root(settings.Seed);

    /// <summary>The base question, asked with empty memory: the same trial in all arms of a scaling method.</summary>
    public async Task<Solved> BaseAsync(int group, string scaling, CancellationToken cancellationToken)
    {
        var example = data.At(group, SimilarityLevel.S1, 0);
        return await _questions.SolveAsync(scaling, null, null, example, StreamOf(group, 0, scaling), Scope(group, scaling), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>All trials of a lifeline, in order.</summary>
    /// <param name="key">Which.</param>
    /// <param name="levels">How many questions follow the base question.</param>
    /// <param name="atBase">The base question's outcome.</param>
    /// <param name="others">Other groups' outcomes. If there are any, they are all that memory ever knows, each with its worked solution; learning them is not charged.</param>
    /// <param name="cancellationToken">Ends it; what is unfinished is lost.</param>
    public async Task<IReadOnlyList<Trial>> LiveAsync(
        LifelineKey key, int levels, Solved atBase, IReadOnlyList<Solved> others, CancellationToken cancellationToken)
    {
        var similarity = Enum.Parse<SimilarityLevel>(key.Similarity);
        var scope = $"{Scope(key.Group, key.Scaling)}/{key.Similarity}/{key.Memory}";
        var memory = Methods.Memory(key.Memory, settings, data, model.Prior);
        await using var store = memory is null ? null : new InMemoryStore();
        var trials = new List<Trial>(levels + 1) { TrialOf(key, 0, atBase, null) };
        foreach (var other in others)
        {
            if (memory is not null)
                await _questions.LearnAsync(key.Scaling, memory, store!, other, Feedback.Reference(other.Example.WorkedSolution), cancellationToken).ConfigureAwait(false);
        }

        var last = atBase with { Solution = atBase.Solution is { } solution ? solution with { CacheScope = scope } : null };
        for (var level = 1; level <= levels; level++)
        {
            var learnt = memory is null || others.Count > 0 ? null : await _questions.LearnAsync(key.Scaling, memory, store!, last, _questions.FeedbackOn(last), cancellationToken).ConfigureAwait(false);
            var example = data.At(key.Group, similarity, level);
            last = await _questions.SolveAsync(key.Scaling, memory, store, example, StreamOf(key.Group, level, key.Scaling), scope, cancellationToken).ConfigureAwait(false);
            trials.Add(TrialOf(key, level, last, learnt));
        }

        return trials;
    }

    /// <summary>The whole of data without levels as one lifeline: each question is a group.</summary>
    public async IAsyncEnumerable<Trial> StreamAsync(
        string scaling, string memoryName, IReadOnlyList<int> groups, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var memory = Methods.Memory(memoryName, settings, data, model.Prior);
        await using var store = memory is null ? null : new InMemoryStore();
        var learnt = await _questions.LearnLibraryAsync(
            scaling, memory, store, groups.Select(g => data.At(g, SimilarityLevel.S1, 0)), _root.Child("library"), $"{model.Run}{scaling}/{memoryName}", cancellationToken).ConfigureAwait(false);
        foreach (var group in groups)
        {
            var key = new LifelineKey(group, Experiment.AnySimilarity, scaling, memoryName);
            var example = data.At(group, SimilarityLevel.S1, 0);
            var solved = await _questions.SolveAsync(scaling, memory, store, example, StreamOf(group, 0, scaling), $"{model.Run}{scaling}/{memoryName}", cancellationToken).ConfigureAwait(false);
            yield return TrialOf(key, 0, solved, learnt);
            if (memory is not null && group != groups[^1])
                learnt = await _questions.LearnAsync(scaling, memory, store!, solved, _questions.FeedbackOn(solved), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The model asked once, without search, judge or memory.</summary>
    public async Task<Trial> AskPlainlyAsync(int group, string similarity, int level, CancellationToken cancellationToken)
    {
        var example = data.At(group, Enum.TryParse<SimilarityLevel>(similarity, out var s) ? s : SimilarityLevel.S1, level);
        var solved = await _questions.AskPlainlyAsync(example, StreamOf(group, level, PlainCall), cancellationToken).ConfigureAwait(false);
        return TrialOf(new(group, similarity, PlainCall, CellKey.NoMemory), level, solved, null);
    }

    private StreamKey StreamOf(int group, int level, string scaling) => _root.Child("trial").Child(group).Child(level).Child(scaling);

    private string Scope(int group, string scaling) => string.Create(CultureInfo.InvariantCulture, $"{model.Run}{group}/{scaling}");

    /// <param name="key">The lifeline.</param>
    /// <param name="level">The level.</param>
    /// <param name="solved">What came out.</param>
    /// <param name="learnt">What learning after the level before cost: charged here.</param>
    private Trial TrialOf(LifelineKey key, int level, Solved solved, Learnt? learnt)
    {
        var bill = (solved.Solution?.Bill ?? Bill.Empty).Plus(learnt?.Bill ?? Bill.Empty);
        var used = solved.Solution?.Used;
        return new()
        {
            Similarity = key.Similarity,
            Scaling = key.Scaling,
            Memory = key.Memory,
            Checkpoint = settings.Checkpoint,
            Group = key.Group,
            Level = level,
            Question = solved.Example.Id,
            Answer = solved.Solution?.Best?.Final,
            Expected = solved.Example.Expected,
            Correct = solved.Correct,
            Accepted = solved.Solution?.Accepted ?? false,
            Score = solved.Solution?.Best?.Score.Value,
            Stop = (solved.Solution?.Stop ?? StopReason.Exhausted).ToString().ToLowerInvariant(),
            Operations = solved.Solution?.Bill.Operations ?? 0,
            InputTokens = bill.Input,
            CachedInputTokens = bill.CachedInput,
            OutputTokens = bill.Output,
            FullCost = PriceSheet.Relative.Cost(bill),
            Bill = BillLine.Of(bill),
            Recalled = used is null ? [] : [.. used.Hints.Select(h => h.Source).Concat(Sources(used))],
            Error = solved.Error ?? learnt?.Degraded,
            Time = solved.Time,
        };
    }

    private static IEnumerable<string> Sources(Recalled used)
    {
        if (used.Answer is { } answer)
            yield return answer.Source;
        if (used.Weights is { } weights)
            yield return weights.Id;
    }
}
