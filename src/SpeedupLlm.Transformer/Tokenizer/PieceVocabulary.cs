using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SpeedupLlm.Transformer.Tokenizer;

/// <summary>
/// What a <see cref="PieceTokenizer"/> can say: special tokens, then the 256 bytes, then pieces of text, in this order of ids.
/// It travels as JSON in the metadata of the weights, since ids mean nothing without it.
/// </summary>
public sealed record PieceVocabulary
{
    /// <summary>Checks and keeps both lists.</summary>
    /// <exception cref="ArgumentException">A piece or special is empty, twice there, or no valid UTF-16.</exception>
    [JsonConstructor]
    public PieceVocabulary(IReadOnlyList<string> specials, IReadOnlyList<string> pieces)
    {
        Check(specials, nameof(specials));
        Check(pieces, nameof(pieces));
        Specials = [.. specials];
        Pieces = [.. pieces];
    }

    /// <summary>Textual forms of the special tokens, such as <c>&lt;question&gt;</c>; ids 0 … n-1.</summary>
    public IReadOnlyList<string> Specials { get; }

    /// <summary>Pieces of text; a word that follows a space carries it in front (<c>" Or"</c>, <c>"pi"</c>).</summary>
    public IReadOnlyList<string> Pieces { get; }

    /// <summary>Number of ids.</summary>
    [JsonIgnore]
    public int Count => Specials.Count + 256 + Pieces.Count;

    /// <summary>The vocabulary as one line of JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, PieceVocabularyJson.Default.PieceVocabulary);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is no vocabulary.</exception>
    public static PieceVocabulary FromJson(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, PieceVocabularyJson.Default.PieceVocabulary)
                ?? throw new InvalidDataException("The vocabulary is null.");
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new InvalidDataException($"The vocabulary is not readable: {e.Message}", e);
        }
    }

    /// <summary>Equal when both lists are.</summary>
    public bool Equals(PieceVocabulary? other) =>
        other is not null && Specials.SequenceEqual(other.Specials, StringComparer.Ordinal) && Pieces.SequenceEqual(other.Pieces, StringComparer.Ordinal);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Specials.Count, Pieces.Count);

    private static void Check(IReadOnlyList<string> list, string name)
    {
        ArgumentNullException.ThrowIfNull(list, name);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var text in list)
        {
            if (string.IsNullOrEmpty(text))
                throw new ArgumentException("A token is empty.", name);
            if (!seen.Add(text))
                throw new ArgumentException($"The token '{text}' is there twice.", name);
            if (!IsWellFormed(text))
                throw new ArgumentException("A token has a lone surrogate.", name);
        }
    }

    private static bool IsWellFormed(string text)
    {
        for (var i = 0; i < text.Length;)
        {
            if (Rune.DecodeFromUtf16(text.AsSpan(i), out _, out var used) != OperationStatus.Done)
                return false;
            i += used;
        }
        return true;
    }
}

[JsonSerializable(typeof(PieceVocabulary))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class PieceVocabularyJson : JsonSerializerContext;
