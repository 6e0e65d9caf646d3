using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace SpeedupLlm.Benchmark.Data;

/// <summary>Reads files of one JSON object a line; what is wrong is named by file, line and field.</summary>
internal sealed class JsonLines
{
    private readonly string _file;

    private JsonLines(string file, string fingerprint, IReadOnlyList<JsonLine> lines)
    {
        _file = file;
        Fingerprint = fingerprint;
        Lines = lines;
    }

    /// <summary>Changes with the content.</summary>
    public string Fingerprint { get; }

    public IReadOnlyList<JsonLine> Lines { get; }

    /// <exception cref="InvalidDataException">The file is empty, not UTF-8, or a line is not an object.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static JsonLines Read(string file)
    {
        var bytes = File.ReadAllBytes(file);
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException)
        {
            throw new InvalidDataException($"{file}: not UTF-8 text.");
        }

        var lines = new List<JsonLine>();
        foreach (var (index, line) in text.Split('\n').Index())
        {
            if (string.IsNullOrWhiteSpace(line))
                continue;
            try
            {
                using var document = JsonDocument.Parse(line);
                if (document.RootElement.ValueKind != JsonValueKind.Object)
                    throw Bad(file, index + 1, "not a JSON object");
                lines.Add(new(file, index + 1, document.RootElement.Clone()));
            }
            catch (JsonException)
            {
                throw Bad(file, index + 1, "not a JSON object");
            }
        }

        return lines.Count > 0
            ? new(file, Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 8)), lines)
            : throw new InvalidDataException($"{file}: no questions.");
    }

    /// <summary>An error that names the file.</summary>
    public InvalidDataException Bad(string what) => new($"{_file}: {what}");

    internal static InvalidDataException Bad(string file, int line, string what) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{file} line {line}: {what}."));
}

/// <summary>One line.</summary>
internal sealed record JsonLine(string File, int Number, JsonElement Object)
{
    /// <summary>A required text or number.</summary>
    public string Text(string field) => Optional(field) is { Length: > 0 } text
        ? text
        : throw JsonLines.Bad(File, Number, $"the field {field} is missing or empty");

    /// <summary>Whether a field is there.</summary>
    public bool Has(string field) => Object.TryGetProperty(field, out _);

    /// <summary>An error that names file and line.</summary>
    public InvalidDataException Bad(string what) => JsonLines.Bad(File, Number, what);

    /// <summary>A text or number, or null if it is not there.</summary>
    public string? Optional(string field) => !Object.TryGetProperty(field, out var value) ? null : value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.Null => null,
        _ => throw JsonLines.Bad(File, Number, $"the field {field} is not a text"),
    };
}
