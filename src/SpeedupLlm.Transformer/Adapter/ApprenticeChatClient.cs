using System.Globalization;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using SpeedupLlm.Transformer.Decoding;
using SpeedupLlm.Transformer.Formats;
using SpeedupLlm.Transformer.Tokenizer;

namespace SpeedupLlm.Transformer.Adapter;

/// <summary>How an <see cref="ApprenticeChatClient"/> behaves.</summary>
public sealed record ApprenticeOptions
{
    /// <summary>What decoding may use.</summary>
    public DecodingOptions Decoding { get; init; } = new();

    /// <summary>Temperature of calls that name none, at least 0.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Whether a question is one that the model was trained for; null takes every question.</summary>
    public Func<string, bool>? Understands { get; init; }

    /// <summary>What is answered, without the model, to a question that it does not understand.</summary>
    public string Help { get; init; } = "I am a small model and answer questions of the worlds that I was trained in only.";

    /// <summary>How adapters are trained and kept.</summary>
    public AdapterOptions Adapters { get; init; } = new();
}

/// <summary>The embedded reasoner as an <see cref="IChatClient"/>. One sample a call. Thread-safe.</summary>
/// <remarks>
/// <para>
/// Of <see cref="ChatOptions"/> it obeys Temperature, TopP, TopK, Seed, MaxOutputTokens and StopSequences, and <see cref="CallInfo"/> in the additional
/// properties: the stream of chance (else Seed's, else that of seed 0), the adapter, log-probabilities (out under <see cref="TokenLogProb.Key"/>, in
/// a stream on the last update), and the scope of cached input. The same stream and prompt give the same text. Tools and response formats are beyond it.
/// </para>
/// <para>Usage counts the stop token as output, since it was drawn. <see cref="GetService"/> gives <see cref="ModelTraits"/>, <see cref="IAdapterTrainer"/> and <see cref="ITokenCounter"/>.</para>
/// </remarks>
public sealed class ApprenticeChatClient : IChatClient, IAsyncDisposable
{
    /// <summary>True in the additional properties of a response that is the help text: the question was outside the model's worlds.</summary>
    public const string OutsideKey = "speedup.outside";

    private readonly ModelFile _model;
    private readonly ApprenticeOptions _options;
    private readonly PieceTokenizer _tokenizer;
    private readonly ChatTemplate _template;
    private readonly DecodingEngine _engine;
    private readonly LogicalPrefixes _prefixes = new();
    private readonly ApprenticeTrainer _trainer;

    /// <summary>A client of a model.</summary>
    /// <exception cref="ArgumentException">The vocabulary lacks tokens of the compact prompts, or an option is out of range.</exception>
    public ApprenticeChatClient(ModelFile model, ApprenticeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _options = options ?? new();
        _tokenizer = new(model.Vocabulary);
        _template = new(_tokenizer);
        _engine = new(model.Weights.Shape, _options.Decoding);
        Traits = new(model.Fingerprint(), model.Weights.Shape.Context, LogProbs: true, Seed: true, Adapters: true, Prompts: "compact");
        _trainer = new(model.Weights, Traits.Fingerprint, _template, _options.Adapters);
    }

    /// <summary>What the model can do.</summary>
    public ModelTraits Traits { get; }

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var prompt = _template.Encode(messages);
        if (IsOutside(prompt))
            return new ChatResponse(new ChatMessage(ChatRole.Assistant, _options.Help))
            {
                FinishReason = ChatFinishReason.Stop,
                ModelId = _model.Origin.Name,
                Usage = Usage(0, 0, 0),
                AdditionalProperties = new() { [OutsideKey] = true },
            };
        var call = new Call(this, prompt, options, _ => { });
        await call.RunAsync(cancellationToken).ConfigureAwait(false);
        return new ChatResponse(new ChatMessage(ChatRole.Assistant, call.Text))
        {
            FinishReason = call.FinishReason,
            ModelId = _model.Origin.Name,
            Usage = call.Usage,
            AdditionalProperties = call.Properties,
        };
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var prompt = _template.Encode(messages);
        if (IsOutside(prompt))
        {
            yield return Update(_options.Help);
            yield return Last(ChatFinishReason.Stop, Usage(0, 0, 0), new() { [OutsideKey] = true });
            yield break;
        }
        // whoever stops reading stops the generation
        using var abandoned = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var texts = Channel.CreateUnbounded<string>(new() { SingleReader = true, SingleWriter = true });
        var call = new Call(this, prompt, options, text => texts.Writer.TryWrite(text));
        var run = CompleteAsync();
        try
        {
            await foreach (var text in texts.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
                yield return Update(text);
            await run.ConfigureAwait(false);
        }
        finally
        {
            await abandoned.CancelAsync().ConfigureAwait(false);
            await ((Task)run).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        yield return Last(call.FinishReason, call.Usage, call.Properties);

        async Task CompleteAsync()
        {
            try
            {
                await call.RunAsync(abandoned.Token).ConfigureAwait(false);
            }
            finally
            {
                texts.Writer.Complete();
            }
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ModelTraits) ? Traits
            : serviceType == typeof(IAdapterTrainer) ? _trainer
            : serviceType == typeof(ITokenCounter) ? _template
            : serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("speedup", null, _model.Origin.Name)
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>Ends the decoding threads; calls that still run fail.</summary>
    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose() => _engine.DisposeAsync().AsTask().GetAwaiter().GetResult();

    private bool IsOutside(TemplatedPrompt prompt) =>
        prompt.Question is { } question && _options.Understands is { } understands && !understands(question);

    private ChatResponseUpdate Update(string text) => new(ChatRole.Assistant, text) { ModelId = _model.Origin.Name };

    private ChatResponseUpdate Last(ChatFinishReason? reason, UsageDetails usage, AdditionalPropertiesDictionary? properties) =>
        new(ChatRole.Assistant, [new UsageContent(usage)]) { ModelId = _model.Origin.Name, FinishReason = reason, AdditionalProperties = properties };

    private static UsageDetails Usage(int input, int cached, int output) => new()
    {
        InputTokenCount = input,
        CachedInputTokenCount = cached,
        OutputTokenCount = output,
        TotalTokenCount = input + output,
    };

    /// <summary>One call, from its options to its usage.</summary>
    private sealed class Call(ApprenticeChatClient client, TemplatedPrompt prompt, ChatOptions? options, Action<string> show)
    {
        private readonly TokenDecoder _decoder = new(client._tokenizer);
        private readonly StopText _stop = new(options?.StopSequences ?? []);

        public string Text => _stop.Text.ToString();

        public ChatFinishReason? FinishReason { get; private set; }

        public UsageDetails Usage { get; private set; } = new();

        public AdditionalPropertiesDictionary? Properties { get; private set; }

        public async Task RunAsync(CancellationToken cancellationToken)
        {
            var info = CallInfo.Of(options);
            if (options?.MaxOutputTokens is < 0)
                throw new ArgumentOutOfRangeException(nameof(options), options.MaxOutputTokens, "MaxOutputTokens is at least 0.");
            var request = new GenerationRequest(client._trainer.Resolve(info?.Adapter), prompt.Tokens)
            {
                Sampling = new()
                {
                    Temperature = options?.Temperature ?? client._options.Temperature,
                    TopP = options?.TopP ?? 1,
                    TopK = options?.TopK ?? 0,
                },
                Stream = info?.Stream ?? StreamKey.Root(options?.Seed ?? 0),
                StopTokens = [client._template.End],
                MaximumTokens = options?.MaxOutputTokens ?? int.MaxValue,
                TopLogProbabilities = info?.TopLogProbs,
                Observer = Observe,
            };
            // adapted weights compute other keys and values: their prefixes are their own
            var scope = info?.CacheScope is { } name ? info.Adapter?.Id + "\n" + name : null;
            int[] input = [.. prompt.Tokens];
            var cached = scope is null ? 0 : client._prefixes.Count(scope, input);
            var result = await client._engine.GenerateAsync(request, cancellationToken).ConfigureAwait(false);
            if (scope is not null)
                client._prefixes.Add(scope, [.. input, .. result.Tokens.Select(t => t.Token)]);

            Show(_stop.Push(_decoder.Flush()) + _stop.Flush());
            FinishReason = result.End == GenerationEnd.Length && !_stop.Stopped ? ChatFinishReason.Length : ChatFinishReason.Stop;
            Usage = ApprenticeChatClient.Usage(input.Length, cached, result.Drawn);
            if (info?.TopLogProbs is not null)
                Properties = new() { [TokenLogProb.Key] = (IReadOnlyList<TokenLogProb>)[.. result.Tokens.Select(Explain)] };
        }

        /// <summary>On the engine's thread: shows the text of a token, and ends at a stop string.</summary>
        private bool Observe(GeneratedToken token)
        {
            Show(_stop.Push(_decoder.Push(token.Token)));
            return !_stop.Stopped;
        }

        private void Show(string text)
        {
            if (text.Length > 0)
                show(text);
        }

        private TokenLogProb Explain(GeneratedToken token) => new(
            TextOf(token.Token), token.LogProbability, [.. token.Top.Select(t => KeyValuePair.Create(TextOf(t.Token), t.LogProbability))]);

        private string TextOf(int token) => System.Text.Encoding.UTF8.GetString(client._tokenizer.Bytes(token));
    }
}
