using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Models.Tests;

/// <summary>A model whose answers depend on the prompt, the adapter and the stream of chance, as the embedded reasoner's do. Can be fine-tuned.</summary>
internal sealed class ChanceModel(string fingerprint = "chance-1") : IChatClient, IAdapterTrainer
{
    private int _calls;

    public int Calls => Volatile.Read(ref _calls);

    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _calls);
        await Task.Yield();
        var text = messages.Last().Text;
        if (text.StartsWith("fail", StringComparison.Ordinal))
            throw new RateLimitedException("asked too often", TimeSpan.FromSeconds(3));
        if (text.StartsWith("die", StringComparison.Ordinal))
            throw new InvalidOperationException("a bug\nof two lines");
        var info = CallInfo.Of(options);
        var answer = $"{text} → {info?.Adapter?.Id} {info?.Stream.Child("answer")} 😀\n";
        var response = new ChatResponse(new ChatMessage(ChatRole.Assistant, [new TextReasoningContent("hm"), new TextContent(answer)]))
        {
            FinishReason = ChatFinishReason.Stop,
            ModelId = "chance",
            ResponseId = "r" + text,
            Usage = new() { InputTokenCount = text.Length, OutputTokenCount = 9, CachedInputTokenCount = 1, ReasoningTokenCount = 2 },
        };
        if (info?.TopLogProbs is { } top)
        {
            response.AdditionalProperties = new()
            {
                [TokenLogProb.Key] = (IReadOnlyList<TokenLogProb>)[new(" yes", -0.1, top == 0 ? [] : [new(" yes", -0.1), new("\"no\"", -2.5)])],
            };
        }
        return response;
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
        {
            yield return update;
            if (messages.Last().Text.StartsWith("break", StringComparison.Ordinal))
                throw new UpstreamException("stopped in the middle");
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(ModelTraits) ? new ModelTraits(fingerprint, 512, LogProbs: true, Seed: true, Adapters: true, "compact") : serviceType.IsInstanceOfType(this) ? this : null;

    public ValueTask<TrainedAdapter> TrainAsync(AdapterRef? from, IReadOnlyList<TrainingPair> pairs, StreamKey stream, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _calls);
        return ValueTask.FromResult(new TrainedAdapter(new($"{from?.Id}+{pairs.Count}", fingerprint), 100 * pairs.Count, 2, 0.5));
    }

    public ValueTask<ReadOnlyMemory<byte>> ExportAsync(AdapterRef adapter, CancellationToken cancellationToken) => ValueTask.FromResult<ReadOnlyMemory<byte>>(new byte[] { 1 });

    public ValueTask<AdapterRef> ImportAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => throw new InvalidDataException("not here");

    public void Dispose()
    {
    }
}

/// <summary>A folder that goes when the test ends.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("speedup-models-");

    public string File(string name, string? content = null)
    {
        var path = Path.Combine(_folder.FullName, name);
        if (content is not null)
            System.IO.File.WriteAllText(path, content);
        return path;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
