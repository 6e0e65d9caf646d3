using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using SpeedupLlm.Gateway.Configuration;

namespace SpeedupLlm.Gateway.Telemetry;

/// <summary>Collects metrics for <c>/metrics</c>, and sends metrics and traces by OTLP where that is configured. Thread-safe.</summary>
internal sealed class Observability : IDisposable
{
    private readonly Lock _lock = new();
    private readonly PrometheusText _text = new();
    private readonly BaseExportingMetricReader _reader;
    private readonly MeterProvider _metrics;
    private readonly TracerProvider? _traces;

    public Observability(GatewayOptions options)
    {
        var resource = ResourceBuilder.CreateEmpty().AddService("speedup-gateway", serviceVersion: typeof(Observability).Assembly.GetName().Version?.ToString());
        _reader = new(_text);
        var metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(GatewayMetrics.Name).AddReader(_reader);
        if (options.Otlp is { } endpoint)
        {
            metrics.AddOtlpExporter(otlp => (otlp.Endpoint, otlp.Protocol) = (new(endpoint, "v1/metrics"), OtlpExportProtocol.HttpProtobuf));
            // the server's own span is the parent of ours: it decides, by the caller's traceparent, whether both are kept
            _traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource("Microsoft.AspNetCore").AddSource(GatewayMetrics.Name)
                .AddOtlpExporter(otlp => (otlp.Endpoint, otlp.Protocol) = (new(endpoint, "v1/traces"), OtlpExportProtocol.HttpProtobuf)).Build();
        }
        _metrics = metrics.Build();
    }

    /// <summary>All metrics as they stand, in Prometheus' text format.</summary>
    public string Collect()
    {
        lock (_lock)
        {
            _reader.Collect();
            return _text.Text;
        }
    }

    public void Dispose()
    {
        _traces?.Dispose();
        _metrics.Dispose();
    }
}
