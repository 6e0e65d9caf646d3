using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Training;

namespace SpeedupLlm.Cli.Apprentice;

/// <summary>Everything that decides the weights of an embedded reasoner, texts included. A recipe file says all of it: no member has a default.</summary>
internal sealed record ApprenticeRecipe
{
    /// <summary>Such as <c>apprentice-1</c> or <c>novice</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The world that writes the texts.</summary>
    public required string World { get; init; }

    /// <summary>False leaves past cases and lessons out of the prompts of attempts: the Novice.</summary>
    public required bool WithMemory { get; init; }

    /// <summary>Names the stream of texts and the initial weights.</summary>
    public required long Seed { get; init; }

    /// <summary>How much prompt tokens count beside the answer's; some, since predicting a question teaches its words.</summary>
    public required float PromptWeight { get; init; }

    /// <summary>Longer texts are drawn anew.</summary>
    public required int LongestText { get; init; }

    /// <summary>Training tokens.</summary>
    public required long Tokens { get; init; }

    /// <summary>The learning rate at its highest.</summary>
    public required double Rate { get; init; }

    /// <summary>Tokens of a batch.</summary>
    public required int BatchTokens { get; init; }

    /// <summary>Width of the decoder.</summary>
    public required int Width { get; init; }

    /// <summary>Layers of the decoder.</summary>
    public required int Layers { get; init; }

    /// <summary>Attention heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Width of the feed-forward part.</summary>
    public required int Hidden { get; init; }

    /// <summary>The recipe of the trainer, for a vocabulary of this size.</summary>
    public TrainingRecipe Training(int vocabulary) => new TrainingRecipe
    {
        Shape = new ModelShape(vocabulary) { Width = Width, Layers = Layers, Heads = Heads, Hidden = Hidden, Context = 1024 },
        Tokens = Tokens,
        Seed = Seed,
        Rate = Rate,
        BatchTokens = BatchTokens,
    }.Validated();

    /// <summary>This recipe as JSON; the same recipe is always the same text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ApprenticeRecipeJson.Default.ApprenticeRecipe);

    /// <summary>16 hexadecimal digits that the weights carry: other recipe, other weights.</summary>
    public string Hash() => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ToJson())).AsSpan(0, 8));

    /// <summary>A recipe from JSON.</summary>
    /// <exception cref="JsonException">It is not JSON, or has unknown or missing members.</exception>
    public static ApprenticeRecipe FromJson(string json) =>
        JsonSerializer.Deserialize(json, ApprenticeRecipeJson.Default.ApprenticeRecipe) ?? throw new JsonException("A recipe must not be null.");
}

[JsonSourceGenerationOptions(WriteIndented = true, NewLine = "\n", PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ApprenticeRecipe))]
internal sealed partial class ApprenticeRecipeJson : JsonSerializerContext;
