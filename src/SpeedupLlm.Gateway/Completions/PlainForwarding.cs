using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace SpeedupLlm.Gateway.Completions;

/// <summary>Where the library makes the one plain call of a request, the request's own bytes are forwarded and the answer's go out as they come; the library only listens. Thread-safe.</summary>
internal sealed class PlainForwarding(IChatClient model) : DelegatingChatClient(model)
{
    public override Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        ForwardedCall.Of(options) is { } call ? call.RunAsync() : base.GetResponseAsync(messages, options, cancellationToken);

    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (ForwardedCall.Of(options) is { } call)
        {
            foreach (var update in (await call.RunAsync()).ToChatResponseUpdates())
                yield return update;
            yield break;
        }
        await foreach (var update in base.GetStreamingResponseAsync(messages, options, cancellationToken))
            yield return update;
    }
}

/// <summary>The answer went to the caller already, and was none that anything can be learnt from.</summary>
internal sealed class ForwardedFailureException() : Exception("The upstream's answer was an error, or broke off, and was forwarded.");

/// <summary>One plain call that is forwarded. Not thread-safe.</summary>
/// <param name="forward">Forwards the request, and says whether the answer came to its end; what it hears of the answer goes to the action.</param>
/// <param name="status">The status of the forwarded answer.</param>
internal sealed class ForwardedCall(Func<Action<ReadOnlyMemory<byte>>, Task<bool>> forward, Func<int> status)
{
    /// <summary>The key in the options' additional properties; ours, so the library neither compares nor forwards it.</summary>
    private const string Key = "speedup.forward";

    // longer answers are forwarded, and only their beginning is listened to
    private const int MostHeard = 4 * 1024 * 1024;

    private readonly MemoryStream _heard = new();

    /// <summary>Whether the call was made: then the answer is on its way, and nothing else may be written.</summary>
    public bool IsUnderWay { get; private set; }

    public static ForwardedCall? Of(ChatOptions? options) =>
        options?.AdditionalProperties is { } properties && properties.TryGetValue(Key, out var call) ? call as ForwardedCall : null;

    /// <summary>Puts the call into a request's options.</summary>
    public void AddTo(ChatOptions options) => (options.AdditionalProperties ??= [])[Key] = this;

    /// <summary>Makes the call, and says what was heard.</summary>
    /// <exception cref="ForwardedFailureException">The upstream answered with an error, or broke off, which was forwarded.</exception>
    public async Task<ChatResponse> RunAsync()
    {
        IsUnderWay = true;
        var isWhole = await forward(piece =>
        {
            if (_heard.Length + piece.Length <= MostHeard)
                _heard.Write(piece.Span);
        });
        return isWhole && status() == 200 ? Read() : throw new ForwardedFailureException();
    }

    private ChatResponse Read()
    {
        var heard = new HeardAnswer();
        var bytes = _heard.GetBuffer().AsSpan(0, (int)_heard.Length);
        try
        {
            if (bytes.TrimStart(" \t\r\n"u8).StartsWith("{"u8))
                heard.Read(bytes);
            else
                ReadEvents(bytes, heard);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // it was forwarded as it came; what is not understood is not measured
        }
        return heard.ToResponse();
    }

    private static void ReadEvents(ReadOnlySpan<byte> events, HeardAnswer heard)
    {
        foreach (var line in events.Split((byte)'\n'))
        {
            var data = events[line];
            if (data.StartsWith("data:"u8) && data["data:"u8.Length..].Trim(" \r"u8) is { IsEmpty: false } json && json[0] == (byte)'{')
                heard.Read(json);
        }
    }
}
