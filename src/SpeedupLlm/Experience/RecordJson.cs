using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SpeedupLlm.Experience;

/// <summary>The persisted form of records, in every store and file: JSON with the format version inside.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    IgnoreReadOnlyProperties = true,
    UseStringEnumConverter = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(FloatsJsonConverter)])]
[JsonSerializable(typeof(Episode))]
[JsonSerializable(typeof(MemoryDocument))]
[JsonSerializable(typeof(ExperienceLine))]
internal sealed partial class RecordJson : JsonSerializerContext
{
    /// <summary>An episode as it is written.</summary>
    public static byte[] Write(Episode episode) => JsonSerializer.SerializeToUtf8Bytes(episode, Default.Episode);

    /// <summary>A document as it is written.</summary>
    public static byte[] Write(MemoryDocument document) => JsonSerializer.SerializeToUtf8Bytes(document, Default.MemoryDocument);

    /// <summary>Reads an episode.</summary>
    /// <exception cref="JsonException">It is none, or of a newer format.</exception>
    public static Episode ReadEpisode(ReadOnlySpan<byte> json)
    {
        var episode = JsonSerializer.Deserialize(json, Default.Episode) ?? throw new JsonException("no episode");
        CheckFormat(episode.FormatVersion);
        return episode;
    }

    /// <summary>Reads a document.</summary>
    /// <exception cref="JsonException">It is none, or of a newer format.</exception>
    public static MemoryDocument ReadDocument(ReadOnlySpan<byte> json)
    {
        var document = JsonSerializer.Deserialize(json, Default.MemoryDocument) ?? throw new JsonException("no document");
        CheckFormat(document.FormatVersion);
        return document;
    }

    /// <summary>Refuses what a newer program wrote.</summary>
    public static void CheckFormat(int version)
    {
        if (version is < 1 or > Experience.Episode.CurrentFormat)
            throw new JsonException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"format {version} is not known"));
    }
}

/// <summary>Vectors as base64 of little-endian floats: short, and the same bits come back.</summary>
internal sealed class FloatsJsonConverter : JsonConverter<ReadOnlyMemory<float>>
{
    public override ReadOnlyMemory<float> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var bytes = reader.TryGetBytesFromBase64(out var read) ? read : throw new JsonException("a vector is base64");
        return FloatBytes.Read(bytes) ?? throw new JsonException("a vector is whole floats");
    }

    public override void Write(Utf8JsonWriter writer, ReadOnlyMemory<float> value, JsonSerializerOptions options) =>
        writer.WriteBase64StringValue(FloatBytes.Write(value.Span));
}

/// <summary>Vectors as little-endian bytes.</summary>
internal static class FloatBytes
{
    /// <summary>4 bytes a float.</summary>
    public static byte[] Write(ReadOnlySpan<float> vector)
    {
        if (BitConverter.IsLittleEndian)
            return MemoryMarshal.AsBytes(vector).ToArray();
        var bytes = new byte[4 * vector.Length];
        for (var i = 0; i < vector.Length; i++)
            System.Buffers.Binary.BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(4 * i), vector[i]);
        return bytes;
    }

    /// <summary>The vector, or null if a float is cut.</summary>
    public static float[]? Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length % 4 != 0)
            return null;
        var vector = new float[bytes.Length / 4];
        for (var i = 0; i < vector.Length; i++)
            vector[i] = System.Buffers.Binary.BinaryPrimitives.ReadSingleLittleEndian(bytes[(4 * i)..]);
        return vector;
    }
}
