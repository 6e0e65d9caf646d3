using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Memory;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Experiments;

/// <summary>A question that was answered.</summary>
internal sealed record Solved(Example Example, Solution? Solution, bool Correct, string? Error, TrialTime Time);

/// <summary>Asks one question with a run's settings, and learns from the answer. Thread-safe.</summary>
internal sealed class QuestionRunner(ExperimentSettings settings, ExperimentModel model, IExampleSource data, TimeProvider clock)
{
    private readonly HashedNgramEmbedder _embedder = new();

    /// <summary>Answers a question; whatever fails is in the outcome.</summary>
    /// <param name="scaling">The scaling method.</param>
    /// <param name="memory">The memory, or null.</param>
    /// <param name="store">Its store, or null.</param>
    /// <param name="example">The question.</param>
    /// <param name="stream">Its stream of chance.</param>
    /// <param name="scope">Which calls share prompt prefixes.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<Solved> SolveAsync(
        string scaling, IMemory? memory, IExperienceStore? store, Example example, StreamKey stream, string? scope, CancellationToken cancellationToken)
    {
        await using var solver = SolverOf(scaling, memory, store, example);
        return await AskAsync(solver, example, stream, scope, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The model asked once, without search, judge or memory.</summary>
    public async Task<Solved> AskPlainlyAsync(Example example, StreamKey stream, CancellationToken cancellationToken)
    {
        await using var solver = new Solver(model.Client, new()
        {
            Scaling = new BestOfN(new() { Samples = 1 }),
            Scorer = Unjudged.Instance,
            Threshold = settings.Tau,
            Memory = null,
            Clock = clock,
        });
        return await AskAsync(solver, example, stream, null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Learns from an answer; null if there is none.</summary>
    public async Task<Learnt?> LearnAsync(
        string scaling, IMemory memory, IExperienceStore store, Solved solved, Feedback? feedback, CancellationToken cancellationToken)
    {
        if (solved.Solution is not { } solution)
            return null;
        await using var solver = SolverOf(scaling, memory, store, solved.Example);
        return await solver.LearnAsync(solution, feedback, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Has a memory learn the data's library, but for questions that are asked: those would be known, not alike. What it cost is charged to the first question.</summary>
    /// <returns>Null if there is no library, or no memory.</returns>
    public async Task<Learnt?> LearnLibraryAsync(
        string scaling, IMemory? memory, IExperienceStore? store, IEnumerable<Example> asked, StreamKey stream, string? scope, CancellationToken cancellationToken)
    {
        if (memory is null || data.Library.Count == 0)
            return null;
        var known = asked.Select(KeyOf).ToHashSet(StringComparer.Ordinal);
        Learnt? all = null;
        foreach (var (place, example) in data.Library.Index().Where(e => !known.Contains(KeyOf(e.Item))))
        {
            await using var solver = SolverOf(scaling, memory, store, example);
            var worked = example.WorkedSolution.Length > 0 ? example.WorkedSolution : example.Expected;
            var learnt = await solver.TeachAsync(Question.FromText(example.Question, example.Id), worked, new() { Stream = stream.Child(place), CacheScope = scope }, cancellationToken).ConfigureAwait(false);
            all = Together(all, learnt);
        }

        return all;

        static string? KeyOf(Example example) => QuestionKey.Of(Question.FromText(example.Question));
    }

    /// <summary>What learning twice cost, and why the first that could not be kept was not.</summary>
    public static Learnt? Together(Learnt? first, Learnt? second) =>
        first is null || second is null ? first ?? second : second with { Bill = first.Bill.Plus(second.Bill), Degraded = first.Degraded ?? second.Degraded };

    /// <summary>What the run tells after an answer; null is nothing.</summary>
    public Feedback? FeedbackOn(Solved solved) => settings.Feedback switch
    {
        FeedbackMode.Verdict => solved.Correct ? Feedback.Right : Feedback.Wrong,
        FeedbackMode.Reference when solved.Example.WorkedSolution.Length > 0 => Feedback.Reference(solved.Example.WorkedSolution),
        FeedbackMode.Reference => solved.Correct ? Feedback.Right : Feedback.Wrong,
        _ => null,
    };

    private Solver SolverOf(string scaling, IMemory? memory, IExperienceStore? store, Example example) => new(model.Client, new()
    {
        Scaling = Methods.Scaling(scaling, settings),
        Scorer = Methods.Scorer(settings, example),
        Threshold = settings.Tau,
        Answers = data.Answers,
        Memory = memory,
        Store = store,
        Embedder = _embedder,
        Clock = clock,
    });

    private async Task<Solved> AskAsync(Solver solver, Example example, StreamKey stream, string? scope, CancellationToken cancellationToken)
    {
        var startedAt = clock.GetUtcNow();
        var start = clock.GetTimestamp();
        try
        {
            var question = data.QuestionOf(example);
            var solution = await solver.SolveAsync(question, new() { Stream = stream, CacheScope = scope }, cancellationToken).ConfigureAwait(false);
            var correct = await data.IsCorrectAsync(example, solution.Best?.Final, cancellationToken).ConfigureAwait(false);
            var elapsed = clock.GetElapsedTime(start);
            return new(example, solution, correct, ErrorOf(solution),
                new(startedAt, elapsed.TotalMilliseconds, solution.Accepted ? solution.ToAccepted.TotalMilliseconds : null));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // a failed trial is recorded, never dropped (case 43)
            return new(example, null, false, e.Message, new(startedAt, clock.GetElapsedTime(start).TotalMilliseconds, null));
        }
    }

    /// <summary>A search that failed calls kept from every attempt has failed; one that merely found nothing, or lost some calls, has not (case 3).</summary>
    private static string? ErrorOf(Solution solution) =>
        solution.Degraded ?? (solution.Attempts.All(a => a.Error is not null) ? solution.Failures.FirstOrDefault()?.Message : null);

    /// <summary>Gives no score and asks nobody.</summary>
    private sealed class Unjudged : IScorer
    {
        public static Unjudged Instance { get; } = new();

        public string Name => "none";

        public ValueTask<Score> ScoreAsync(Attempt attempt, ISolveContext context, CancellationToken cancellationToken) =>
            ValueTask.FromResult(Score.Unscored("not judged"));
    }
}
