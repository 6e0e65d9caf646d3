using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Errors;

namespace SpeedupLlm.Gateway.Requests;

/// <summary>What happens to a request: the model's own name, and how the question is answered.</summary>
/// <param name="Model">The model's name at the upstream.</param>
/// <param name="Options">Scaling, memory, scorer, τ, N.</param>
/// <param name="Asked">Whether the request itself asked for it; then no mode and no share changes it.</param>
internal sealed record Treatment(string Model, TreatmentOptions Options, bool Asked)
{
    /// <summary>What our names for models begin with.</summary>
    public const string Prefix = "speedup/";

    /// <summary>Headers that choose a treatment; they are never forwarded.</summary>
    public const string HeaderPrefix = "X-Speedup-";

    private static readonly (string Name, string Header)[] Headers =
        [.. new[] { "Scaling", "Memory", "Scorer", "Tau", "Samples", "Conversation" }.Select(n => (n.ToLowerInvariant(), HeaderPrefix + n))];

    /// <summary>The conversation that short memories belong to, or null.</summary>
    public string? Conversation { get; private init; }

    /// <summary>Reads what a request asks for: our object in the body before headers, headers before the model's name, and the configuration for the rest.</summary>
    /// <param name="model">The model's name as it stands in the request.</param>
    /// <param name="isReal">Whether a model is really called so: such a name is never taken apart (case 19).</param>
    /// <param name="speedup">Our object in the body, or null.</param>
    /// <param name="headers">The request's headers.</param>
    /// <param name="options">The configuration.</param>
    /// <exception cref="ApiErrorException">A name is unknown or a number out of range.</exception>
    public static Treatment Choose(string model, Func<string, bool> isReal, ReadOnlyMemory<byte>? speedup, IHeaderDictionary headers, GatewayOptions options)
    {
        var chosen = new Treatment(model, options.Treatment, Asked: false);
        if (model.StartsWith(Prefix, StringComparison.Ordinal) && !isReal(model))
            chosen = chosen.FromName(model);
        foreach (var (name, header) in Headers)
        {
            if (headers.TryGetValue(header, out var value) && value.ToString() is { Length: > 0 } text)
                chosen = chosen.With(name, text, header);
        }
        if (speedup is { } json)
            chosen = chosen.FromObject(json);
        return chosen.Asked ? chosen.Checked(options) : chosen;
    }

    /// <summary><c>speedup/SCALING/MEMORY/MODEL</c>, or <c>speedup/off/MODEL</c>, where MODEL is anything: that is the escape for real names that look like ours.</summary>
    private Treatment FromName(string model)
    {
        var parts = model.Split('/', 4);
        if (parts is [_, TreatmentOptions.Off, _, ..])
            return this with { Model = model[(Prefix.Length + TreatmentOptions.Off.Length + 1)..], Options = Options with { Scaling = TreatmentOptions.Off }, Asked = true };
        return parts is [_, var scaling, var memory, { Length: > 0 } name]
            ? this with { Model = name, Options = Options with { Scaling = scaling, Memory = memory }, Asked = true }
            : throw new ApiErrorException(ApiError.Invalid($"“{model}” is not of the form speedup/SCALING/MEMORY/MODEL; a model whose real name it is can be reached as speedup/off/{model}.", "model"));
    }

    private Treatment FromObject(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = RequestHead.Depth });
        var chosen = this;
        try
        {
            foreach (var field in document.RootElement.EnumerateObject())
                chosen = chosen.With(field.Name, TextOf(field.Value), $"speedup.{field.Name}");
            return chosen;
        }
        catch (InvalidOperationException)
        {
            throw new ApiErrorException(ApiError.HalfACharacter("speedup"));
        }
    }

    /// <summary>A string, or a number as it is written.</summary>
    private static string TextOf(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private Treatment With(string name, string value, string at) => name switch
    {
        "scaling" => this with { Options = Options with { Scaling = value }, Asked = true },
        "memory" => this with { Options = Options with { Memory = value }, Asked = true },
        "scorer" => this with { Options = Options with { Scorer = value }, Asked = true },
        "tau" => this with { Options = Options with { Tau = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var tau) ? tau : -1 }, Asked = true },
        "samples" => this with { Options = Options with { Samples = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var samples) ? samples : 0 }, Asked = true },
        "conversation" => this with { Conversation = value },
        _ => throw new ApiErrorException(ApiError.Invalid($"“{name}” is nothing that speedup knows: scaling, memory, scorer, tau, samples, conversation.", at)),
    };

    private Treatment Checked(GatewayOptions options)
    {
        try
        {
            Options.Validate("speedup");
            Check.That(Options.Samples <= options.Limits.Samples, "speedup.samples", FormattableString.Invariant($"is above {options.Limits.Samples}"));
            return this;
        }
        catch (InvalidDataException e)
        {
            throw new ApiErrorException(ApiError.Invalid(e.Message, e.Message.Split(' ')[0]));
        }
    }
}
