using System.Text.Json;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Results;

/// <summary>A file of prices: what a token of each model costs, in any one unit.</summary>
public sealed record PriceFile
{
    /// <summary>The unit, such as <c>USD a million tokens</c>; it is shown beside the figures.</summary>
    public required string Unit { get; init; }

    /// <summary>Prices by the model's name: that of <c>--model-name</c>, or of <c>--model</c> where there is none.</summary>
    public required IReadOnlyDictionary<string, TokenPrices> Models { get; init; }

    /// <summary>The price sheet of a model.</summary>
    /// <param name="file">The file.</param>
    /// <param name="model">The model's name.</param>
    /// <exception cref="InvalidDataException">The file is malformed, a price is negative, or the model is not in it; names the file.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static PriceSheet Load(string file, string model)
    {
        PriceFile prices;
        try
        {
            prices = JsonSerializer.Deserialize(File.ReadAllText(file), ResultsJson.Indented.PriceFile) ?? throw new JsonException("null");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{file}: not a price sheet ({error.Message})", error);
        }

        if (!prices.Models.TryGetValue(model, out var of))
            throw new InvalidDataException($"{file}: no prices for the model {model}. It has: {string.Join(", ", prices.Models.Keys)}.");
        if (new[] { of.Input, of.CachedInput, of.Output, of.Trained }.Any(p => p < 0))
            throw new InvalidDataException($"{file}: a price of {model} is negative.");
        return new(prices.Unit, of.Input, of.CachedInput, of.Output, of.Trained);
    }
}

/// <summary>What one token costs.</summary>
public sealed record TokenPrices
{
    /// <summary>Of prompt tokens that were not cached.</summary>
    public required decimal Input { get; init; }

    /// <summary>Of cached prompt tokens.</summary>
    public required decimal CachedInput { get; init; }

    /// <summary>Of generated tokens.</summary>
    public required decimal Output { get; init; }

    /// <summary>Of tokens that were trained on.</summary>
    public required decimal Trained { get; init; }
}
