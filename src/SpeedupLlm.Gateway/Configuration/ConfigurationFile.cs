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
            var at = e.Path is { Length: > 2 } path ? path[2..] + ": " : "";
            throw new InvalidDataException(at + e.Message.Split(" Path:")[0].Split(" LineNumber:")[0], e);
        }
    }

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMappingNode mapping => new JsonObject(mapping.Children.Select(c => KeyValuePair.Create(((YamlScalarNode)c.Key).Value!, ToJson(c.Value)))),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(ToJson)]),
        YamlScalarNode scalar => ToJson(scalar),
        _ => throw new InvalidDataException(FormattableString.Invariant($"line {node.Start.Line}: an alias to something that is not there")),
    };

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
