using System.Text.Json;
using System.Text.Json.Serialization;
using SpeedupLlm.Guard;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Memory;

/// <summary>What <see cref="Auto"/> is told before it has experience of its own: measured on questions that are asked nowhere else (docs/guard.md).</summary>
/// <param name="Name">What it was measured on: model, world and split.</param>
/// <param name="Bands">What was measured, a row a scaling method and level.</param>
public sealed record AutoPrior(string Name, IReadOnlyList<PriorBand> Bands)
{
    /// <summary>The model that it was measured on.</summary>
    public required string ModelFingerprint { get; init; }

    /// <summary>The version of the persisted form.</summary>
    public int FormatVersion { get; init; } = CurrentFormat;

    private const int CurrentFormat = 2;

    /// <summary>The row of a scaling method, level and kind of case, or null if it was not measured.</summary>
    public PriorBand? Find(string scaling, SimilarityLevel level, bool told) => Bands.FirstOrDefault(b => b.Scaling == scaling && b.Level == level && b.Told == told);

    /// <summary>Reads a prior as <see cref="ToJson"/> writes it.</summary>
    /// <exception cref="JsonException">It is none, or of another format.</exception>
    public static AutoPrior Parse(string json)
    {
        // the format first: what another one lacks would be named instead
        using (var document = JsonDocument.Parse(json))
        {
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("formatVersion", out var format)
                && !(format.ValueKind == JsonValueKind.Number && format.TryGetInt32(out var version) && version == CurrentFormat))
                throw new JsonException(FormattableString.Invariant($"It is of format {format.GetRawText()}, not of this program's format {CurrentFormat}."));
        }

        return JsonSerializer.Deserialize(json, AutoPriorJson.Default.AutoPrior) ?? throw new JsonException("A prior is a JSON object.");
    }

    /// <summary>The prior as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, AutoPriorJson.Default.AutoPrior) + "\n";
}

/// <summary>What cases did for one scaling method at one level of similarity; at <see cref="SimilarityLevel.Unrelated"/>, what became of questions whose kind was searched in vain once.</summary>
/// <param name="Scaling">The scaling method.</param>
/// <param name="Level">The level of the nearest case.</param>
/// <param name="Told">Whether the case's answer was told, since its search had not found it (<see cref="Experience.Episode.IsTold"/>): a harder kind of question.</param>
/// <param name="Questions">Questions that were asked, with a case and without.</param>
/// <param name="Operations">Mean operations a question with a case, the search cut to <paramref name="Effort"/>.</param>
/// <param name="OperationsWithout">Mean operations without, the search in full.</param>
/// <param name="Effort">How much of the search's cap is used, in (0, 1]: the least that is surely not less accurate.</param>
/// <param name="UseCases">Whether a case at that effort saves full cost and is surely not less accurate: it is used from the first question on.</param>
/// <param name="Judged">For each question with a case, in order: whether the scorer accepted the first attempt that had a final answer.</param>
public sealed record PriorBand(
    string Scaling, SimilarityLevel Level, bool Told, int Questions, double Operations, double OperationsWithout, double Effort, bool UseCases, IReadOnlyList<bool> Judged)
{
    /// <summary>The name of the band that it is about.</summary>
    internal string Band => BandOf(Scaling, Level, Told);

    /// <summary>The name of a band.</summary>
    internal static string BandOf(string scaling, SimilarityLevel level, bool told) => $"{scaling}/{(level == SimilarityLevel.Unrelated ? "vain" : level.ToString())}{(told ? "/told" : "")}";

    /// <summary>The evidence that attempts with such a case need no scorer.</summary>
    internal ReuseEvidence Evidence(double delta, double alpha) =>
        Judged.Aggregate(ReuseEvidence.None(delta, alpha), (evidence, accepted) => evidence.After(1, !accepted));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = false, IgnoreReadOnlyProperties = true, UseStringEnumConverter = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(AutoPrior))]
internal sealed partial class AutoPriorJson : JsonSerializerContext
{
}
