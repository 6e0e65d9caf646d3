using System.Text.Json;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Conversations;

/// <summary>A chat request as the solver sees it.</summary>
/// <param name="Question">The question, or null if the request is none that memory or a search can be trusted with.</param>
/// <param name="Bypass">Why it is none, in a few words that are the same for all such requests; null if it is one.</param>
public sealed record ReadConversation(Question? Question, string? Bypass);

/// <summary>What a <see cref="ConversationReader"/> takes for a question.</summary>
public sealed record ConversationOptions
{
    /// <summary>Characters of the last turn at most: longer ones are passed by, since a case of that size would cost more than it saves. At least 1; default 16,000.</summary>
    public int LongestQuestion { get; init; } = 16_000;

    /// <summary>Tokens that the caller grants an answer at least: with fewer (a label, a yes or no) there is no room to work anything out. At least 1; default 32.</summary>
    public int LeastOutputTokens { get; init; } = 32;

    internal ConversationOptions Validated()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(LongestQuestion, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(LeastOutputTokens, 1);
        return this;
    }
}

/// <summary>Reads real chat traffic: a question is the last user turn, under the system prompt, after the earlier turns, with the options that the caller set.</summary>
/// <remarks>
/// Everything that the answer depends on is in the question's <see cref="Question.Context"/>: what stands before the last turn (a pasted document among it),
/// and every option but those that only say who asks or how it is delivered. Where that cannot be said of a request, it is passed by. Thread-safe.
/// </remarks>
/// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
public sealed class ConversationReader(ConversationOptions options)
{
    /// <summary>Additional properties of ours begin with it.</summary>
    private const string OwnPrefix = "speedup";

    /// <summary>What of OpenAI's fields is up to each call of a search by itself.</summary>
    private static readonly HashSet<string> Transport = new(["stream", "stream_options"], StringComparer.Ordinal);

    /// <summary>What says who asks or how the answer is delivered, and nothing about the answer.</summary>
    private static readonly HashSet<string> Delivery = new(
        ["user", "safety_identifier", "metadata", "store", "service_tier", "prompt_cache_key", "prompt_cache_retention"], StringComparer.Ordinal);

    private static readonly string Unset = JsonSerializer.Serialize(new ChatOptions(), AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(ChatOptions)));

    private readonly ConversationOptions _options = options.Validated();

    /// <summary>With the default options.</summary>
    public ConversationReader()
        : this(new())
    {
    }

    /// <summary>Reads a request. It is not changed, and no part of it that may change is kept.</summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="request">The caller's options, or null.</param>
    /// <param name="entry">How the search in use starts an attempt: one that goes step by step cannot write a given format.</param>
    public ReadConversation Read(IReadOnlyList<ChatMessage> messages, ChatOptions? request, PromptTask entry = PromptTask.Guess)
    {
        ArgumentNullException.ThrowIfNull(messages);
        try
        {
            return BypassOf(messages, request, entry) is { } bypass ? new(null, bypass) : new(QuestionOf(messages, request), null);
        }
        catch (Exception e) when (e is NotSupportedException or JsonException or InvalidOperationException)
        {
            return new(null, "an option that cannot be compared");
        }
    }

    /// <summary>Why a request is none that memory or a search can be trusted with, as <see cref="Read"/> says it but for options that turn out not to be comparable; null if it is one. Cheaper than reading it.</summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="request">The caller's options, or null.</param>
    /// <param name="entry">As in <see cref="Read"/>.</param>
    public string? BypassOf(IReadOnlyList<ChatMessage> messages, ChatOptions? request, PromptTask entry = PromptTask.Guess)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return BypassOf(messages) ?? BypassOf(request, entry);
    }

    private static Question QuestionOf(IReadOnlyList<ChatMessage> messages, ChatOptions? request)
    {
        var before = messages.Take(messages.Count - 1).Select(Plain).ToList();
        var last = messages[^1];
        var text = TextOf(last);
        if (last.AuthorName is not null)
            before.Add(new(ChatRole.User, "") { AuthorName = last.AuthorName });
        var asked = AskedOf(request, p => !Transport.Contains(p));
        var compared = AskedOf(asked, p => !Delivery.Contains(p));
        var context = QuestionKey.ContextOf(before, compared);
        return new(StreamKey.Root(0).Child(context).Child(text).ToString(), [.. messages.Select(Plain)], text)
        {
            Context = context,
            Setting = SettingOf(before, compared),
            IsFollowUp = messages.Take(messages.Count - 1).Any(m => !ChatData.IsInstruction(m)),
            Options = asked,
        };
    }

    private string? BypassOf(IReadOnlyList<ChatMessage> messages)
    {
        if (messages.Count == 0 || messages[^1].Role != ChatRole.User)
            return "the last message is not the user's";
        foreach (var message in messages)
        {
            if (message.Role == ChatRole.Tool || message.Contents.Any(c => c is FunctionCallContent or FunctionResultContent))
                return "tools";
            if (message.Contents.Any(c => c is not (TextContent or TextReasoningContent or UsageContent)))
                return "contents other than text";
            if (message.Role != ChatRole.User && message.Role != ChatRole.Assistant && !ChatData.IsInstruction(message))
                return "an unknown role";
        }
        var text = TextOf(messages[^1]);
        if (string.IsNullOrWhiteSpace(text))
            return "no text";
        return text.Length > _options.LongestQuestion ? "a question too long to remember" : null;
    }

    private string? BypassOf(ChatOptions? request, PromptTask entry)
    {
        if (request is null)
            return null;
        if (request.Tools is { Count: > 0 })
            return "tools";
        if (request.ConversationId is not null)
            return "a conversation kept elsewhere";
        if (request.RawRepresentationFactory is not null)
            return "an option that cannot be compared";
        if (request.MaxOutputTokens < _options.LeastOutputTokens)
            return "too few tokens for a worked answer";
        if (entry == PromptTask.Propose && request.ResponseFormat is ChatResponseFormatJson)
            return "a format that a search step by step cannot write";
        foreach (var (name, value) in request.AdditionalProperties ?? [])
        {
            if (BypassOf(name, value) is { } bypass)
                return bypass;
        }
        return null;
    }

    private static string? BypassOf(string name, object? value) => name switch
    {
        CallInfo.Key => "a call of the library's own",
        "n" or "best_of" when !Says(value, "1") => "more than one answer",
        "logprobs" when !Says(value, "false") => "log-probabilities",
        "top_logprobs" when !Says(value, "0") => "log-probabilities",
        "tools" or "functions" or "tool_choice" or "function_call" or "web_search_options" when value is not null => "tools",
        "modalities" or "audio" or "prediction" or "extra_body" when value is not null => "an option that cannot be compared",
        _ => null,
    };

    /// <summary>Whether an option is left out or says this.</summary>
    private static bool Says(object? value, string text) =>
        value is null || string.Equals(Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture), text, StringComparison.OrdinalIgnoreCase)
        || value is JsonElement { ValueKind: JsonValueKind.Null };

    /// <summary>The options with those additional properties only, in one order, and without ours; null if nothing is set.</summary>
    private static ChatOptions? AskedOf(ChatOptions? request, Func<string, bool> keeps)
    {
        if (request is null)
            return null;
        var asked = request.Clone();
        var properties = (asked.AdditionalProperties ?? [])
            .Where(p => p.Value is not null && keeps(p.Key) && !p.Key.StartsWith(OwnPrefix, StringComparison.Ordinal))
            .OrderBy(p => p.Key, StringComparer.Ordinal).ToList();
        asked.AdditionalProperties = properties.Count > 0 ? new(properties) : null;
        if (asked.Tools is { Count: 0 })
            asked.Tools = null;
        if (asked.StopSequences is { Count: 0 })
            asked.StopSequences = null;
        return JsonSerializer.Serialize(asked, AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(ChatOptions))) == Unset ? null : asked;
    }

    /// <summary>The standing instructions: the messages of the application's own at the front, and the format; a case from elsewhere would answer to others.</summary>
    private static string SettingOf(IReadOnlyList<ChatMessage> before, ChatOptions? asked)
    {
        var standing = before.TakeWhile(ChatData.IsInstruction).ToList();
        var options = asked is null ? null : new ChatOptions { Instructions = asked.Instructions, ResponseFormat = asked.ResponseFormat };
        return QuestionKey.ContextOf(standing, options is { Instructions: null, ResponseFormat: null } ? null : options);
    }

    private static string TextOf(ChatMessage message) => string.Join('\n', message.Contents.OfType<TextContent>().Select(c => c.Text));

    /// <summary>A message without what a client adds to it for itself: identity, time, usage.</summary>
    private static ChatMessage Plain(ChatMessage message) => new(message.Role, [.. message.Contents.Where(c => c is not UsageContent)]) { AuthorName = message.AuthorName };
}
