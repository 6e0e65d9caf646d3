using System.Globalization;
using System.Text.Json;

namespace SpeedupLlm.Cli.Tests;

/// <summary>Small answer sets of our own.</summary>
internal static class Recorded
{
    /// <summary>Questions with six answers each, of which question i has i % 4 + 2 right ones.</summary>
    public static string Write(Folder folder, int questions)
    {
        var lines = Enumerable.Range(0, questions).Select(i => JsonSerializer.Serialize(new
        {
            question = string.Create(CultureInfo.InvariantCulture, $"What is {i} plus {i + 1}?"),
            answer = (2 * i + 1).ToString(CultureInfo.InvariantCulture),
            candidates = Enumerable.Range(0, 6).Select(c => new { text = string.Create(CultureInfo.InvariantCulture, $"The answer is {(c < i % 4 + 2 ? 2 * i + 1 : 100 + c)}.") }),
        }));
        return folder.Write("answers.jsonl", [.. lines]);
    }
}
