using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring;

namespace SpeedupLlm;

/// <summary>Answers questions with a model, and learns from the answers: recall, search, answer, learn (arXiv 2505.20643).</summary>
/// <remarks>Thread-safe: one solver serves many questions at once. Holds no state but the conversations of the short-term horizon, and a store of its own if none was given.</remarks>
public sealed class Solver : IAsyncDisposable
{
    private readonly IChatClient _model;
    private readonly SolverOptions _options;
    private readonly ModelTraits _traits;
    private readonly IPromptSet _prompts;
    private readonly IAdapterTrainer? _trainer;
    private readonly ITokenCounter? _counter;
    private readonly Experiences _experiences;
    private readonly Flights _flights = new();

    /// <summary>Puts a model and options together. Neither is disposed by the solver.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    /// <exception cref="MemoryNotSupportedException">The memory cannot work with this model.</exception>
    public Solver(IChatClient model, SolverOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _options = options ?? new();
        _options.Validate();
        _traits = TraitsOf(model);
        _prompts = _options.Prompts ?? Catalogue.Prompts.Create(_traits.Prompts);
        _trainer = model.GetService<IAdapterTrainer>();
        _counter = model.GetService<ITokenCounter>();
        _experiences = new(_options);
        (_options.Memory as IModelRequirement)?.Require(_traits, _trainer);
    }

    /// <summary>Answers a question.</summary>
    /// <exception cref="SolveCancelledException">The caller went away; what was spent is in it.</exception>
    /// <exception cref="ContextLengthException">The question alone is longer than the model's context.</exception>
    public ValueTask<Solution> SolveAsync(Question question, CancellationToken cancellationToken) => SolveAsync(question, null, cancellationToken);

    /// <inheritdoc cref="SolveAsync(Question, CancellationToken)"/>
    public ValueTask<Solution> SolveAsync(Question question, SolveRequest? request, CancellationToken cancellationToken) =>
        SolveAsync(question, request, listener: null, cancellationToken);

    /// <summary>Answers a question, telling what happens meanwhile: attempts as they are written, the answer once it is found, and the solution last. Who stops listening cancels.</summary>
    public IAsyncEnumerable<SolveEvent> StreamAsync(Question question, SolveRequest? request, CancellationToken cancellationToken) =>
        ListenAsync((listener, ct) => SolveAsync(question, request, listener, ct).AsTask(), cancellationToken);

    /// <summary>As <see cref="StreamAsync"/>, and then learns without feedback: the last event is <see cref="Learnt"/>.</summary>
    public IAsyncEnumerable<SolveEvent> StreamAndLearnAsync(Question question, SolveRequest? request, CancellationToken cancellationToken) =>
        ListenAsync(async (listener, ct) =>
        {
            var solution = await SolveAsync(question, request, listener, ct).ConfigureAwait(false);
            listener(await LearnAsync(solution, null, ct).ConfigureAwait(false));
        }, cancellationToken);

    /// <summary>Answers a question and learns from it.</summary>
    public async ValueTask<(Solution Solution, Learnt Learnt)> SolveAndLearnAsync(
        Question question, SolveRequest? request, Feedback? feedback, CancellationToken cancellationToken)
    {
        var solution = await SolveAsync(question, request, cancellationToken).ConfigureAwait(false);
        return (solution, await LearnAsync(solution, feedback, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Forgets the short-term memory of a conversation.</summary>
    public ValueTask EndConversationAsync(Caller caller) => _experiences.EndAsync(caller);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _experiences.DisposeAsync();

    private async ValueTask<Solution> SolveAsync(Question question, SolveRequest? request, Action<SolveEvent>? listener, CancellationToken cancellationToken)
    {
        var solve = Begin(question, request);
        SolveContext? context = null;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var flight = await JoinAsync(solve, cancellationToken).ConfigureAwait(false);
            if (solve.Recalled.Answer is null)
                await RecallAsync(solve, cancellationToken).ConfigureAwait(false);
            listener?.Invoke(new RecallDone(solve.Recalled));
            CheckLength(question);

            context = ContextOf(solve, listener);
            var search = solve.Recalled.Answer is { } stored
                ? FromMemory(stored)
                : await _options.Scaling.RunAsync(context, cancellationToken).ConfigureAwait(false);

            var solution = Finish(solve, search);
            flight?.Land(solution);
            _options.Ended?.Invoke(solution);
            if (solution.Best is { } best)
                listener?.Invoke(new AnswerDelta(best.Text));
            listener?.Invoke(new Finished(solution));
            return solution;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            var attempts = context?.Attempts ?? [];
            var partial = Finish(solve, new(AttemptLoop.Best(attempts), attempts, StopReason.Cancelled, 0));
            _options.Ended?.Invoke(partial);
            throw new SolveCancelledException(partial, cancellationToken);
        }
    }

    /// <summary>What changes while one question is solved.</summary>
    private sealed class Solve
    {
        public required Question Question { get; init; }

        public required Scope Scope { get; init; }

        public required StreamKey Stream { get; init; }

        public required string? CacheScope { get; init; }

        public required Meter Meter { get; init; }

        public required long Start { get; init; }

        public Recalled Recalled { get; set; } = Recalled.Nothing;

        public string? Degraded { get; set; }
    }

    private Solve Begin(Question question, SolveRequest? request)
    {
        ArgumentNullException.ThrowIfNull(question);
        var budget = request?.Budget ?? _options.Budget;
        budget.Validate();
        return new()
        {
            Question = question,
            Scope = ScopeOf(question, request?.Caller),
            Stream = request?.Stream ?? _options.Stream?.Child(question.Id) ?? StreamKey.Fresh(),
            CacheScope = request?.CacheScope,
            Meter = new(_model, budget, _options.Prices, _options.Clock) { ModelId = question.Options?.ModelId },
            Start = _options.Clock.GetTimestamp(),
        };
    }

    /// <summary>The same question twice at once is searched once (case 36), where memory would have answered the second a moment later.</summary>
    private async ValueTask<Flights.Flight?> JoinAsync(Solve solve, CancellationToken cancellationToken)
    {
        if (_options.Memory is not { GivesAnswers: true })
            return null;
        var (answered, own) = await _flights.EnterAsync(solve.Scope, solve.Question, cancellationToken).ConfigureAwait(false);
        if (answered is { Best: { } best })
        {
            solve.Recalled = new(answered.Used.Answer ?? new(best.Text, best.Final, answered.Id, Verdict.SelfJudged), [], null, new(SimilarityLevel.S1, 1, 1))
            {
                Choice = new("", "the answer that was just being found", true, 1),
            };
        }
        return own;
    }

    /// <summary>Memory that fails is no reason not to answer (case 30): the solution says so.</summary>
    private async ValueTask RecallAsync(Solve solve, CancellationToken cancellationToken)
    {
        if (_options.Memory is not { } memory || _experiences.Of(solve.Scope) is not { } store)
            return;
        try
        {
            var context = MemoryContextOf(solve.Meter, CallPurpose.Recall, solve.Question.Id, solve.Scope, solve.Stream, solve.CacheScope, store);
            var recalled = await memory.RecallAsync(solve.Question, context, cancellationToken).ConfigureAwait(false);
            // memory is trimmed first, the user's text never (case 7)
            solve.Recalled = recalled with { Hints = HintWindow.Fit(recalled.Hints, solve.Question, context) };
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            solve.Degraded = $"recall: {e.Message}";
        }
    }

    private void CheckLength(Question question)
    {
        if (_counter is not null && _traits.ContextTokens > 0 && _counter.Count(question.Messages) is var needed && needed > _traits.ContextTokens)
            throw new ContextLengthException(needed, _traits.ContextTokens);
    }

    private SolveContext ContextOf(Solve solve, Action<SolveEvent>? listener) => new(solve.Meter, _options.Scorer, listener)
    {
        Question = solve.Question,
        Recalled = solve.Recalled,
        Prompts = _prompts,
        Model = _traits,
        Stream = solve.Stream,
        Threshold = _options.Threshold,
        Answers = _options.Answers,
        CacheScope = solve.CacheScope,
    };

    private MemoryContext MemoryContextOf(
        Meter meter, CallPurpose purpose, string questionId, Scope scope, StreamKey stream, string? cacheScope, IExperienceStore store) =>
        new(meter, purpose, questionId, cacheScope)
        {
            Store = store,
            Scope = scope,
            Prompts = _prompts,
            Model = _traits,
            Embedder = _options.Embedder,
            Entry = _options.Scaling.Entry,
            Scaling = _options.Scaling.Name,
            Stream = stream.Child(purpose == CallPurpose.Recall ? "recall" : "learn"),
            Trainer = _trainer,
            Counter = _counter,
            Now = _options.Clock.GetUtcNow(),
            Answers = _options.Answers,
        };

    /// <summary>An answer from memory is taken as it stands; it was accepted or verified when it was learnt.</summary>
    private static Search FromMemory(StoredAnswer stored)
    {
        var attempt = new Attempt(0, stored.Text, stored.Final, Score.Unscored("from memory"), ChatFinishReason.Stop);
        return new(attempt, [attempt], StopReason.Recalled, 0);
    }

    private Solution Finish(Solve solve, Search search)
    {
        var accepted = search.Best?.Score.Reaches(_options.Threshold) == true || search.Stop == StopReason.Recalled;
        return new(solve.Question, search.Best, search.Attempts, search.Stop, solve.Recalled, new(solve.Meter.Charges, search.Operations), accepted,
            _options.Clock.GetElapsedTime(solve.Start))
        {
            Id = solve.Stream.Child("episode").ToString(),
            Scope = solve.Scope,
            Stream = solve.Stream,
            CacheScope = solve.CacheScope,
            At = _options.Clock.GetUtcNow(),
            Degraded = solve.Degraded,
            Failures = solve.Meter.Failures,
        };
    }

    /// <summary>Learns from an answer: the episode is stored first, then the memory learns from it. Only what was accepted or verified, and is complete, is learnt.</summary>
    /// <param name="solution">The answer.</param>
    /// <param name="feedback">What somebody who knows says of it, or null. It may come later, and again: the episode follows.</param>
    /// <param name="cancellationToken">Cancels learning; a stored episode stays.</param>
    public async ValueTask<Learnt> LearnAsync(Solution solution, Feedback? feedback, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(solution);
        var meter = new Meter(_model, _options.LearnBudget, _options.Prices, _options.Clock) { ModelId = solution.Question.Options?.ModelId };
        var learner = new Learner(_options, _prompts);
        var episode = learner.EpisodeOf(solution, feedback);
        string? degraded = null;
        if (_experiences.Of(solution.Scope) is { } store)
        {
            try
            {
                var context = MemoryContextOf(meter, CallPurpose.Learn, solution.Question.Id, solution.Scope, solution.Stream, solution.CacheScope, store);
                await learner.LearnAsync(solution, episode, feedback, context, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // the answer stands, whatever happens to memory (case 30); the outcome says so
                degraded = $"learn: {e.Message}";
            }
        }
        return new(solution.Used.Answer?.Source ?? episode.Id, new(meter.Charges, 0)) { Usable = episode.Usable, Degraded = degraded };
    }

    /// <summary>Learns a question with its worked solution that was never asked here, as a knowledge base has them: a verified episode without attempts. The same one again changes nothing; another solution takes the place of the first.</summary>
    /// <param name="question">The question.</param>
    /// <param name="workedSolution">How it is answered, up to the final answer.</param>
    /// <param name="request">Whose it is; the budget of the options for learning holds.</param>
    /// <param name="cancellationToken">Cancels learning; a stored episode stays.</param>
    /// <exception cref="ArgumentException">The solution is empty.</exception>
    public ValueTask<Learnt> TeachAsync(Question question, string workedSolution, SolveRequest? request, CancellationToken cancellationToken)
    {
        var feedback = Feedback.Reference(workedSolution);
        ArgumentNullException.ThrowIfNull(question);
        // named by whose it is and what it asks: a knowledge base that is read again finds what it brought
        var stream = request?.Stream ?? StreamKey.Root(0).Child("taught").Child(ScopeOf(question, request?.Caller).ToString()).Child(QuestionKey.Of(question) ?? question.Id);
        var solve = Begin(question, (request ?? new()) with { Stream = stream });
        return LearnAsync(Finish(solve, new(null, [], StopReason.Exhausted, 0)), feedback, cancellationToken);
    }

    /// <summary>Hears from somebody who knows what to think of an earlier answer, by its episode. A right one is learnt, even if the scorer had not accepted it; a wrong one is not used again, nor what was made from it; a worked solution is learnt in its place.</summary>
    /// <returns>The episode as it stands now, or null if the caller's tenant has none of that id.</returns>
    public async ValueTask<Episode?> HearAsync(Caller caller, string episodeId, Feedback feedback, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(episodeId);
        ArgumentNullException.ThrowIfNull(feedback);
        var scope = new Scope(caller.Tenant, caller.User, caller.Conversation, _traits.Fingerprint, _prompts.Fingerprint);
        if (_experiences.Of(scope) is not { } store)
            return null;
        var before = await store.GetEpisodeAsync(caller.Tenant, episodeId, cancellationToken).ConfigureAwait(false);
        var episode = await store.HearAsync(caller.Tenant, episodeId, feedback, cancellationToken).ConfigureAwait(false);
        if (episode is { Usable: true } && (before is { Usable: false } || before?.Answer != episode.Answer) && _options.Memory is { } memory)
        {
            var meter = new Meter(_model, _options.LearnBudget, _options.Prices, _options.Clock);
            var stream = StreamKey.Root(0).Child(episode.Id);
            await memory.LearnAsync(episode, MemoryContextOf(meter, CallPurpose.Learn, episode.QuestionId, episode.Scope, stream, null, store), cancellationToken).ConfigureAwait(false);
        }
        return episode;
    }

    /// <summary>The final answer in a text that answers a question.</summary>
    internal string? FinalOf(Question question, string text) => _prompts.Final(question, text);

    private static async IAsyncEnumerable<SolveEvent> ListenAsync(
        Func<Action<SolveEvent>, CancellationToken, Task> run, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var events = Channel.CreateUnbounded<SolveEvent>(new() { SingleReader = true });
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // a model that answers without ever waiting must not keep the listener waiting
        var running = Task.Run(RunAsync, CancellationToken.None);
        try
        {
            await foreach (var happened in events.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
                yield return happened;
        }
        finally
        {
            // the listener may have left before the end: every branch is cancelled, and its bill is kept
            await gone.CancelAsync().ConfigureAwait(false);
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task RunAsync()
        {
            Exception? failure = null;
            try
            {
                await run(e => events.Writer.TryWrite(e), gone.Token).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                failure = e; // handed to the listener by the channel
            }
            events.Writer.Complete(failure);
        }
    }

    private Scope ScopeOf(Question question, Caller? who)
    {
        var caller = who ?? _options.Caller;
        return new(caller.Tenant, caller.User, caller.Conversation, FingerprintOf(question), _prompts.Fingerprint);
    }

    /// <summary>One client may serve several models, named by the caller: what one of them learnt is not the other's (case 33).</summary>
    private string FingerprintOf(Question question) =>
        question.Options?.ModelId is { Length: > 0 } named && named != _model.GetService<ChatClientMetadata>()?.DefaultModelId ? $"{_traits.Fingerprint}/{named}" : _traits.Fingerprint;

    /// <summary>What a model says of itself; a model that says nothing is known by its provider and name.</summary>
    private static ModelTraits TraitsOf(IChatClient model)
    {
        if (model.GetService<ModelTraits>() is { } traits)
            return traits;
        var metadata = model.GetService<ChatClientMetadata>();
        return new($"{metadata?.ProviderName ?? "unknown"}/{metadata?.DefaultModelId ?? "unknown"}", ContextTokens: 0, LogProbs: false, Seed: false, Adapters: false);
    }
}
