using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace SpeedupLlm.Gateway.Configuration;

/// <summary>Reads the gateway's configuration from YAML or JSON, which is YAML too. Its schema is <c>docs/gateway.schema.json</c>.</summary>
public static class ConfigurationFile
{
    // by reflection: generated code sets every init property that the file leaves out to zero, and defaults would be lost
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    /// <summary>Reads and checks a file.</summary>
    /// <exception cref="InvalidDataException">It is not valid; the message says where.</exception>
    public static GatewayOptions Read(string file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var name = Path.GetFileName(file);
        try
        {
            var options = Parse(File.ReadAllText(file));
            options.Validate();
            return options;
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{name}: {e.Message}", e);
        }
    }

    /// <summary>Reads a text; ranges are not checked yet.</summary>
    /// <exception cref="InvalidDataException">It is not valid.</exception>
    public static GatewayOptions Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        try
        {
            var yaml = new YamlStream();
            yaml.Load(new StringReader(text));
            return yaml.Documents.Count == 0 ? new() : ToJson(yaml.Documents[0].RootNode).Deserialize<GatewayOptions>(Json) ?? new();
        }
        catch (YamlException e)
        {
            throw new InvalidDataException(FormattableString.Invariant($"line {e.Start.Line}: {e.InnerException?.Message ?? e.Message}"), e);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException(Explain(e), e);
        }
    }

    /// <summary>The serializer speaks of types and members; whoever writes the file knows places only.</summary>
    private static string Explain(JsonException e)
    {
        var at = e.Path is { Length: > 2 } path ? path[2..] : "the file";
        if (e.Message.Contains("could not be mapped", StringComparison.Ordinal))
            return $"{at} is unknown: {e.Message.Split('\'')[1]} is no setting.";
        if (e.Message.Contains("could not be converted", StringComparison.Ordinal) || e.Message.Contains("null", StringComparison.Ordinal))
            return $"{at} has a value that is not allowed there.";
        var missing = e.Message.Split("including: ");
        return missing.Length == 2 ? $"{at} lacks {missing[1].Split(" Path:")[0].TrimEnd('.')}." : $"{at}: {e.Message.Split(" Path:")[0]}";
    }

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMappingNode mapping => new JsonObject(mapping.Children.Select(c => KeyValuePair.Create(NameOf(c.Key), ToJson(c.Value)))),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(ToJson)]),
        YamlScalarNode scalar => ToJson(scalar),
        _ => throw new InvalidDataException(FormattableString.Invariant($"line {node.Start.Line}: an alias to something that is not there")),
    };

    private static string NameOf(YamlNode key) =>
        key is YamlScalarNode { Value: { } name } ? name : throw new InvalidDataException(FormattableString.Invariant($"line {key.Start.Line}: a name that is no text"));

    /// <summary>What is not quoted is a number, a truth or nothing if it looks like one (YAML's core schema).</summary>
    private static JsonNode? ToJson(YamlScalarNode scalar)
    {
        var text = scalar.Value ?? "";
        if (scalar.Style != ScalarStyle.Plain)
            return text;
        if (text is "" or "~" or "null")
            return null;
        if (bool.TryParse(text, out var flag))
            return flag;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
            return whole;
        return decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : text;
    }
}
