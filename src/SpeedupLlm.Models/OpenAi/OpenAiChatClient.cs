using System.ClientModel.Primitives;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using OpenAI.Chat;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using ChatFinishReason = Microsoft.Extensions.AI.ChatFinishReason;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;

namespace SpeedupLlm.Models;

/// <summary>A model behind any endpoint that speaks OpenAI's chat completions API, through the official client. Thread-safe.</summary>
/// <remarks>
/// One call is one sample. <see cref="CallInfo"/> is stripped at the wire; its stream gives the seed, its adapter the model's name.
/// Fields without a place in <see cref="ChatOptions"/> (<c>min_p</c>, <c>chat_template_kwargs</c>, …) go in its additional properties, or as a <see cref="ChatCompletionOptions"/> of its raw representation.
/// What a model refuses is adapted after the first refusal and remembered; the response says so under <see cref="AdaptedKey"/>.
/// Options and messages are read, never changed.
/// </remarks>
public sealed class OpenAiChatClient : IChatClient
{
    /// <summary>The response's additional property that is <c>true</c> when log-probabilities were asked for and not given.</summary>
    public const string LogProbsMissingKey = "speedup.logprobs.missing";

    /// <summary>The response's additional property (a list of strings) that says which fields of the request were adapted to the model.</summary>
    public const string AdaptedKey = "speedup.adapted";

    private readonly OpenAiOptions _options;
    private readonly EndpointTransport _transport;
    private readonly OpenAiFineTuner? _tuner;
    private readonly Lock _learning = new();
    private volatile Dialect _dialect;
    private volatile bool _logProbsGiven;
    private volatile bool _logProbsMissed;

    /// <summary>A client; nothing is sent yet.</summary>
    /// <param name="options">Where, which model, how patient.</param>
    /// <param name="time">For deadlines and waits; the system's by default.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public OpenAiChatClient(OpenAiOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _transport = new(options, time ?? TimeProvider.System);
        _tuner = options.FineTuning is null ? null : new(options, _transport, time ?? TimeProvider.System);
        _dialect = Dialect.For(options.Endpoint);
    }

    /// <summary>A client for an endpoint as a person names it. Without a model's name the endpoint is asked which models it has, and the only one is taken.</summary>
    /// <param name="endpoint">See <see cref="OpenAiOptions.ParseEndpoint"/>.</param>
    /// <param name="model">The model's name, or null.</param>
    /// <param name="change">Sets further options, or null.</param>
    /// <param name="cancellationToken">Cancels the asking.</param>
    /// <exception cref="ArgumentException">The address is none, or the endpoint has several models: the message lists them.</exception>
    /// <exception cref="UpstreamException">The endpoint failed.</exception>
    public static async Task<OpenAiChatClient> ConnectAsync(string endpoint, string? model, Func<OpenAiOptions, OpenAiOptions>? change, CancellationToken cancellationToken)
    {
        var options = new OpenAiOptions { Endpoint = OpenAiOptions.ParseEndpoint(endpoint), Model = string.IsNullOrWhiteSpace(model) ? "?" : model };
        options = change?.Invoke(options) ?? options;
        if (options.Model != "?")
            return new(options);
        using var asking = new OpenAiChatClient(options);
        var models = await asking.ListModelsAsync(cancellationToken);
        return models.Count == 1
            ? new(options with { Model = models[0] })
            : throw new ArgumentException(models.Count == 0
                ? $"{asking.Errors.Address} lists no models: name one."
                : $"{asking.Errors.Address} has several models, name one: {string.Join(", ", models.Take(20))}{(models.Count > 20 ? ", …" : "")}.", nameof(model));
    }

    /// <summary>The names of the endpoint's models, sorted.</summary>
    /// <exception cref="UpstreamException">The endpoint failed.</exception>
    public async Task<IReadOnlyList<string>> ListModelsAsync(CancellationToken cancellationToken)
    {
        var answer = await _transport.CallAsync("GET", "/models", null, again: true, cancellationToken);
        return [.. answer.Items("data").Select(m => m.Text("id")).OfType<string>().Order(StringComparer.Ordinal)];
    }

    private EndpointErrors Errors => _transport.Errors;

    /// <inheritdoc/>
    /// <exception cref="UpstreamException">The endpoint failed; the subtypes name the remedy.</exception>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var info = CallInfo.Of(options);
        var body = Body(messages, options, info, stream: false);
        return await _transport.RunAsync(async token =>
        {
            using var answer = await SendAsync(body, stream: false, token);
            return Whole(answer, new(info?.TopLogProbs is not null));
        }, Chance(info), cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>The last update carries usage, finish reason and log-probabilities of the whole answer.</remarks>
    /// <exception cref="UpstreamException">The endpoint failed, also in the middle of the answer: then no finish reason was made up.</exception>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var info = CallInfo.Of(options);
        var body = Body(messages, options, info, stream: true);
        var response = new WireResponse(info?.TopLogProbs is not null);
        using var answer = await _transport.RunAsync(token => SendAsync(body, stream: true, token), Chance(info), cancellationToken);
        if (MediaType(answer) == "application/json")
        {
            // the server knows no streams: all at once is still an answer
            await answer.BufferContentAsync(cancellationToken);
            foreach (var update in Whole(answer, response).ToChatResponseUpdates())
                yield return update;
            yield break;
        }
        await using var chunks = ChunksAsync(answer, response, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await NextAsync(chunks, cancellationToken))
        {
            if (chunks.Current is { Count: > 0 } contents)
                yield return Update(response, contents);
        }
        var last = Update(response, response.End());
        last.FinishReason = Finished(response);
        if (response.TotalUsage is { } usage)
            last.Contents.Add(new UsageContent(usage));
        last.AdditionalProperties = Properties(response);
        // without a message's id they belong to the response
        last.MessageId = null;
        yield return last;
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        if (serviceType == typeof(ModelTraits))
            return new ModelTraits(_options.Fingerprint, _options.ContextTokens, (_logProbsGiven || !_logProbsMissed) && !_dialect.Dropped.Contains("logprobs"), !_dialect.Dropped.Contains("seed"), _tuner is not null, _options.Prompts);
        if (serviceType == typeof(ChatClientMetadata))
            return new ChatClientMetadata("openai", _options.Endpoint, _options.Model);
        if (serviceType == typeof(IAdapterTrainer))
            return _tuner;
        return serviceType == typeof(ChatClient) ? _transport.Client : serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <inheritdoc/>
    public void Dispose() => _transport.Dispose();

    private JsonObject Body(IEnumerable<ChatMessage> messages, ChatOptions? options, CallInfo? info, bool stream)
    {
        if (info?.Adapter is { } adapter && adapter.ModelFingerprint != _options.Fingerprint)
            throw new ArgumentException($"The adapter “{adapter.Id}” belongs to {adapter.ModelFingerprint}, not to {_options.Fingerprint}.", nameof(options));
        return WireRequest.Write(messages, options, this, info?.Adapter?.Id ?? options?.ModelId ?? _options.Model, stream);
    }

    /// <summary>Sends a request; a model that does not understand it is spoken to in its own way at once.</summary>
    private async ValueTask<PipelineResponse> SendAsync(JsonObject asked, bool stream, CancellationToken cancellationToken)
    {
        while (true)
        {
            var dialect = _dialect;
            var body = asked.DeepClone().AsObject();
            dialect.Apply(body);
            var (content, request) = EndpointTransport.Request(body, stream, cancellationToken);
            var answer = (await _transport.Client.CompleteChatAsync(content, request)).GetRawResponse();
            if (answer.Status < 400)
                return answer;
            using (answer)
            {
                await answer.BufferContentAsync(cancellationToken);
                var error = ErrorBody.Read(answer.Content);
                // each round leaves one field fewer, so this ends
                if (answer.Status is 400 or 403 or 422 && dialect.After(body, error) is { } better)
                    Learn(better);
                else
                    throw Errors.FromStatus(answer.Status, answer.Headers, error, (string)body["model"]!);
            }
        }
    }

    private void Learn(Dialect better)
    {
        lock (_learning)
            _dialect = better.And(_dialect);
    }

    private ChatResponse Whole(PipelineResponse answer, WireResponse response)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(answer.Content.ToMemory());
        }
        catch (JsonException e)
        {
            throw NotJson(answer, e);
        }
        using (document)
        {
            Check(document.RootElement);
            List<AIContent> contents = [.. response.Read(document.RootElement, "message"), .. response.End()];
            if (!response.Answered)
                throw Errors.NoAnswer("no choices: is it a chat completions API?");
            return new(new ChatMessage(ChatRole.Assistant, contents) { MessageId = response.Id })
            {
                ResponseId = response.Id,
                ModelId = response.Model,
                CreatedAt = response.CreatedAt,
                FinishReason = response.Finish,
                Usage = response.TotalUsage,
                AdditionalProperties = Properties(response),
            };
        }
    }

    private async IAsyncEnumerable<List<AIContent>> ChunksAsync(PipelineResponse answer, WireResponse response, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (MediaType(answer) is { } type and not "text/event-stream" && !type.StartsWith("text/plain", StringComparison.Ordinal))
        {
            await answer.BufferContentAsync(cancellationToken);
            throw NotJson(answer, null);
        }
        await foreach (var item in SseParser.Create(answer.ContentStream!).EnumerateAsync(cancellationToken))
        {
            if (item.Data.AsSpan().Trim() is "[DONE]")
                yield break;
            if (item.Data.Length > 0)
                yield return Chunk(item.Data, response);
        }
    }

    private List<AIContent> Chunk(string data, WireResponse response)
    {
        try
        {
            using var document = JsonDocument.Parse(data);
            Check(document.RootElement);
            return response.Read(document.RootElement, "delta");
        }
        catch (JsonException e)
        {
            throw Errors.Broken($"“{data[..Math.Min(data.Length, 80)]}” is not JSON", e);
        }
    }

    private async ValueTask<bool> NextAsync(IAsyncEnumerator<List<AIContent>> chunks, CancellationToken cancellationToken)
    {
        try
        {
            return await chunks.MoveNextAsync();
        }
        catch (Exception e) when (e is not UpstreamException && !cancellationToken.IsCancellationRequested && Errors.FromNetwork(e) is { } known)
        {
            throw e is OperationCanceledException ? known : Errors.Broken(known.InnerException!.Message, e);
        }
    }

    /// <summary>Some gateways say 200 and put the error inside.</summary>
    private void Check(JsonElement root)
    {
        if (ErrorBody.Read(root) is not { } error)
            return;
        throw error.Code is "429" || error.Type is "rate_limit_error" or "rate_limit_exceeded"
            ? new RateLimitedException($"{Errors.Address} is asked too often: {error.Message}", null)
            : Errors.NoAnswer("an error: " + error.Message);
    }

    private UpstreamException NotJson(PipelineResponse answer, JsonException? inner)
    {
        var text = answer.Content.ToString();
        if (MediaType(answer) == "text/html" || text.AsSpan().TrimStart().StartsWith("<"))
            return Errors.NoAnswer("a web page: is the address an API's root such as http://host/v1");
        return Errors.NoAnswer(inner is null || text.Trim().Length == 0
            ? $"{(text.Trim().Length == 0 ? "nothing" : MediaType(answer) ?? "something")} instead of an answer"
            : $"JSON that is broken or cut short after {text.Length.ToString(System.Globalization.CultureInfo.InvariantCulture)} characters");
    }

    private ChatFinishReason Finished(WireResponse response) =>
        response.Finish ?? throw Errors.Broken(response.Answered ? "the stream ended without a finish reason" : "the stream ended without an answer");

    private AdditionalPropertiesDictionary? Properties(WireResponse response)
    {
        // an empty answer has none either, so a model that gave them once is one that gives them
        _logProbsMissed |= response.LogProbsMissing;
        _logProbsGiven |= response.LogProbsGiven;
        return response.Properties(_dialect);
    }

    private static ChatResponseUpdate Update(WireResponse response, List<AIContent> contents) => new(ChatRole.Assistant, contents)
    {
        ResponseId = response.Id,
        MessageId = response.Id,
        ModelId = response.Model,
        CreatedAt = response.CreatedAt,
    };

    private static string? MediaType(PipelineResponse answer) =>
        answer.Headers.TryGetValue("content-type", out var type) ? type!.Split(';')[0].Trim().ToLowerInvariant() : null;

    private static StreamKey Chance(CallInfo? info) => info?.Stream ?? StreamKey.Root(0);
}
