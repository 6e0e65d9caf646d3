using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Conversations;
using SpeedupLlm.Experience;
using SpeedupLlm.Scoring;

namespace SpeedupLlm;

/// <summary>An <see cref="IChatClient"/> around another one that answers cheaper the more it is used.</summary>
/// <remarks>
/// <para>
/// A request that is a question (see <see cref="ConversationReader"/>) is recalled, searched, answered and learnt from by a <see cref="Solver"/>; learning
/// comes after the answer, in the background. Any other request goes to the inner client as it is, streaming as it streams, and its response says why.
/// Memory that fails never fails a request. Every response carries an <see cref="ExperienceReport"/>; its usage sums all hidden calls.
/// </para>
/// <para>Thread-safe. Disposing it disposes the inner client, as any <see cref="DelegatingChatClient"/>; <see cref="DisposeAsync"/> waits for what is still being learnt first.</para>
/// </remarks>
public sealed class ExperiencedChatClient : DelegatingChatClient, IAsyncDisposable
{
    private readonly ExperienceOptions _options;
    private readonly ConversationReader _reader;
    private readonly Solver _solver;
    private readonly Backlog _learning;
    private readonly Observation _observation;
    private readonly StreamKey _lots;
    private long _drawn;
    private volatile ExperienceMode _mode;

    /// <summary>Puts experience around a client.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    /// <exception cref="Memory.MemoryNotSupportedException">The memory cannot work with this model.</exception>
    public ExperiencedChatClient(IChatClient inner, ExperienceOptions? options = null)
        : base(inner)
    {
        _options = (options ?? new()).Validated();
        _reader = new(_options.Conversations);
        _solver = new(inner, _options.Solver);
        _learning = new(_options.Backlog);
        _observation = new(_solver, _options);
        _lots = _options.Solver.Stream?.Child("lots") ?? StreamKey.Fresh();
        _mode = _options.Mode;
    }

    /// <summary>The mode; switched by setting it, from the next request on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such mode.</exception>
    public ExperienceMode Mode
    {
        get => _mode;
        set => _mode = Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "There is no such mode.");
    }

    /// <summary>What experience saves.</summary>
    public Savings Savings => _options.Savings;

    /// <summary>This client for one caller, or one request: who asks, what it may cost. Disposing it does nothing.</summary>
    public IChatClient For(SolveRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return new Bound(this, request);
    }

    /// <inheritdoc/>
    public override Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        RespondAsync(messages, options, null, cancellationToken);

    /// <inheritdoc/>
    public override IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => StreamAsync(messages, options, null, cancellationToken);

    /// <summary>Hears whether an answer was right, from somebody who knows; <see cref="ExperienceReport.Episode"/> names it. Waits for what is still being learnt.</summary>
    /// <param name="episode">The episode.</param>
    /// <param name="isRight">Whether the answer is right.</param>
    /// <param name="caller">Who asked; null: the default caller.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>Whether the caller's tenant has such an episode.</returns>
    public ValueTask<bool> FeedbackAsync(string episode, bool isRight, Caller? caller = null, CancellationToken cancellationToken = default) =>
        FeedbackAsync(episode, isRight ? Feedback.Right : Feedback.Wrong, caller, cancellationToken);

    /// <summary>Hears what to think of an answer, from somebody who knows; a worked solution (<see cref="Feedback.Reference"/>) is remembered in its place, and helps with the next question of that kind.</summary>
    /// <param name="episode">The episode; <see cref="ExperienceReport.Episode"/> names it.</param>
    /// <param name="feedback">What is known.</param>
    /// <param name="caller">Who asked; null: the default caller.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>Whether the caller's tenant has such an episode.</returns>
    public async ValueTask<bool> FeedbackAsync(string episode, Feedback feedback, Caller? caller = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(feedback);
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        return await _solver.HearAsync(caller ?? _options.Solver.Caller, episode, feedback, cancellationToken).ConfigureAwait(false) is not null;
    }

    /// <summary>Waits until all answers given so far are learnt from, and all observed questions are measured.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken = default)
    {
        await _observation.FlushAsync(cancellationToken).ConfigureAwait(false);
        await _learning.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Learns what is still to be learnt, and disposes the inner client.</summary>
    public async ValueTask DisposeAsync()
    {
        await FlushAsync(CancellationToken.None).ConfigureAwait(false);
        await _solver.DisposeAsync().ConfigureAwait(false);
        if (InnerClient is IAsyncDisposable inner)
            await inner.DisposeAsync().ConfigureAwait(false);
        else
            Dispose();
    }

    private async Task<ChatResponse> RespondAsync(IEnumerable<ChatMessage> messages, ChatOptions? options, SolveRequest? request, CancellationToken cancellationToken)
    {
        if (_mode is var mode && mode == ExperienceMode.Off)
            return await InnerClient.GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false);
        var plan = PlanOf(mode, messages, options, request);
        if (plan.IsExperienced)
        {
            var solution = await _solver.SolveAsync(plan.Question!, plan.Request, cancellationToken).ConfigureAwait(false);
            var report = Learn(plan, solution);
            if (ResponseOf(solution, report) is { } response)
                return response;
            plan = plan.Bypassed("the budget allowed no attempt");
        }
        var plain = await InnerClient.GetResponseAsync(plan.Messages, options, cancellationToken).ConfigureAwait(false);
        var cost = PlainCall.CostOf(plain.Usage, plan.Messages, plain.Text, _options.Solver.Prices);
        (plain.AdditionalProperties ??= [])[ExperienceReport.Key] = plan.Report() with { FullCost = cost };
        Book(plan, plain.Text, cost);
        return plain;
    }

    private async IAsyncEnumerable<ChatResponseUpdate> StreamAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options, SolveRequest? request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (_mode is var mode && mode == ExperienceMode.Off)
        {
            await foreach (var update in InnerClient.GetStreamingResponseAsync(messages, options, cancellationToken).ConfigureAwait(false))
                yield return update;
            yield break;
        }
        var plan = PlanOf(mode, messages, options, request);
        if (plan.IsExperienced)
        {
            var solution = await _solver.SolveAsync(plan.Question!, plan.Request, cancellationToken).ConfigureAwait(false);
            var report = Learn(plan, solution);
            if (ResponseOf(solution, report) is { } response)
            {
                foreach (var update in response.ToChatResponseUpdates())
                    yield return update;
                yield break;
            }
            plan = plan.Bypassed("the budget allowed no attempt");
        }
        var heard = new PlainCall();
        await foreach (var update in InnerClient.GetStreamingResponseAsync(plan.Messages, options, cancellationToken).ConfigureAwait(false))
        {
            if (heard.Hear(update))
                (update.AdditionalProperties ??= [])[ExperienceReport.Key] = plan.Report();
            yield return update;
        }
        Book(plan, heard.Text, PlainCall.CostOf(heard.Usage, plan.Messages, heard.Text, _options.Solver.Prices));
    }

    /// <summary>Which way a request goes.</summary>
    private RequestPlan PlanOf(ExperienceMode mode, IEnumerable<ChatMessage> messages, ChatOptions? options, SolveRequest? request)
    {
        var list = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        var caller = request?.Caller ?? _options.CallerOf?.Invoke(options) ?? _options.Solver.Caller;
        var (question, bypass) = _reader.Read(list, options, _options.Solver.Scaling.Entry);
        var propensity = question is null ? 0 : mode switch
        {
            ExperienceMode.Canary => _options.CanaryShare,
            ExperienceMode.On => 1 - _options.ControlShare,
            _ => 0,
        };
        var lot = new StreamRandom(_lots.Child(Interlocked.Increment(ref _drawn))).NextDouble();
        return new()
        {
            Mode = mode,
            Messages = list,
            Question = question,
            Bypass = bypass,
            Propensity = propensity,
            IsExperienced = lot < propensity,
            Request = (request ?? new()) with
            {
                Caller = caller,
                // a seed makes the whole search repeatable, as it makes one call
                Stream = request?.Stream ?? (options?.Seed is { } seed && question is not null ? StreamKey.Root(seed).Child(question.Id) : null),
                CacheScope = request?.CacheScope ?? caller.Tenant,
            },
        };
    }

    /// <summary>Has an answer learnt from after it is given, and says what will be known of it.</summary>
    private ExperienceReport Learn(RequestPlan plan, Solution solution)
    {
        var cost = _options.Solver.Prices.Cost(solution.Bill);
        if (solution.Used.Answer is { } stored)
        {
            // what came from memory is not learnt again
            Savings.Add(plan.Request.Caller!.Tenant, true, plan.Propensity, cost);
            return ExperienceReport.Of(plan.Mode, plan.Propensity, solution, stored.Source, _options.Solver.Prices);
        }
        var keeps = _observation.MayLearn(solution) && _learning.TryAdd(async () =>
        {
            var learning = 0m;
            try
            {
                var learnt = await _solver.LearnAsync(solution, null, CancellationToken.None).ConfigureAwait(false);
                learning = _options.Solver.Prices.Cost(learnt.Bill);
            }
            finally
            {
                Savings.Add(plan.Request.Caller!.Tenant, true, plan.Propensity, cost + learning, learning);
            }
        });
        if (!keeps)
            Savings.Add(plan.Request.Caller!.Tenant, true, plan.Propensity, cost);
        return ExperienceReport.Of(plan.Mode, plan.Propensity, solution, keeps ? solution.Id : null, _options.Solver.Prices);
    }

    private void Book(RequestPlan plan, string answer, decimal cost)
    {
        var tenant = plan.Request.Caller!.Tenant;
        if (plan.Question is null || plan.Bypass is not null)
        {
            Savings.AddBypass(tenant, plan.Bypass!);
            return;
        }
        Savings.Add(tenant, false, plan.Propensity, cost);
        if (plan.Mode == ExperienceMode.Observe)
            _observation.Observe(plan, answer, cost);
    }

    /// <summary>The response of an answered question; null if a budget allowed no attempt.</summary>
    /// <exception cref="Exception">What the model threw, if nothing else came.</exception>
    private static ChatResponse? ResponseOf(Solution solution, ExperienceReport report)
    {
        if (solution.Best is not { } best)
        {
            if (solution.Failures is [{ InnerException: { } cause }, ..])
                ExceptionDispatchInfo.Capture(cause).Throw();
            return null;
        }
        var bill = solution.Bill;
        return new(new ChatMessage(ChatRole.Assistant, best.Text) { MessageId = solution.Id, CreatedAt = solution.At })
        {
            ResponseId = solution.Id,
            CreatedAt = solution.At,
            ModelId = solution.Question.Options?.ModelId,
            FinishReason = best.Finish ?? ChatFinishReason.Stop,
            Usage = new()
            {
                InputTokenCount = bill.Input,
                CachedInputTokenCount = bill.CachedInput,
                OutputTokenCount = bill.Output,
                ReasoningTokenCount = bill.Charges.Sum(c => c.Reasoning),
                TotalTokenCount = bill.Input + bill.Output,
            },
            AdditionalProperties = new() { [ExperienceReport.Key] = report },
        };
    }

    /// <summary>The client for one caller.</summary>
    private sealed class Bound(ExperiencedChatClient client, SolveRequest request) : DelegatingChatClient(client)
    {
        public override Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            client.RespondAsync(messages, options, request, cancellationToken);

        public override IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            client.StreamAsync(messages, options, request, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            // the client belongs to whoever made it
        }
    }
}
