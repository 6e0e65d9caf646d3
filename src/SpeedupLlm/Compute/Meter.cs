using System.Text;
using Microsoft.Extensions.AI;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Compute;

/// <summary>The only way to the model: every call of one question, or of one learning, is counted here and kept within the budget. Thread-safe.</summary>
/// <remarks>
/// Each call leaves exactly one charge, also if it fails or is cancelled: then what was read until then, estimated.
/// A call that fails before a word came costs a call and time, but no tokens.
/// </remarks>
internal sealed class Meter(IChatClient client, Budget budget, PriceSheet prices, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly List<Charge> _charges = [];
    private readonly List<ModelFailedException> _failures = [];
    private readonly Allowance _allowance = new(budget, prices, clock);
    private readonly ITokenCounter? _counter = client.GetService<ITokenCounter>();

    /// <summary>Whether the code that runs here is the reader of an open call.</summary>
    private readonly AsyncLocal<bool> _reading = new();

    private readonly bool _bounded = budget.Tokens is not null || budget.Money is not null;

    /// <summary>The model that the caller named, for clients that serve several; null is the client's own.</summary>
    public string? ModelId { get; init; }

    /// <summary>Reads along while an answer is streamed.</summary>
    /// <param name="OnText">Gets each piece.</param>
    /// <param name="GoOn">Sees the text so far; false ends the call.</param>
    internal sealed record Reader(Action<string>? OnText, Func<string, CancellationToken, ValueTask<bool>>? GoOn);

    /// <summary>All charges so far, in the order in which the calls ended.</summary>
    public IReadOnlyList<Charge> Charges
    {
        get
        {
            lock (_lock)
                return [.. _charges];
        }
    }

    /// <summary>The full cost so far.</summary>
    public decimal Spent => prices.Cost(new Bill(Charges, 0));

    /// <summary>All failures so far.</summary>
    public IReadOnlyList<ModelFailedException> Failures
    {
        get
        {
            lock (_lock)
                return [.. _failures];
        }
    }

    /// <summary>Books a training run.</summary>
    public void Add(Charge charge)
    {
        lock (_lock)
            _charges.Add(charge);
        _allowance.Spend(charge);
    }

    /// <summary>Makes one call.</summary>
    /// <exception cref="BudgetExceededException">The call could pass a cap, or time ran out while it was made.</exception>
    /// <exception cref="ModelFailedException">The model failed.</exception>
    /// <exception cref="OperationCanceledException">The caller went away.</exception>
    public async ValueTask<Reply> AskAsync(Prompt prompt, CallInfo info, Reader? reader, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var input = _bounded ? _counter?.Count(prompt.Messages) ?? TokenCount.AtMost(prompt.Messages) : 0;
        var reservation = await _allowance.ReserveAsync(input, prompt.MaxOutputTokens, _reading.Value, cancellationToken).ConfigureAwait(false);

        var start = clock.GetTimestamp();
        var heard = new StringBuilder();
        Charge? charge = null;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var timer = _allowance.TimeLeft is { } left
            ? clock.CreateTimer(static source => ((CancellationTokenSource)source!).Cancel(), deadline, left < TimeSpan.Zero ? TimeSpan.Zero : left, Timeout.InfiniteTimeSpan)
            : null;
        try
        {
            var options = Options(prompt, info, reservation.MaxOutput);
            var (response, logProbs, ended) = reader is null
                ? await AskPlainAsync(prompt, options, deadline.Token).ConfigureAwait(false)
                : await AskStreamingAsync(prompt, options, reader, heard, deadline.Token).ConfigureAwait(false);
            var reasoning = ReasoningOf(response);
            charge = ChargeOf(info.Purpose, response.Usage, prompt, response.Text, reasoning);
            return new(response.Text, ended ? null : response.FinishReason, charge.Output, logProbs, reasoning);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            charge = ChargeOf(info.Purpose, null, prompt, heard.ToString(), null);
            throw;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            charge = ChargeOf(info.Purpose, null, prompt, heard.ToString(), null);
            throw _allowance.Exceeded("time");
        }
        catch (Exception e) when (e is not BudgetExceededException)
        {
            // whatever a client throws is a failed call; the search decides whether it can go on
            var failure = new ModelFailedException(info.Purpose, e);
            lock (_lock)
                _failures.Add(failure);
            throw failure;
        }
        finally
        {
            charge ??= heard.Length > 0
                ? ChargeOf(info.Purpose, null, prompt, heard.ToString(), null)
                : new(info.Purpose, 0, 0, 0, 0, 0, true, TimeSpan.Zero);
            charge = charge with { Elapsed = clock.GetElapsedTime(start) };
            lock (_lock)
                _charges.Add(charge);
            _allowance.Settle(reservation, charge);
        }
    }

    private async Task<(ChatResponse Response, IReadOnlyList<TokenLogProb>? LogProbs, bool Ended)> AskPlainAsync(
        Prompt prompt, ChatOptions options, CancellationToken cancellationToken)
    {
        var response = await client.GetResponseAsync(prompt.Messages, options, cancellationToken).ConfigureAwait(false);
        return (response, LogProbsOf(response.AdditionalProperties), false);
    }

    private async Task<(ChatResponse Response, IReadOnlyList<TokenLogProb>? LogProbs, bool Ended)> AskStreamingAsync(
        Prompt prompt, ChatOptions options, Reader reader, StringBuilder heard, CancellationToken cancellationToken)
    {
        var updates = new List<ChatResponseUpdate>();
        List<TokenLogProb>? logProbs = null;
        var ended = false;
        await foreach (var update in client.GetStreamingResponseAsync(prompt.Messages, options, cancellationToken).ConfigureAwait(false))
        {
            updates.Add(update);
            if (LogProbsOf(update.AdditionalProperties) is { } more)
                (logProbs ??= []).AddRange(more);
            if (update.Text is not { Length: > 0 } text)
                continue;
            heard.Append(text);
            reader.OnText?.Invoke(text);
            if (reader.GoOn is not null && !await ReadOnAsync(reader.GoOn, heard.ToString(), cancellationToken).ConfigureAwait(false))
            {
                ended = true;
                break;
            }
        }
        return (updates.ToChatResponse(), logProbs, ended);
    }

    /// <summary>A method of its own, so that the mark does not leave it.</summary>
    private async ValueTask<bool> ReadOnAsync(Func<string, CancellationToken, ValueTask<bool>> goOn, string text, CancellationToken cancellationToken)
    {
        _reading.Value = true;
        return await goOn(text, cancellationToken).ConfigureAwait(false);
    }

    private ChatOptions Options(Prompt prompt, CallInfo info, int? maxOutput)
    {
        var options = prompt.Options?.Clone() ?? new();
        options.ModelId ??= ModelId;
        options.Temperature = prompt.Temperature ?? options.Temperature;
        options.MaxOutputTokens = maxOutput;
        options.Seed = info.Stream.ToSeed();
        if (prompt.ReasoningEffort is { } effort)
            options.Reasoning = new() { Effort = Enum.Parse<ReasoningEffort>(effort, ignoreCase: true) };
        (options.AdditionalProperties ??= [])[CallInfo.Key] = info;
        return options;
    }

    /// <summary>What the model says it used; where it says nothing, about four characters a token, flagged.</summary>
    private static Charge ChargeOf(CallPurpose purpose, UsageDetails? usage, Prompt prompt, string text, string? reasoning)
    {
        var estimated = usage?.InputTokenCount is null || usage.OutputTokenCount is null;
        var input = usage?.InputTokenCount ?? TokenCount.Estimate(prompt.Messages);
        var hidden = usage?.ReasoningTokenCount ?? TokenCount.Estimate(reasoning);
        var output = Math.Max(usage?.OutputTokenCount ?? TokenCount.Estimate(text) + hidden, hidden);
        return new(purpose, input, Math.Min(usage?.CachedInputTokenCount ?? 0, input), output, hidden, 0, estimated, TimeSpan.Zero);
    }

    private static string? ReasoningOf(ChatResponse response)
    {
        var text = string.Concat(response.Messages.SelectMany(m => m.Contents).OfType<TextReasoningContent>().Select(c => c.Text));
        return text.Length > 0 ? text : null;
    }

    private static IReadOnlyList<TokenLogProb>? LogProbsOf(AdditionalPropertiesDictionary? properties) =>
        properties is not null && properties.TryGetValue(TokenLogProb.Key, out var value) ? value as IReadOnlyList<TokenLogProb> : null;
}
