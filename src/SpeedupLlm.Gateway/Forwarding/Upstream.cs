using System.Diagnostics;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Polly;
using Polly.CircuitBreaker;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Errors;

namespace SpeedupLlm.Gateway.Forwarding;

/// <summary>An endpoint with its connections and its circuit breaker: while most of what it gets fails, it gets nothing for a moment. Thread-safe.</summary>
internal sealed class Upstream : IDisposable
{
    private const string ChatCompletions = "/chat/completions";

    private readonly HttpMessageInvoker _http;
    private readonly ResiliencePipeline _breaker;
    private readonly CircuitBreakerStateProvider _circuit = new();
    private readonly string _root;
    private readonly Uri _chatCompletions;

    /// <param name="options">Where it is.</param>
    /// <param name="key">Its key, or null.</param>
    /// <param name="parts">The clock of the circuit breaker, and what says how clients of the upstream fail.</param>
    /// <param name="traces">Whether spans go with its requests.</param>
    public Upstream(UpstreamOptions options, string? key, GatewayParts parts, bool traces)
    {
        Options = options;
        Authorization = key is null ? null : "Bearer " + key;
        _root = options.Url.AbsoluteUri.TrimEnd('/');
        _chatCompletions = new(_root + ChatCompletions);
        _http = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = !options.Url.IsLoopback,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            EnableMultipleHttp2Connections = true,
            // without traces of ours the caller's own trace headers pass as they are
            ActivityHeadersPropagator = traces ? DistributedContextPropagator.Current : null,
            RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
            ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        });
        _breaker = new ResiliencePipelineBuilder { TimeProvider = parts.Clock }.AddCircuitBreaker(new CircuitBreakerStrategyOptions
        {
            FailureRatio = 0.5,
            MinimumThroughput = 20,
            SamplingDuration = TimeSpan.FromSeconds(10),
            BreakDuration = TimeSpan.FromSeconds(5),
            StateProvider = _circuit,
            ShouldHandle = args => ValueTask.FromResult(args.Outcome switch
            {
                { Result: HttpResponseMessage answer } => answer.StatusCode >= HttpStatusCode.InternalServerError,
                { Exception: { } e } => e is HttpRequestException || parts.Explain(e) is { IsOutage: true },
                _ => false,
            }),
        }).Build();
    }

    public UpstreamOptions Options { get; }

    /// <summary>Our key for it, as a header; null: none is configured.</summary>
    public string? Authorization { get; }

    /// <summary>Whether it gets requests at the moment.</summary>
    public bool IsOpenForRequests => _circuit.CircuitState is CircuitState.Closed or CircuitState.HalfOpen;

    /// <summary>The address of an operation.</summary>
    /// <param name="path">After <c>/v1</c>, with the query.</param>
    public Uri AddressOf(string path) => path == ChatCompletions ? _chatCompletions : new(_root + path);

    /// <summary>Sends a request and waits for the head of the answer.</summary>
    /// <exception cref="BrokenCircuitException">It gets no requests at the moment.</exception>
    /// <exception cref="HttpRequestException">It cannot be reached, or broke off.</exception>
    public ValueTask<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => _breaker.ExecuteAsync(
        static async (state, token) => await state._http.SendAsync(state.request, token), (_http, request), cancellationToken);

    /// <summary>Does something with the upstream that does not go through <see cref="SendAsync"/>: what fails there counts all the same.</summary>
    /// <exception cref="BrokenCircuitException">It gets no requests at the moment.</exception>
    public ValueTask<T> AskAsync<T>(Func<CancellationToken, ValueTask<T>> ask, CancellationToken cancellationToken) =>
        _breaker.ExecuteAsync(static async (ask, token) => await ask(token), ask, cancellationToken);

    /// <summary>What the caller hears while it gets no requests.</summary>
    public ApiError Broken(BrokenCircuitException broken) =>
        ApiError.Upstream($"The upstream “{Options.Name}” fails at the moment.", StatusCodes.Status503ServiceUnavailable) with { RetryAfter = broken.RetryAfter ?? TimeSpan.FromSeconds(1) };

    public void Dispose() => _http.Dispose();
}

/// <summary>All upstreams, by the models that they serve.</summary>
internal sealed class UpstreamTable : IDisposable
{
    private readonly Dictionary<string, Upstream[]> _byModel = new(StringComparer.Ordinal);
    private readonly Upstream[] _others;

    public UpstreamTable(GatewayOptions options, GatewayParts parts)
    {
        All = [.. options.Upstreams.Select(u => new Upstream(u, u.KeyVariable is { } name ? KeyOf(u, parts.Variable(name)) : null, parts, traces: options.Otlp is not null))];
        _others = [.. All.Where(u => u.Options.Models.Count == 0)];
        foreach (var model in All.SelectMany(u => u.Options.Models).Distinct(StringComparer.Ordinal))
            _byModel.Add(model, [.. All.Where(u => u.Options.Models.Contains(model, StringComparer.Ordinal))]);
    }

    public IReadOnlyList<Upstream> All { get; }

    /// <summary>Whether a model is listed under exactly this name.</summary>
    public bool Lists(string model) => _byModel.ContainsKey(model);

    /// <summary>Who serves a model, in the order in which they are asked; empty if nobody does. Without a model's name: all.</summary>
    public IReadOnlyList<Upstream> Serving(string? model) => model is null ? All : _byModel.TryGetValue(model, out var serving) ? serving : _others;

    public void Dispose()
    {
        foreach (var upstream in All)
            upstream.Dispose();
    }

    private static string? KeyOf(UpstreamOptions options, string? key) => string.IsNullOrWhiteSpace(key)
        ? throw new InvalidDataException($"The upstream “{options.Name}” takes its key from the environment variable {options.KeyVariable}, which is not set.")
        : key.Trim().AsSpan().ContainsAnyExceptInRange('!', '~')
            ? throw new InvalidDataException($"The environment variable {options.KeyVariable} holds characters that no key has.")
            : key.Trim();
}
