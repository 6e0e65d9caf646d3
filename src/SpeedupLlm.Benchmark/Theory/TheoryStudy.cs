using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Benchmark.Statistics;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Benchmark.Theory;

/// <summary>How the theory is checked.</summary>
public sealed record TheoryOptions
{
    /// <summary>Held-out attempts a question, at least N. Default 32.</summary>
    public int Draws { get; init; } = 32;

    /// <summary>Measured searches a question, at least 1. Default 4.</summary>
    public int Runs { get; init; } = 4;
}

/// <summary>
/// Estimates for each question the chance p that an attempt is accepted, from held-out attempts that nothing stops, and holds what
/// E[answers] = (1-(1-p)^N)/p says against searches of Best-of-N on other streams of chance. With memory the base question's worked solution was learnt.
/// </summary>
public sealed class TheoryStudy
{
    private const string Searched = "best-of-n";

    /// <summary>The chance that any cell of a study is said to disagree although all agree (Bonferroni).</summary>
    private const double Level = 0.05;

    private readonly ExperimentSettings _settings;
    private readonly TheoryOptions _options;
    private readonly IExampleSource _data;
    private readonly QuestionRunner _searches, _draws;
    private readonly StreamKey _root;

    /// <param name="settings">Model, memories, levels, N, τ, scorer, groups and seed; the scaling methods are not used.</param>
    /// <param name="options">How much is drawn.</param>
    /// <param name="model">The model.</param>
    /// <param name="data">Questions with groups and levels.</param>
    /// <param name="clock">The clock.</param>
    /// <exception cref="ArgumentException">Something is out of range, or the data has no levels.</exception>
    public TheoryStudy(ExperimentSettings settings, TheoryOptions options, ExperimentModel model, IExampleSource data, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(data);
        Methods.Validate(settings);
        if (options.Draws < settings.Samples)
            throw new ArgumentException(FormattableString.Invariant($"There are at least as many held-out attempts as N = {settings.Samples}."));
        if (options.Runs < 1)
            throw new ArgumentException("There is at least 1 measured search.");
        if (data.LevelsAt(SimilarityLevel.S1) is null)
            throw new ArgumentException($"{data.Name} has no groups of alike questions.");
        foreach (var memory in settings.Memory)
        {
            if (Methods.Memory(memory, settings) is { GivesAnswers: true })
                throw new ArgumentException($"{memory} answers without a search, and the theory is about searching.");
        }

        _settings = settings;
        _options = options;
        _data = data;
        _searches = new(settings, model, data, clock);
        // no score reaches this: nothing stops
        _draws = new(settings with { Samples = options.Draws, Tau = double.MaxValue }, model, data, clock);
        _root = StreamKey.Root(settings.Seed).Child("theory");
    }

    /// <summary>How many questions are looked at at once. Default 64.</summary>
    public int Parallelism { get; init; } = 64;

    /// <summary>The rows, by similarity and memory.</summary>
    /// <exception cref="ModelUnusableException">A call failed: an estimate from what is left would be of other attempts than asked for.</exception>
    public async Task<IReadOnlyList<AnswersCheck>> RunAsync(CancellationToken cancellationToken)
    {
        var groups = _settings.Groups ?? 20;
        var places = (from similarity in _settings.Similarity from memory in _settings.Memory from @group in Enumerable.Range(0, groups) select (Similarity: similarity, Memory: memory, Group: @group)).ToList();
        var found = new Question[places.Count];
        await Parallel.ForEachAsync(Enumerable.Range(0, places.Count), new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken }, async (i, ct) =>
            found[i] = await LookAsync(places[i].Similarity, places[i].Memory, places[i].Group, ct).ConfigureAwait(false)).ConfigureAwait(false);
        return [.. places.Zip(found).GroupBy(p => (p.First.Similarity, p.First.Memory)).Select(cell => Check(cell.Key.Similarity, cell.Key.Memory, [.. cell.Select(p => p.Second)], _settings.Samples, _settings.Similarity.Count * _settings.Memory.Count))];
    }

    /// <summary>What was found out about a question.</summary>
    internal readonly record struct Question(HeldOutDraws Draws, double Measured);

    /// <summary>The row of a cell.</summary>
    internal static AnswersCheck Check(string similarity, string memory, IReadOnlyList<Question> questions, int samples, int cells)
    {
        var p = questions.Average(q => q.Draws.P);
        var predicted = questions.Average(q => q.Draws.ExpectedAnswers(samples));
        var measured = questions.Average(q => q.Measured);
        var differences = questions.Select(q => q.Measured - q.Draws.ExpectedAnswers(samples)).ToArray();
        var difference = GroupEstimate.Ratio(differences, [.. Enumerable.Repeat(1.0, differences.Length)], [.. Enumerable.Repeat(true, differences.Length)])!;
        var ci = difference.Confidence();
        return new(similarity, memory, p, predicted, p > 0 ? (1 - Math.Pow(1 - p, samples)) / p : samples, measured, difference.Value, ci?.ToArray(),
            difference.PValue(0) is { } chance ? chance > Level / cells : null);
    }

    private async Task<Question> LookAsync(string similarity, string memoryName, int group, CancellationToken cancellationToken)
    {
        var memory = Methods.Memory(memoryName, _settings, _data);
        await using var store = memory is null ? null : new InMemoryStore();
        var stream = _root.Child(group).Child(similarity);
        if (memory is not null)
        {
            var first = _data.At(group, SimilarityLevel.S1, 0);
            var asked = await _searches.SolveAsync(Searched, null, null, first, stream.Child("first"), null, cancellationToken).ConfigureAwait(false);
            await _searches.LearnAsync(Searched, memory, store!, asked, Feedback.Reference(first.WorkedSolution), cancellationToken).ConfigureAwait(false);
        }

        var example = _data.At(group, Enum.Parse<SimilarityLevel>(similarity), 1);
        var drawn = Sound(await _draws.SolveAsync(Searched, memory, store, example, stream.Child("held-out"), null, cancellationToken).ConfigureAwait(false));
        var measured = 0m;
        for (var run = 0; run < _options.Runs; run++)
            measured += Sound(await _searches.SolveAsync(Searched, memory, store, example, stream.Child("search").Child(run), null, cancellationToken).ConfigureAwait(false)).Bill.Operations;
        return new(new(drawn.Attempts.Count, drawn.Attempts.Count(a => a.Score.Reaches(_settings.Tau))), (double)measured / _options.Runs);
    }

    private static Solution Sound(Solved solved) =>
        solved is { Error: null, Solution: { } solution } ? solution : throw new ModelUnusableException(solved.Error ?? "no answer");
}
