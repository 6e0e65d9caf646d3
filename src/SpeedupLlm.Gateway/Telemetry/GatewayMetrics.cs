using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;

namespace SpeedupLlm.Gateway.Telemetry;

/// <summary>The instruments, named by the GenAI semantic conventions where these have a name. Thread-safe.</summary>
internal sealed class GatewayMetrics : IDisposable
{
    /// <summary>The name of meter and source.</summary>
    public const string Name = "SpeedupLlm.Gateway";

    private readonly Meter _meter;
    private readonly ActivitySource _source;
    private readonly Histogram<double> _duration;
    private readonly Histogram<long> _tokens;
    private readonly Counter<double> _cost;
    private readonly Counter<long> _recalled;
    private readonly UpDownCounter<long> _running;

    public GatewayMetrics()
    {
        _meter = new(Name);
        _source = new(Name);
        _duration = _meter.CreateHistogram("gen_ai.server.request.duration", "s", "Time to the end of the answer.", advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 600],
        });
        _tokens = _meter.CreateHistogram("gen_ai.client.token.usage", "{token}", "Tokens of a treated question, all hidden calls together.", advice: new InstrumentAdvice<long>
        {
            HistogramBucketBoundaries = [0, 1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576],
        });
        _cost = _meter.CreateCounter<double>("speedup.full_cost", null, "Full cost of treated questions in uncached input tokens, by purpose.");
        _recalled = _meter.CreateCounter<long>("speedup.recalled", null, "Treated questions by what memory gave: answer, hints, weights or nothing.");
        _running = _meter.CreateUpDownCounter<long>("speedup.requests.running", null, "Requests that run.");
    }

    /// <summary>A request begins; disposing what comes back ends it.</summary>
    public RequestTelemetry Begin(string operation, TimeProvider clock)
    {
        _running.Add(1);
        return new(this, operation, clock, _source.StartActivity(operation, ActivityKind.Server));
    }

    internal void End(RequestTelemetry request, TimeSpan took)
    {
        _running.Add(-1);
        var tags = new TagList
        {
            { "gen_ai.operation.name", request.Operation },
            { "gen_ai.request.model", request.Model },
            { "speedup.way", request.Way },
            { "http.response.status_code", request.Status },
        };
        _duration.Record(took.TotalSeconds, tags);
        if (request.Spent is not { } spent)
            return;
        _tokens.Record(spent.Input, new("gen_ai.token.type", "input"), new("gen_ai.request.model", request.Model));
        _tokens.Record(spent.Output, new("gen_ai.token.type", "output"), new("gen_ai.request.model", request.Model));
        foreach (var (purpose, cost) in spent.Cost)
            _cost.Add((double)cost, new KeyValuePair<string, object?>("purpose", purpose));
        _recalled.Add(1, new("what", spent.Recalled), new("level", spent.Level));
    }

    public void Dispose()
    {
        _meter.Dispose();
        _source.Dispose();
    }
}

/// <summary>What a treated question took.</summary>
/// <param name="Input">Prompt tokens of all calls.</param>
/// <param name="Output">Generated tokens of all calls.</param>
/// <param name="Cost">Full cost by purpose.</param>
/// <param name="Recalled">What memory gave.</param>
/// <param name="Level">How alike the nearest remembered question was.</param>
internal sealed record Spent(long Input, long Output, IReadOnlyList<(string Purpose, decimal Cost)> Cost, string Recalled, string Level)
{
    /// <summary>Whether memory and search answered it; otherwise one plain call.</summary>
    public bool IsExperienced { get; init; }

    /// <summary>The memory's name.</summary>
    public string Memory { get; init; } = "none";

    /// <summary>Attempts made.</summary>
    public int Attempts { get; init; }

    /// <summary>Full cost of the answer; null where it is not known.</summary>
    public decimal? FullCost { get; init; }

    /// <summary>The episode that is kept of it, or null.</summary>
    public string? Episode { get; init; }
}

/// <summary>One request for metrics and traces. Not thread-safe.</summary>
internal sealed class RequestTelemetry(GatewayMetrics metrics, string operation, TimeProvider clock, Activity? span) : IDisposable
{
    private readonly long _started = clock.GetTimestamp();

    public string Operation => operation;

    /// <summary>The telemetry of a request.</summary>
    public static RequestTelemetry Of(HttpContext http) => http.Features.Get<RequestTelemetry>() ?? throw new InvalidOperationException("The request is not measured.");

    /// <summary>The model, if it is one of the configuration: names from requests would make series without end.</summary>
    public string Model { get; set; } = "other";

    /// <summary>Nothing was answered; answered here without a model; passed on as it came; answered by search and memory, or the embedded reasoner.</summary>
    public const string Refused = "refused", Answered = "answered", Forwarded = "forwarded", Treated = "treated";

    /// <summary>Which way it went.</summary>
    public string Way { get; set; } = Refused;

    /// <summary>The HTTP status.</summary>
    public int Status { get; set; }

    /// <summary>What it took; null if it was not treated.</summary>
    public Spent? Spent { get; set; }

    /// <summary>How long it has taken so far.</summary>
    public TimeSpan Elapsed => clock.GetElapsedTime(_started);

    public void Dispose()
    {
        metrics.End(this, Elapsed);
        if (span is null)
            return;
        span.DisplayName = $"{operation} {Model}";
        span.SetTag("gen_ai.operation.name", operation);
        span.SetTag("gen_ai.provider.name", "speedup");
        span.SetTag("gen_ai.request.model", Model);
        span.SetTag("speedup.way", Way);
        span.SetTag("http.response.status_code", Status);
        if (Status >= 400)
            span.SetStatus(ActivityStatusCode.Error).SetTag("error.type", Status.ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (Spent is { } spent)
        {
            span.SetTag("gen_ai.usage.input_tokens", spent.Input);
            span.SetTag("gen_ai.usage.output_tokens", spent.Output);
            span.SetTag("speedup.recalled", spent.Recalled);
            span.SetTag("speedup.level", spent.Level);
        }
        span.Dispose();
    }
}
