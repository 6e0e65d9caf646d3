using System.Text.Json;
using SpeedupLlm.Transformer.Formats;
using SpeedupLlm.Transformer.Model;

namespace SpeedupLlm.Transformer.Tests.Formats;

public sealed class ModelFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("speedup").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static byte[] Bytes(ModelFile model)
    {
        var stream = new MemoryStream();
        model.Write(stream);
        return stream.ToArray();
    }

    /// <summary>The file with other tensors or metadata.</summary>
    private static byte[] Changed(Func<Tensor, Tensor?> tensor, Action<Dictionary<string, string>>? metadata = null, params Tensor[] more)
    {
        var content = SafeTensors.Read(Bytes(TestModels.File(1)), "x");
        var texts = new Dictionary<string, string>(content.Metadata, StringComparer.Ordinal);
        metadata?.Invoke(texts);
        var stream = new MemoryStream();
        SafeTensors.Write(stream, [.. content.Tensors.Select(tensor).OfType<Tensor>(), .. more], texts);
        return stream.ToArray();
    }

    [Fact]
    public void Load_OfSave_IsTheSameModel()
    {
        var path = Path.Combine(_folder, "model.safetensors");
        var model = TestModels.File(1);
        model.Save(path);
        model.Save(path); // over itself
        var loaded = ModelFile.Load(path);
        Assert.Equal(model.Weights.Values, loaded.Weights.Values);
        Assert.Equal(model.Weights.Shape, loaded.Weights.Shape);
        Assert.Equal(model.Vocabulary, loaded.Vocabulary);
        Assert.Equal(model.Origin, loaded.Origin);
        Assert.Equal(model.Fingerprint(), loaded.Fingerprint());
        Assert.Equal([path], Directory.GetFiles(_folder));
        Assert.Equal(Bytes(model), File.ReadAllBytes(path));
    }

    [Fact]
    public void Fingerprint_ChangesWithWeightsShapeAndVocabulary()
    {
        var model = TestModels.File(1);
        var other = model.Weights.Clone();
        other.Values[^1] += 1;
        string[] all =
        [
            model.Fingerprint(), (model with { Weights = other }).Fingerprint(),
            (model with { Vocabulary = new(model.Vocabulary.Specials, [.. model.Vocabulary.Pieces.SkipLast(1), "zzz"]) }).Fingerprint(),
            (model with { Weights = TestModels.Weights(1, TestModels.Shape with { RopeBase = 5000 }) }).Fingerprint(),
        ];
        Assert.Equal(4, all.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(all[0], (model with { Origin = ModelOrigin.Unknown }).Fingerprint());
    }

    [Fact]
    public void Load_MissingFile_Throws() => Assert.ThrowsAny<IOException>(() => ModelFile.Load(Path.Combine(_folder, "none")));

    public static TheoryData<string, string> Broken => new()
    {
        { "cut", "it is cut short" },
        { "shape missing", "it does not say its shape" },
        { "shape unreadable", "its shape is not readable" },
        { "shape invalid", "its shape is not readable" },
        { "shape huge", "its shape asks for" },
        { "shape beyond numbers", "its shape" },
        { "tensor of another shape", "model.norm.weight has the shape (2, 32) instead of (64)" },
        { "tensor missing", "the tensor model.norm.weight is missing" },
        { "tensor unknown", "it has a tensor that the model does not know: lm_head.weight" },
        { "not finite", "it has weights that are not finite" },
        { "vocabulary missing", "it has no vocabulary" },
        { "vocabulary unreadable", "The vocabulary is not readable" },
        { "vocabulary of another size", "its vocabulary has 258 tokens" },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void Load_Broken_SaysWhatIsWrongInOneLine(string how, string expected)
    {
        static Tensor? Norm(Tensor t, Func<Tensor, Tensor?> change) => t.Name == "model.norm.weight" ? change(t) : t;
        static Action<Dictionary<string, string>> Shape(ModelShape shape) => m =>
            m["speedup.shape"] = JsonSerializer.Serialize(shape, ModelFileJson.Default.ModelShape);
        var filler = new Tensor("lm_head.weight", [64], new float[64]);
        var bytes = how switch
        {
            "cut" => Bytes(TestModels.File(1))[..^5],
            "shape missing" => Changed(t => t, m => m.Remove("speedup.shape")),
            "shape unreadable" => Changed(t => t, m => m["speedup.shape"] = "{"),
            "shape invalid" => Changed(t => t, Shape(TestModels.Shape with { Heads = 3 })),
            "shape huge" => Changed(t => t, Shape(TestModels.Shape with { Layers = 4000 })),
            "shape beyond numbers" => Changed(t => t, Shape(TestModels.Shape with { Width = int.MaxValue / 32 * 32, Heads = 1, Layers = int.MaxValue })),
            "tensor of another shape" => Changed(t => Norm(t, n => n with { Shape = [2, 32] })),
            "tensor missing" => Changed(t => Norm(t, _ => null), more: filler),
            "tensor unknown" => Changed(t => t, more: filler),
            "not finite" => Changed(t => Norm(t, n => n with { Values = Enumerable.Repeat(float.NaN, 64).ToArray() })),
            "vocabulary missing" => Changed(t => t, m => m.Remove("speedup.vocabulary")),
            "vocabulary unreadable" => Changed(t => t, m => m["speedup.vocabulary"] = "[]"),
            _ => Changed(t => t, m => m["speedup.vocabulary"] = new Transformer.Tokenizer.PieceVocabulary(["a", "b"], []).ToJson()),
        };
        var path = Path.Combine(_folder, "bad.safetensors");
        File.WriteAllBytes(path, bytes);
        var error = Assert.Throws<InvalidDataException>(() => ModelFile.Load(path));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.StartsWith(path + ": ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
