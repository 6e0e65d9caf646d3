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
    public int FormatVersion { get; init; } = 1;

    /// <summary>The row of a scaling method and level, or null if it was not measured.</summary>
    public PriorBand? Find(string scaling, SimilarityLevel level) => Bands.FirstOrDefault(b => b.Scaling == scaling && b.Level == level);

    /// <summary>Reads a prior as <see cref="ToJson"/> writes it.</summary>
    /// <exception cref="JsonException">It is none, or of a newer format.</exception>
    public static AutoPrior Parse(string json)
    {
        var prior = JsonSerializer.Deserialize(json, AutoPriorJson.Default.AutoPrior) ?? throw new JsonException("A prior is a JSON object.");
        return prior.FormatVersion == 1 ? prior : throw new JsonException(FormattableString.Invariant($"A prior of format {prior.FormatVersion} is newer than this program."));
    }

    /// <summary>The prior as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, AutoPriorJson.Default.AutoPrior) + "\n";
}

/// <summary>What cases did for one scaling method at one level of similarity; at <see cref="SimilarityLevel.Unrelated"/>, what became of questions whose kind was searched in vain once.</summary>
/// <param name="Scaling">The scaling method.</param>
/// <param name="Level">The level of the nearest case.</param>
/// <param name="Questions">Questions that were asked, with a case and without.</param>
/// <param name="Operations">Mean operations a question with a case.</param>
/// <param name="OperationsWithout">Mean operations without.</param>
/// <param name="Effort">How much of the search's cap is worth its price, in (0, 1]: an attempt more would cost more an answer than answers cost without memory.</param>
/// <param name="UseCases">Whether cases lowered the loss (full cost and misses): they are used from the first question on.</param>
/// <param name="Judged">For each question with a case, in order: whether the scorer accepted the first attempt that had a final answer.</param>
public sealed record PriorBand(
    string Scaling, SimilarityLevel Level, int Questions, double Operations, double OperationsWithout, double Effort, bool UseCases, IReadOnlyList<bool> Judged)
{
    /// <summary>The evidence that attempts with such a case need no scorer.</summary>
    internal ReuseEvidence Trust(double delta, double alpha) =>
        Judged.Aggregate(ReuseEvidence.None(delta, alpha), (evidence, accepted) => evidence.After(1, !accepted));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = false, UseStringEnumConverter = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(AutoPrior))]
internal sealed partial class AutoPriorJson : JsonSerializerContext
{
}
