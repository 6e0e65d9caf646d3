using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Models;

/// <summary>Answers from a <see cref="RecordedAnswerSet"/>: each draw of a question takes its next candidate, in an order drawn from <paramref name="order"/>. Thread-safe; needs no network.</summary>
/// <remarks>
/// The order of a question depends on <paramref name="order"/> and the question alone, so every method sees the same candidates in the same order.
/// A question is known by <see cref="CallInfo.QuestionId"/>, else by the text of the last message, else as the one question of the set that stands in it.
/// It answers questions and nothing else: it neither judges nor writes lessons, and has no adapters.
/// Memory other than <c>none</c> has to be refused by the caller, who sees it from the service <see cref="RecordedAnswerSet"/>.
/// </remarks>
/// <param name="set">The answers.</param>
/// <param name="order">Names the order; <c>StreamKey.Root(seed)</c>.</param>
public sealed class RecordedAnswers(RecordedAnswerSet set, StreamKey order) : IChatClient
{
    private readonly Dictionary<string, RecordedQuestion> _byId = set.Questions.ToDictionary(q => q.Id, StringComparer.Ordinal);
    private readonly Dictionary<string, RecordedQuestion> _byText = set.Questions.ToDictionary(q => Plain(q.Text), StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]> _orders = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _draws = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    /// <exception cref="UnrecordedCallException">The question is not in the set, has no candidates left, or it is no question but a judgement or a lesson.</exception>
    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        cancellationToken.ThrowIfCancellationRequested();
        var info = CallInfo.Of(options);
        if (info is not null && info.Purpose != CallPurpose.Solve)
            throw new UnrecordedCallException($"{set.File} holds answers only; it cannot {Verb(info.Purpose)}. Take a scorer without model calls, or a full recording.");
        if (info?.Adapter is not null)
            throw new UnrecordedCallException($"{set.File} holds answers of models without memory; there are no adapters.");
        var question = Find(messages, info);
        var draw = info?.Draw ?? _draws.AddOrUpdate(question.Id, 0, (_, last) => last + 1);
        var candidates = _orders.GetOrAdd(question.Id, _ => Order(question));
        if (draw < 0 || draw >= candidates.Length)
            throw new UnrecordedCallException($"{set.File}:{Number(question.Line)}: the question has {Number(candidates.Length)} answers, and number {Number(draw + 1)} is asked for.");
        return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, question.Candidates[candidates[draw]].Text))
        {
            ModelId = set.Fingerprint,
            FinishReason = ChatFinishReason.Stop,
        });
    }

    /// <inheritdoc/>
    /// <exception cref="UnrecordedCallException">See <see cref="GetResponseAsync"/>.</exception>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
            yield return update;
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        if (serviceType == typeof(ModelTraits))
            return new ModelTraits(set.Fingerprint, int.MaxValue, LogProbs: false, Seed: true, Adapters: false);
        if (serviceType == typeof(RecordedAnswerSet))
            return set;
        return serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("recorded", null, set.Fingerprint) : serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <summary>The candidates of a question in the order of their drawing, as indices.</summary>
    public IReadOnlyList<int> OrderOf(RecordedQuestion question)
    {
        ArgumentNullException.ThrowIfNull(question);
        return _orders.GetOrAdd(question.Id, _ => Order(question));
    }

    private int[] Order(RecordedQuestion question)
    {
        var indices = Enumerable.Range(0, question.Candidates.Count).ToArray();
        new StreamRandom(order.Child("recorded-answers").Child(question.Id)).Shuffle(indices);
        return indices;
    }

    private RecordedQuestion Find(IEnumerable<ChatMessage> messages, CallInfo? info)
    {
        if (info is not null && _byId.TryGetValue(info.QuestionId, out var question))
            return question;
        var text = Plain(messages.LastOrDefault(m => m.Role == ChatRole.User)?.Text ?? "");
        if (_byText.TryGetValue(text, out question))
            return question;
        // the longest: one question may be the beginning of another
        return _byText.Where(q => text.Contains(q.Key, StringComparison.Ordinal)).OrderByDescending(q => q.Key.Length).Select(q => q.Value).FirstOrDefault()
            ?? throw new UnrecordedCallException($"{set.File} has no answers to “{(text.Length <= 120 ? text : SurrogateJoiner.Whole(text[..119]) + "…")}”.");
    }

    private static string Plain(string text) => string.Join(' ', SurrogateJoiner.Whole(text).Normalize().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Verb(CallPurpose purpose) => purpose switch
    {
        CallPurpose.Score => "judge",
        CallPurpose.Learn => "write lessons",
        _ => purpose.ToString().ToLowerInvariant(),
    };
}
