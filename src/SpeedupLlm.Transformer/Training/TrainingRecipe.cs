using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using SpeedupLlm.Transformer.Model;

namespace SpeedupLlm.Transformer.Training;

/// <summary>Everything that decides what weights come out of training, but for the texts.</summary>
/// <remarks>AdamW (arXiv 1711.05101) with a linear warm-up and a cosine (arXiv 1608.03983). The number of threads is not part of it: any number gives the same bits.</remarks>
public sealed record TrainingRecipe
{
    /// <summary>The sizes of the model.</summary>
    public required ModelShape Shape { get; init; }

    /// <summary>Training ends with the batch that reaches this many tokens.</summary>
    public required long Tokens { get; init; }

    /// <summary>Decides the initial weights.</summary>
    public long Seed { get; init; }

    /// <summary>Highest learning rate.</summary>
    public double Rate { get; init; } = 3e-3;

    /// <summary>Steps over which the rate rises to its highest.</summary>
    public int WarmUpSteps { get; init; } = 200;

    /// <summary>What is left of the rate in the end, as a share of the highest.</summary>
    public double FinalRate { get; init; } = 0.03;

    /// <summary>A batch is the next texts up to this many tokens, and at least one.</summary>
    public int BatchTokens { get; init; } = 4096;

    /// <summary>A batch is cut into slots of about this many tokens; a slot is what one thread works on, and gradients of slots are added in their order.</summary>
    public int SlotTokens { get; init; } = 512;

    /// <summary>Decoupled weight decay of matrices; vectors have none.</summary>
    public double WeightDecay { get; init; } = 0.05;

    /// <summary>β₁ of AdamW.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>β₂ of AdamW.</summary>
    public double Beta2 { get; init; } = 0.98;

    /// <summary>ε of AdamW.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>The gradient is scaled down to this norm.</summary>
    public double Clip { get; init; } = 1;

    /// <summary>Throws unless every number is in range.</summary>
    /// <returns>This recipe.</returns>
    /// <exception cref="ArgumentException">The message names the number.</exception>
    public TrainingRecipe Validated()
    {
        Shape.Validated();
        Require(Tokens > 0, nameof(Tokens), "above 0");
        Require(Rate > 0 && double.IsFinite(Rate), nameof(Rate), "above 0 and finite");
        Require(WarmUpSteps >= 0, nameof(WarmUpSteps), "0 or more");
        Require(FinalRate is >= 0 and <= 1, nameof(FinalRate), "in [0, 1]");
        Require(BatchTokens > 0, nameof(BatchTokens), "above 0");
        Require(SlotTokens > 0, nameof(SlotTokens), "above 0");
        Require(WeightDecay >= 0 && double.IsFinite(WeightDecay), nameof(WeightDecay), "0 or more and finite");
        Require(Beta1 is >= 0 and < 1, nameof(Beta1), "in [0, 1)");
        Require(Beta2 is >= 0 and < 1, nameof(Beta2), "in [0, 1)");
        Require(Epsilon > 0 && double.IsFinite(Epsilon), nameof(Epsilon), "above 0 and finite");
        Require(Clip > 0, nameof(Clip), "above 0");
        return this;
    }

    /// <summary>The learning rate of a step.</summary>
    /// <param name="step">Steps made before.</param>
    /// <param name="tokens">Tokens seen before.</param>
    public double RateAt(long step, long tokens)
    {
        var rise = WarmUpSteps == 0 ? 1 : Math.Min(1, (step + 1.0) / WarmUpSteps);
        var cosine = 0.5 * (1 + Math.Cos(Math.PI * Math.Min(1, (double)tokens / Tokens)));
        return Rate * rise * (FinalRate + (1 - FinalRate) * cosine);
    }

    /// <summary>This recipe as JSON; the same recipe is always the same text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, RecipeJson.Default.TrainingRecipe);

    /// <summary>A recipe from JSON. What it leaves out has its default, but for <c>tokens</c> and the shape's <c>vocabulary</c>, which it must have.</summary>
    /// <exception cref="ArgumentException">A number is out of range.</exception>
    /// <exception cref="JsonException">It is not JSON, or has unknown or missing members.</exception>
    public static TrainingRecipe FromJson(string json)
    {
        // the source generator sets every init property, also those that the text leaves out, so defaults are put into the text
        var given = JsonNode.Parse(json) as JsonObject ?? throw new JsonException("A training recipe must be an object.");
        var defaults = JsonNode.Parse(new TrainingRecipe { Shape = new(2), Tokens = 1 }.ToJson())!.AsObject();
        defaults.Remove("tokens");
        if (given["shape"] is JsonObject shape)
        {
            var sizes = defaults["shape"]!.AsObject();
            sizes.Remove("vocabulary");
            FillIn(shape, sizes);
        }

        defaults.Remove("shape");
        FillIn(given, defaults);
        return given.Deserialize(RecipeJson.Default.TrainingRecipe)!.Validated();
    }

    private static void FillIn(JsonObject given, JsonObject defaults)
    {
        foreach (var (name, value) in defaults)
            if (!given.ContainsKey(name))
                given[name] = value!.DeepClone();
    }

    private static void Require(bool holds, string name, string range)
    {
        if (!holds)
            throw new ArgumentException($"Training recipe: {name} must be {range}.");
    }
}

[JsonSourceGenerationOptions(
    WriteIndented = true, NewLine = "\n", PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(TrainingRecipe))]
internal sealed partial class RecipeJson : JsonSerializerContext;
