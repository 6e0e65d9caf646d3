using System.Text.Json;
using Microsoft.Extensions.AI;

namespace SpeedupLlm.Benchmark.Data;

/// <summary>How a program is asked for and read: a JSON object with one text, so that nobody has to guess where the program begins and ends.</summary>
internal static class ProgramAnswer
{
    private const string Field = "program";

    private static readonly ChatResponseFormat Format = ChatResponseFormat.ForJsonSchema(
        JsonElement.Parse($$$"""{"type":"object","properties":{"{{{Field}}}":{"type":"string","description":"a Python 3 program"}},"required":["{{{Field}}}"],"additionalProperties":false}"""),
        Field);

    /// <summary>The question as it is asked of the model.</summary>
    public static Question Ask(Question question) => question with { Options = new() { ResponseFormat = Format } };

    /// <summary>The program in a final answer, or null.</summary>
    public static string? Read(string? final)
    {
        if (final is null)
            return null;
        try
        {
            using var json = JsonDocument.Parse(final);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(Field, out var program) && program.ValueKind == JsonValueKind.String
                ? program.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
