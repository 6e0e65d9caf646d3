using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using SpeedupLlm.Benchmark.Calibration;
using SpeedupLlm.Benchmark.Sensitivity;
using SpeedupLlm.Benchmark.Streaming;
using SpeedupLlm.Benchmark.Theory;

namespace SpeedupLlm.Benchmark.Results;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(Trial))]
[JsonSerializable(typeof(Manifest))]
[JsonSerializable(typeof(Summary))]
[JsonSerializable(typeof(CalibrationReport))]
[JsonSerializable(typeof(RelevancyReport))]
[JsonSerializable(typeof(StreamTrial))]
[JsonSerializable(typeof(StreamSummary))]
[JsonSerializable(typeof(PriceFile))]
[JsonSerializable(typeof(Statistics.OverCheckpoints))]
[JsonSerializable(typeof(TheoryReport))]
[JsonSerializable(typeof(SensitivityReport))]
internal sealed partial class ResultsJsonContext : JsonSerializerContext
{
}

/// <summary>How results are written: one line for trials, indented for the rest; text in any script stays readable.</summary>
internal static class ResultsJson
{
    public static ResultsJsonContext Line { get; } = new(Options(indented: false));

    public static ResultsJsonContext Indented { get; } = new(Options(indented: true));

    private static JsonSerializerOptions Options(bool indented) => new(ResultsJsonContext.Default.Options)
    {
        WriteIndented = indented,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        AllowDuplicateProperties = false,
    };
}
