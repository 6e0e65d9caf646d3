using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Tokenizer;

namespace SpeedupLlm.Transformer.Formats;

/// <summary>Where weights come from: what must match for them to be what they claim. Hashes or short names; empty when unknown.</summary>
/// <param name="Name">Such as <c>apprentice-1</c> or <c>novice</c>.</param>
/// <param name="Recipe">Hash of the training recipe.</param>
/// <param name="World">Hash of the worlds that wrote the training texts.</param>
/// <param name="Prompts">Fingerprint of the prompt set.</param>
public sealed record ModelOrigin(string Name, string Recipe, string World, string Prompts)
{
    /// <summary>Nothing is known.</summary>
    public static ModelOrigin Unknown { get; } = new("", "", "", "");
}

/// <summary>A model as it is kept: weights, what its token ids mean, where it comes from. safetensors with Hugging Face's Llama names.</summary>
public sealed record ModelFile(Weights Weights, PieceVocabulary Vocabulary, ModelOrigin Origin)
{
    internal const string ShapeKey = "speedup.shape";
    internal const string VocabularyKey = "speedup.vocabulary";

    /// <summary>32 hexadecimal digits over shape, weights and vocabulary: changes when answers may change.</summary>
    public string Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(Weights.Shape, ModelFileJson.Default.ModelShape));
        hash.AppendData(Encoding.UTF8.GetBytes(Vocabulary.ToJson()));
        hash.AppendData(MemoryMarshal.AsBytes(Weights.Values.AsSpan()));
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }

    /// <summary>Reads a model file.</summary>
    /// <exception cref="InvalidDataException">Cut short, of a wrong shape, no model: one line that names the file and what is wrong.</exception>
    /// <exception cref="IOException">Not there, or not readable.</exception>
    public static ModelFile Load(string path) => Read(File.ReadAllBytes(path), path);

    /// <summary>Reads a model from bytes.</summary>
    /// <param name="content">The whole file.</param>
    /// <param name="source">Named in errors.</param>
    /// <exception cref="InvalidDataException">As in <see cref="Load"/>.</exception>
    public static ModelFile Read(ReadOnlySpan<byte> content, string source)
    {
        var file = SafeTensors.Read(content, source);
        var weights = ReadWeights(file, source);
        PieceVocabulary vocabulary;
        try
        {
            vocabulary = PieceVocabulary.FromJson(file.Metadata.GetValueOrDefault(VocabularyKey) ?? throw new InvalidDataException("it has no vocabulary"));
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{source}: {e.Message}", e);
        }
        if (vocabulary.Count != weights.Shape.Vocabulary)
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                $"{source}: its vocabulary has {vocabulary.Count} tokens and its weights have {weights.Shape.Vocabulary}."));
        string Text(string key) => file.Metadata.GetValueOrDefault("speedup." + key, "");
        return new(weights, vocabulary, new(Text("name"), Text("recipe"), Text("world"), Text("prompts")));
    }

    /// <summary>Writes the file in one piece: it is there whole or not at all.</summary>
    public void Save(string path)
    {
        var unfinished = path + ".unfinished";
        using (var stream = new FileStream(unfinished, FileMode.Create, FileAccess.Write))
        {
            Write(stream);
            stream.Flush(flushToDisk: true);
        }
        File.Move(unfinished, path, overwrite: true);
    }

    /// <summary>Writes the model; the same model gives the same bytes.</summary>
    public void Write(Stream stream) => SafeTensors.Write(stream, TensorsOf(Weights), new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["format"] = "pt", // what readers of Hugging Face files ask for
        [ShapeKey] = JsonSerializer.Serialize(Weights.Shape, ModelFileJson.Default.ModelShape),
        [VocabularyKey] = Vocabulary.ToJson(),
        ["speedup.name"] = Origin.Name,
        ["speedup.recipe"] = Origin.Recipe,
        ["speedup.world"] = Origin.World,
        ["speedup.prompts"] = Origin.Prompts,
    });

    internal static IReadOnlyList<Tensor> TensorsOf(Weights weights) =>
        [.. weights.Tensors.Select(t => new Tensor(t.Name, ShapeOf(t), weights.Values.AsMemory(t.Offset, t.Length)))];

    internal static Weights ReadWeights(SafeTensorsContent file, string source)
    {
        if (!file.Metadata.TryGetValue(ShapeKey, out var json))
            throw new InvalidDataException($"{source}: it does not say its shape ({ShapeKey} is missing).");
        Weights weights;
        try
        {
            var shape = (JsonSerializer.Deserialize(json, ModelFileJson.Default.ModelShape) ?? throw new JsonException("null")).Validated();
            var there = file.Tensors.Sum(t => (long)t.Values.Length);
            if (shape.Parameters <= 0 || shape.Parameters > there) // before so much memory is taken
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                    $"{source}: its shape asks for {shape.Parameters:n0} numbers, {there:n0} are there."));
            weights = new(shape);
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new InvalidDataException($"{source}: its shape is not readable: {e.Message.ReplaceLineEndings(" ")}", e);
        }
        var byName = file.Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        foreach (var tensor in weights.Tensors)
        {
            if (!byName.Remove(tensor.Name, out var found))
                throw new InvalidDataException($"{source}: the tensor {tensor.Name} is missing.");
            if (!found.Shape.SequenceEqual(ShapeOf(tensor)))
                throw new InvalidDataException($"{source}: {tensor.Name} has the shape ({Show(found.Shape)}) instead of ({Show(ShapeOf(tensor))}).");
            found.Values.Span.CopyTo(weights.Span(tensor));
        }
        if (byName.Count > 0)
            throw new InvalidDataException($"{source}: it has a tensor that the model does not know: {byName.Keys.Order(StringComparer.Ordinal).First()}.");
        if (!AreFinite(weights.Values))
            throw new InvalidDataException($"{source}: it has weights that are not finite.");
        return weights;
    }

    // optimised at once: it runs over a million numbers while a process starts
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static bool AreFinite(ReadOnlySpan<float> values)
    {
        var worst = 0; // the exponent of what is not finite has all bits set
        foreach (var bits in MemoryMarshal.Cast<float, int>(values))
            worst = Math.Max(worst, bits & 0x7F80_0000);
        return worst < 0x7F80_0000;
    }

    private static int[] ShapeOf(WeightTensor tensor) => tensor.IsMatrix ? [tensor.Rows, tensor.Columns] : [tensor.Columns];

    private static string Show(IReadOnlyList<int> shape) => string.Join(", ", shape.Select(n => n.ToString(CultureInfo.InvariantCulture)));
}

[JsonSerializable(typeof(ModelShape))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, IgnoreReadOnlyProperties = true)]
internal sealed partial class ModelFileJson : JsonSerializerContext;
