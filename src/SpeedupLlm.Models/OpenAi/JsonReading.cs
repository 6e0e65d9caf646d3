using System.Globalization;
using System.Text;
using System.Text.Json;

namespace SpeedupLlm.Models;

/// <summary>Reads what other people's servers call JSON: a missing, null or oddly typed field is absent, never an exception.</summary>
internal static class JsonReading
{
    extension(JsonElement element)
    {
        public JsonElement? Get(string name) =>
            element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value : null;

        public string? Text(string name) => element.Get(name) is { ValueKind: JsonValueKind.String } value ? value.Characters() : null;

        public long? Count(string name) =>
            element.Get(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetDouble(out var number) && number is >= 0 and < 1e15 ? (long)number : null;

        public double? Number(string name) =>
            element.Get(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetDouble(out var number) && double.IsFinite(number) ? number : null;

        public IEnumerable<JsonElement> Items(string name) =>
            element.Get(name) is { ValueKind: JsonValueKind.Array } value ? value.EnumerateArray() : [];

        /// <summary>A string's UTF-16 code units as they are: half of an escaped surrogate pair stays half, where <see cref="JsonElement.GetString"/> throws.</summary>
        public string Characters()
        {
            var raw = element.GetRawText();
            if (!raw.Contains("\\u", StringComparison.Ordinal))
                return element.GetString()!;
            var text = new StringBuilder(raw.Length);
            for (var i = 1; i < raw.Length - 1; i++)
            {
                if (raw[i] != '\\')
                {
                    text.Append(raw[i]);
                    continue;
                }
                i++;
                text.Append(raw[i] switch { 'b' => '\b', 'f' => '\f', 'n' => '\n', 'r' => '\r', 't' => '\t', 'u' => Unit(raw.AsSpan(i + 1, 4)), var c => c });
                if (raw[i] == 'u')
                    i += 4;
            }
            return text.ToString();
        }
    }

    private static char Unit(ReadOnlySpan<char> hexadecimal) => (char)ushort.Parse(hexadecimal, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}

/// <summary>Joins pieces of a text so that none ends in half a surrogate pair (case 16): an emoji may be cut in two between chunks. One text each; not thread-safe.</summary>
internal sealed class SurrogateJoiner
{
    private char _held;

    /// <summary>What of the text so far can be shown.</summary>
    public string Push(string piece)
    {
        if (_held != 0)
            piece = _held + piece;
        _held = '\0';
        if (piece.Length > 0 && char.IsHighSurrogate(piece[^1]))
        {
            _held = piece[^1];
            piece = piece[..^1];
        }
        return Whole(piece);
    }

    /// <summary>What is left at the end: a half that never met its other half is a replacement character.</summary>
    public string End()
    {
        var rest = _held == 0 ? "" : "\uFFFD";
        _held = '\0';
        return rest;
    }

    /// <summary><paramref name="text"/> with lonely halves replaced, so that it can be written as UTF-8.</summary>
    public static string Whole(string text)
    {
        StringBuilder? copy = null;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                i++;
            else if (char.IsSurrogate(text[i]))
                (copy ??= new StringBuilder(text))[i] = '\uFFFD';
        }
        return copy?.ToString() ?? text;
    }
}
