using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;

namespace SpeedupLlm.Testing;

/// <summary>A call that a scripted model got.</summary>
/// <param name="Number">0-based, in the order of arrival.</param>
/// <param name="Task">The task word of a compact prompt, or null for other prompts.</param>
/// <param name="Text">The last user message.</param>
public sealed record ScriptedCall(int Number, PromptTask? Task, string Text, IReadOnlyList<ChatMessage> Messages, ChatOptions? Options, bool Streamed)
{
    /// <summary>What the caller said of the call; calls of the library always carry it.</summary>
    public CallInfo Info => CallInfo.Of(Options) ?? throw new InvalidOperationException("The call carries no CallInfo.");

    /// <summary>A generator over the call's stream of chance.</summary>
    public StreamRandom Chance() => new(Info.Stream);
}

/// <summary>What a scripted model says, or does instead.</summary>
public sealed record ScriptedReply(string Text)
{
    public ChatFinishReason? Finish { get; init; } = ChatFinishReason.Stop;

    /// <summary>Null: words are counted as tokens.</summary>
    public UsageDetails? Usage { get; init; }

    /// <summary>Whether usage is left out altogether.</summary>
    public bool NoUsage { get; init; }

    public IReadOnlyList<TokenLogProb>? LogProbs { get; init; }

    /// <summary>Hidden reasoning.</summary>
    public string? Reasoning { get; init; }

    /// <summary>Thrown instead of answering; when streamed, after the text.</summary>
    public Exception? Error { get; init; }

    /// <summary>How long the call takes on the client's <see cref="ScriptedChatClient.Clock"/>, which it moves.</summary>
    public TimeSpan Takes { get; init; }

    /// <summary>The call waits for this.</summary>
    public Task? Gate { get; init; }

    public static implicit operator ScriptedReply(string text) => new(text);

    public static ScriptedReply Failing(string message = "the model is down") => new("") { Error = new HttpRequestException(message) };
}

/// <summary>A model that follows a script. Thread-safe. Streams a word an update.</summary>
public sealed class ScriptedChatClient(Func<ScriptedCall, ScriptedReply> script) : IChatClient
{
    private readonly Lock _lock = new();
    private readonly List<ScriptedCall> _calls = [];
    private readonly Dictionary<Type, object> _services = [];

    /// <summary>Says these in the order of calls, whatever they are for; then fails the test.</summary>
    public static ScriptedChatClient Replies(params ScriptedReply[] replies) =>
        new(call => call.Number < replies.Length ? replies[call.Number] : throw new InvalidOperationException(FormattableString.Invariant($"Call {call.Number} has no reply in the script.")));

    /// <summary>What it says of itself.</summary>
    public ModelTraits Traits { get; init; } = new("scripted", 100_000, LogProbs: true, Seed: true, Adapters: false, Prompts: "compact");

    /// <summary>Moved by <see cref="ScriptedReply.Takes"/>.</summary>
    public FakeTime? Clock { get; init; }

    /// <summary>All calls so far, in the order of arrival.</summary>
    public IReadOnlyList<ScriptedCall> Calls
    {
        get
        {
            lock (_lock)
                return [.. _calls];
        }
    }

    /// <summary>How many calls were open at once at most.</summary>
    public int MostAtOnce { get; private set; }

    private int _open;

    /// <summary>Offers a service, such as an <c>IAdapterTrainer</c>.</summary>
    public ScriptedChatClient With<T>(T service)
        where T : notnull
    {
        _services[typeof(T)] = service;
        return this;
    }

    /// <summary>How many calls had this task.</summary>
    public int Count(PromptTask task) => Calls.Count(c => c.Task == task);

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var (call, reply) = Enter(messages, options, streamed: false);
        try
        {
            await WaitAsync(reply, cancellationToken);
            if (reply.Error is not null)
                throw reply.Error;
            return new(new ChatMessage(ChatRole.Assistant, Contents(reply, reply.Text)))
            {
                FinishReason = reply.Finish,
                Usage = UsageOf(call, reply),
                AdditionalProperties = Properties(reply),
            };
        }
        finally
        {
            Leave();
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var (call, reply) = Enter(messages, options, streamed: true);
        try
        {
            foreach (var word in Pieces(reply.Text))
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return new(ChatRole.Assistant, word);
            }
            await WaitAsync(reply, cancellationToken);
            if (reply.Error is not null)
                throw reply.Error;
            var last = new ChatResponseUpdate(ChatRole.Assistant, Contents(reply, null)) { FinishReason = reply.Finish, AdditionalProperties = Properties(reply) };
            if (UsageOf(call, reply) is { } usage)
                last.Contents.Add(new UsageContent(usage));
            yield return last;
        }
        finally
        {
            Leave();
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(ModelTraits) ? Traits
        : serviceType.IsInstanceOfType(this) ? this
        : _services.GetValueOrDefault(serviceType);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private (ScriptedCall Call, ScriptedReply Reply) Enter(IEnumerable<ChatMessage> messages, ChatOptions? options, bool streamed)
    {
        var list = messages.ToList();
        var word = list.FirstOrDefault(m => m.Role == ChatRole.System)?.Text;
        PromptTask? task = CompactPrompts.Tasks.Cast<PromptTask?>().FirstOrDefault(t => CompactPrompts.Word(t!.Value) == word);
        ScriptedCall call;
        lock (_lock)
        {
            call = new(_calls.Count, task, list[^1].Text, list, options, streamed);
            _calls.Add(call);
            MostAtOnce = Math.Max(MostAtOnce, ++_open);
        }
        return (call, script(call));
    }

    private void Leave()
    {
        lock (_lock)
            _open--;
    }

    private async Task WaitAsync(ScriptedReply reply, CancellationToken cancellationToken)
    {
        if (reply.Gate is not null)
            await reply.Gate.WaitAsync(cancellationToken);
        if (reply.Takes > TimeSpan.Zero)
            (Clock ?? throw new InvalidOperationException("A reply takes time, and the client has no clock.")).Advance(reply.Takes);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static List<AIContent> Contents(ScriptedReply reply, string? text)
    {
        var contents = new List<AIContent>();
        if (reply.Reasoning is not null)
            contents.Add(new TextReasoningContent(reply.Reasoning));
        if (text is not null)
            contents.Add(new TextContent(text));
        return contents;
    }

    private static UsageDetails? UsageOf(ScriptedCall call, ScriptedReply reply) =>
        reply.NoUsage ? null : reply.Usage ?? new() { InputTokenCount = call.Messages.Sum(m => Words(m.Text)), OutputTokenCount = Words(reply.Text) };

    private static AdditionalPropertiesDictionary? Properties(ScriptedReply reply) =>
        reply.LogProbs is null ? null : new() { [TokenLogProb.Key] = reply.LogProbs };

    private static int Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;

    private static IEnumerable<string> Pieces(string text)
    {
        for (var from = 0; from < text.Length;)
        {
            var to = text.IndexOf(' ', from + 1);
            to = to < 0 ? text.Length : to;
            yield return text[from..to];
            from = to;
        }
    }
}
