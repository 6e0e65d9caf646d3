using System.Text.RegularExpressions;
using NJsonSchema;

namespace SpeedupLlm.Benchmark.Tests.Results;

/// <summary>The JSON Schemas of the result files.</summary>
internal static partial class Schemas
{
    public static async Task AssertValidAsync(string name, string json)
    {
        var schema = await JsonSchema.FromJsonAsync(Resources.Read($"{name}.schema.json"));
        var errors = schema.Validate(json);
        Assert.True(errors.Count == 0, $"{name}: {string.Join("; ", errors.Take(5).Select(e => e.ToString()))} in {json[..Math.Min(json.Length, 400)]}");
    }

    /// <summary>Everything that depends on the clock is inside an object named <c>time</c>: taken out, equal runs are equal.</summary>
    public static string WithoutTime(string json) => Page().Replace(Time().Replace(json, "\"time\":{}"), "");

    [GeneratedRegex("<!-- time -->.*?<!-- /time -->", RegexOptions.Singleline)]
    private static partial Regex Page();

    [GeneratedRegex("\"time\":\\s*\\{[^{}]*\\}")]
    private static partial Regex Time();
}
