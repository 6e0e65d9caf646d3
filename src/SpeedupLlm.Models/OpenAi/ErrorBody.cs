using System.Text.Json;
using System.Text.RegularExpressions;

namespace SpeedupLlm.Models;

/// <summary>What an error answer says, from any of the shapes in use: OpenAI's, FastAPI's <c>detail</c>, a bare message, a web page.</summary>
internal sealed partial record ErrorBody(string Message, string? Parameter, string? Code, string? Type)
{
    private const int Longest = 4000;

    public static ErrorBody Read(ReadOnlySpan<byte> body)
    {
        var text = System.Text.Encoding.UTF8.GetString(body);
        try
        {
            using var document = JsonDocument.Parse(text);
            return Read(document.RootElement) ?? new(Line(text), null, null, null);
        }
        catch (JsonException)
        {
            // a web page may be long; what it has to say stands at its beginning
            return new(Line(Tag().Replace(text[..Math.Min(text.Length, Longest)], " ")), null, null, null);
        }
    }

    /// <summary>The error in a parsed answer, or null if there is none.</summary>
    public static ErrorBody? Read(JsonElement root)
    {
        if (root.ValueKind == JsonValueKind.Array && root.GetArrayLength() == 1)
            root = root[0];
        if (root.Get("error") is { } error)
        {
            return error.ValueKind == JsonValueKind.Object
                ? new(Line(error.Text("message") ?? error.GetRawText()), error.Text("param"),
                    error.Text("code") ?? error.Count("code")?.ToString(System.Globalization.CultureInfo.InvariantCulture), error.Text("type"))
                : new(Line(error.ValueKind == JsonValueKind.String ? error.Characters() : error.GetRawText()), null, null, null);
        }
        if (root.Text("message") is { } message && root.Get("choices") is null)
            return new(Line(message), root.Text("param"), root.Text("code"), root.Text("type"));
        return root.Get("detail") is { } detail && root.Get("choices") is null
            ? new(Line(detail.ValueKind == JsonValueKind.String ? detail.Characters() : detail.GetRawText()), null, null, null)
            : null;
    }

    /// <summary>One line of at most 300 characters.</summary>
    public static string Line(string text)
    {
        text = SurrogateJoiner.Whole(Space().Replace(text[..Math.Min(text.Length, Longest)], " ").Trim());
        return text.Length <= 300 ? text : SurrogateJoiner.Whole(text[..299]) + "…";
    }

    [GeneratedRegex(@"(?is)<(script|style)\b.*?</\1\s*>|<[^>]*>", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Tag();

    [GeneratedRegex(@"[\s\p{Cc}]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Space();
}
