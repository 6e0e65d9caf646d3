using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace SpeedupLlm.Transformer.Formats;

/// <summary>A named array of 32-bit floats.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Shape">Lengths of the axes, outermost first; no axes is a scalar.</param>
/// <param name="Values">Row-major.</param>
public sealed record Tensor(string Name, IReadOnlyList<int> Shape, ReadOnlyMemory<float> Values);

/// <summary>What a safetensors file holds.</summary>
/// <param name="Tensors">In the order of their data.</param>
/// <param name="Metadata">Text by key.</param>
public sealed record SafeTensorsContent(IReadOnlyList<Tensor> Tensors, IReadOnlyDictionary<string, string> Metadata);

/// <summary>The safetensors format: eight bytes of header length, a JSON header, the data. 32-bit floats only.</summary>
public static class SafeTensors
{
    private const int LargestHeader = 100_000_000; // the limit of the reference implementation

    /// <summary>Writes tensors in the order given; the same input gives the same bytes.</summary>
    public static void Write(Stream stream, IReadOnlyList<Tensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            foreach (var (key, value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
                json.WriteString(key, value);
            json.WriteEndObject();
            var offset = 0L;
            foreach (var tensor in tensors)
            {
                if (tensor.Shape.Aggregate(1L, (a, b) => a * b) != tensor.Values.Length)
                    throw new ArgumentException($"{tensor.Name} has not as many values as its shape says.", nameof(tensors));
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", "F32");
                json.WriteStartArray("shape");
                foreach (var length in tensor.Shape)
                    json.WriteNumberValue(length);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += 4L * tensor.Values.Length);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (header.Length % 8 != 0) // the data begin aligned
            header.WriteByte((byte)' ');
        Span<byte> length8 = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length8, header.Length);
        stream.Write(length8);
        header.WriteTo(stream);
        foreach (var tensor in tensors)
            stream.Write(MemoryMarshal.AsBytes(tensor.Values.Span));
    }

    /// <summary>Reads a whole file.</summary>
    /// <param name="content">The bytes.</param>
    /// <param name="source">Named in errors: a path, or what the bytes are.</param>
    /// <exception cref="InvalidDataException">Cut short, no header, another element type, shapes that do not fit the data. One line.</exception>
    public static SafeTensorsContent Read(ReadOnlySpan<byte> content, string source)
    {
        if (content.Length < 8)
            throw Bad(source, "it is cut short (no header)");
        var length = BinaryPrimitives.ReadInt64LittleEndian(content);
        if (length is < 2 or > LargestHeader)
            throw Bad(source, "it has no safetensors header");
        if (length > content.Length - 8)
            throw Bad(source, Invariant($"it is cut short (header of {length:n0} bytes, {content.Length - 8:n0} are there)"));
        var data = content[(8 + (int)length)..];
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var entries = new List<Entry>();
        try
        {
            ReadHeader(content.Slice(8, (int)length), metadata, entries);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw Bad(source, "its header is not readable: " + e.Message.ReplaceLineEndings(" "), e);
        }
        entries.Sort((a, b) => (a.From, a.To).CompareTo((b.From, b.To)));
        var expected = 0L;
        foreach (var entry in entries)
        {
            if (entry.Type != "F32")
                throw Bad(source, $"{entry.Name} is {entry.Type}, only F32 is read");
            if (entry.From != expected || entry.To < entry.From || entry.Shape.Any(n => n < 0) || 4 * Product(entry.Shape) != entry.To - entry.From)
                throw Bad(source, $"the shape and place of {entry.Name} do not fit");
            expected = entry.To;
        }
        if (expected > data.Length)
            throw Bad(source, Invariant($"it is cut short ({expected:n0} bytes of data are promised, {data.Length:n0} are there)"));
        if (expected < data.Length)
            throw Bad(source, Invariant($"{data.Length - expected:n0} bytes follow its last tensor"));
        var values = new float[expected / 4];
        data.CopyTo(MemoryMarshal.AsBytes(values.AsSpan()));
        return new([.. entries.Select(e => new Tensor(e.Name, e.Shape, values.AsMemory((int)(e.From / 4), (int)((e.To - e.From) / 4))))], metadata);
    }

    private static long Product(int[] shape) => shape.Aggregate(1L, (a, b) => a > int.MaxValue ? a : a * b);

    private static void ReadHeader(ReadOnlySpan<byte> json, Dictionary<string, string> metadata, List<Entry> entries)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var reader = new Utf8JsonReader(json);
        Expect(ref reader, JsonTokenType.StartObject);
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (!names.Add(name))
                throw new JsonException($"{name} is there twice.");
            Expect(ref reader, JsonTokenType.StartObject);
            if (name == "__metadata__")
            {
                while (Next(ref reader) == JsonTokenType.PropertyName)
                {
                    var key = reader.GetString()!;
                    Expect(ref reader, JsonTokenType.String);
                    metadata[key] = reader.GetString()!;
                }
                continue;
            }
            var entry = new Entry(name);
            while (Next(ref reader) == JsonTokenType.PropertyName)
            {
                var key = reader.GetString();
                Next(ref reader);
                if (key == "dtype")
                    entry.Type = reader.GetString() ?? "";
                else if (key == "shape")
                    entry.Shape = [.. Numbers(ref reader).Select(n => checked((int)n))];
                else if (key == "data_offsets")
                {
                    if (Numbers(ref reader) is not [var from, var to])
                        throw new JsonException($"{name} has no two offsets.");
                    (entry.From, entry.To) = (from, to);
                }
                else
                    throw new JsonException($"{name} has an unknown property {key}.");
            }
            if (entry.Type.Length == 0 || entry.From < 0)
                throw new JsonException($"{name} has no type or place.");
            entries.Add(entry);
        }
        if (reader.Read())
            throw new JsonException("Something follows the header.");
    }

    private static List<long> Numbers(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new JsonException("A list of numbers was expected.");
        var list = new List<long>();
        while (Next(ref reader) != JsonTokenType.EndArray)
            list.Add(reader.TryGetInt64(out var n) && n is >= 0 and <= int.MaxValue * 4L ? n : throw new JsonException("A number is out of range."));
        return list;
    }

    private static JsonTokenType Next(ref Utf8JsonReader reader) =>
        reader.Read() ? reader.TokenType : throw new JsonException("It ends early.");

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type)
    {
        if (Next(ref reader) != type)
            throw new JsonException($"{type} was expected.");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static InvalidDataException Bad(string source, string what, Exception? inner = null) => new($"{source}: {what}.", inner);

    private sealed class Entry(string name)
    {
        public string Name => name;
        public string Type { get; set; } = "";
        public int[] Shape { get; set; } = [];
        public long From { get; set; } = -1;
        public long To { get; set; } = -1;
    }
}
