using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenAI;
using OpenAI.Chat;
using Polly;
using Polly.Retry;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Models;

/// <summary>The official client under our own patience: what is tried again, how long, and what an exception says.</summary>
internal sealed class EndpointTransport : IDisposable
{
    private static readonly ResiliencePropertyKey<(long Started, StreamKey Chance)> CallKey = new("speedup.call");
    private readonly OpenAiOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;
    private readonly ResiliencePipeline _retries;

    public EndpointTransport(OpenAiOptions options, TimeProvider time)
    {
        options.Validate();
        (_options, _time) = (options, time);
        var key = Environment.GetEnvironmentVariable(options.KeyVariable);
        key = string.IsNullOrWhiteSpace(key) ? null : key.Trim();
        if (key is not null && key.AsSpan().ContainsAnyExceptInRange('!', '~'))
            throw new ArgumentException($"The environment variable {options.KeyVariable} holds characters that no key has.", nameof(options));
        Errors = new(options.Endpoint, options.KeyVariable, key, options.Timeout, time);
        _http = new(new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(15),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            UseProxy = !options.Endpoint.IsLoopback,
        })
        { Timeout = System.Threading.Timeout.InfiniteTimeSpan };
        Client = new(options.Model, new Bearer(key), new OpenAIClientOptions
        {
            Endpoint = options.Endpoint,
            NetworkTimeout = options.Timeout,
            RetryPolicy = new ClientRetryPolicy(0),
            Transport = new HttpClientPipelineTransport(_http),
        });
        _retries = new ResiliencePipelineBuilder { TimeProvider = time }.AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = Math.Max(1, options.Retries),
            ShouldHandle = args => ValueTask.FromResult(MayRetry(args.Outcome.Exception, args.AttemptNumber, args.Context)),
            DelayGenerator = args => ValueTask.FromResult<TimeSpan?>(Delay((UpstreamException)args.Outcome.Exception!, args.AttemptNumber, args.Context)),
        }).Build();
    }

    public EndpointErrors Errors { get; }

    /// <summary>The official client.</summary>
    public ChatClient Client { get; }

    /// <summary>Runs <paramref name="request"/> until it succeeds, is refused for good, or the deadline would pass. Never retries once <paramref name="request"/> has returned.</summary>
    /// <exception cref="UpstreamException">It failed.</exception>
    public async ValueTask<T> RunAsync<T>(Func<CancellationToken, ValueTask<T>> request, StreamKey chance, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(CallKey, (_time.GetTimestamp(), chance));
        try
        {
            return await _retries.ExecuteAsync(async c => await GuardAsync(request, c.CancellationToken), context);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>The request's body and headers for the protocol methods.</summary>
    public static (BinaryContent Content, RequestOptions Options) Request(JsonObject body, bool stream, CancellationToken cancellationToken)
    {
        var options = new RequestOptions { BufferResponse = !stream, ErrorOptions = ClientErrorBehaviors.NoThrow, CancellationToken = cancellationToken };
        if (stream)
            options.SetHeader("Accept", "text/event-stream");
        return (BinaryContent.Create(BinaryData.FromString(body.ToJsonString())), options);
    }

    /// <summary>Calls another operation of the endpoint and gives the JSON that it answers.</summary>
    /// <param name="method">GET, POST, DELETE.</param>
    /// <param name="path">Under the endpoint, such as <c>/files</c>.</param>
    /// <param name="content">The body with its media type, or null.</param>
    /// <param name="again">Whether the call may be made again when nobody knows if it was carried out: not if it starts something that costs.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public ValueTask<JsonElement> CallAsync(string method, string path, (BinaryData Data, string Type)? content, bool again, CancellationToken cancellationToken) => RunAsync(async token =>
    {
        using var message = Client.Pipeline.CreateMessage();
        message.Request.Method = method;
        message.Request.Uri = new(_options.Endpoint.AbsoluteUri.TrimEnd('/') + path);
        message.Request.Headers.Set("Accept", "application/json");
        if (content is { } body)
        {
            message.Request.Content = BinaryContent.Create(body.Data);
            message.Request.Headers.Set("Content-Type", body.Type);
        }
        message.Apply(new RequestOptions { CancellationToken = token });
        try
        {
            await Client.Pipeline.SendAsync(message);
        }
        catch (Exception e) when (!again && !token.IsCancellationRequested && Errors.FromNetwork(e) is { Transient: true } broken)
        {
            throw new UpstreamException(broken.Message, e);
        }
        return Json(message.Response!, again);
    }, StreamKey.Root(0).Child(path), cancellationToken);

    public void Dispose() => _http.Dispose();

    private JsonElement Json(PipelineResponse answer, bool again)
    {
        if (answer.Status >= 400)
        {
            var failure = Errors.FromStatus(answer.Status, answer.Headers, ErrorBody.Read(answer.Content), _options.Model);
            throw again || failure is RateLimitedException || !failure.Transient ? failure : new UpstreamException(failure.Message) { Status = failure.Status };
        }
        try
        {
            using var document = JsonDocument.Parse(answer.Content.ToMemory());
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw Errors.NoAnswer("something that is not JSON");
        }
    }

    private async ValueTask<T> GuardAsync<T>(Func<CancellationToken, ValueTask<T>> request, CancellationToken cancellationToken)
    {
        try
        {
            return await request(cancellationToken);
        }
        catch (Exception e) when (e is not UpstreamException && !cancellationToken.IsCancellationRequested && Errors.FromNetwork(e) is { })
        {
            throw Errors.FromNetwork(e)!;
        }
    }

    private bool MayRetry(Exception? exception, int attempt, ResilienceContext context) =>
        exception is UpstreamException { Transient: true } e && attempt < _options.Retries &&
        _time.GetElapsedTime(Call(context).Started) + Delay(e, attempt, context) <= _options.Deadline;

    /// <summary>What the endpoint asks for, else 0.5 s, 1 s, 2 s, … up to 20 s, a quarter more or less by chance of the call, so that many calls do not come back at once.</summary>
    private static TimeSpan Delay(UpstreamException exception, int attempt, ResilienceContext context)
    {
        if (exception.RetryAfter is { } asked)
            return asked;
        var random = new StreamRandom(Call(context).Chance.Child("retry").Child(attempt));
        return TimeSpan.FromSeconds(Math.Min(20, 0.5 * Math.Pow(2, Math.Min(attempt, 10))) * (0.75 + 0.5 * random.NextDouble()));
    }

    private static (long Started, StreamKey Chance) Call(ResilienceContext context) => context.Properties.GetValue(CallKey, default);

    /// <summary>The key as a bearer token, or nothing: servers on one's own machine want none.</summary>
    private sealed class Bearer(string? key) : AuthenticationPolicy
    {
        public override void Process(PipelineMessage message, IReadOnlyList<PipelinePolicy> pipeline, int currentIndex)
        {
            Set(message);
            ProcessNext(message, pipeline, currentIndex);
        }

        public override ValueTask ProcessAsync(PipelineMessage message, IReadOnlyList<PipelinePolicy> pipeline, int currentIndex)
        {
            Set(message);
            return ProcessNextAsync(message, pipeline, currentIndex);
        }

        private void Set(PipelineMessage message)
        {
            if (key is not null)
                message.Request.Headers.Set("Authorization", "Bearer " + key);
        }
    }
}
