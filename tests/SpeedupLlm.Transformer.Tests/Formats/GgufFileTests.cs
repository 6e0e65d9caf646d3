using SpeedupLlm.Compute;
using SpeedupLlm.Transformer.Formats;
using SpeedupLlm.Transformer.Model.Kernels;
using SpeedupLlm.Transformer.Tests.Decoding;
using SpeedupLlm.Transformer.Tokenizer;

namespace SpeedupLlm.Transformer.Tests.Formats;

public sealed class GgufFileTests
{
    private static LlamaCpp Open(ModelFile model)
    {
        var path = Path.GetTempFileName();
        try
        {
            using (var stream = File.Create(path))
                GgufFile.Write(stream, model.Weights, model.Vocabulary, "test");
            return new(path, 512);
        }
        finally
        {
            File.Delete(path); // llama.cpp has it mapped
        }
    }

    [Fact]
    public void Write_LoadedByLlamaCpp_GivesTheSameLogits()
    {
        var model = TestModels.File(6);
        var random = new StreamRandom(StreamKey.Root(6));
        int[] tokens = [.. Enumerable.Range(0, 120).Select(_ => random.Next(model.Vocabulary.Count))];
        using var llama = Open(model);
        var theirs = llama.Logits(tokens);
        Assert.Equal(model.Vocabulary.Count, llama.Count);
        var weights = new Transformer.Decoding.DecoderWeights(model.Weights);
        foreach (var length in new[] { 1, 2, 31, 64, 120 })
        {
            var ours = ForwardPassTests.Last<Lanes512>(weights, tokens[..length], 16);
            Assert.True(ours.Max() - ours.Min() > 1, "a flat distribution would show nothing");
            // 32-bit floats in another order of summation: a thousandth of the logits' range
            Assert.All(ours.Zip(theirs[length - 1]), pair => Assert.Equal(pair.First, pair.Second, 1e-3 * (ours.Max() - ours.Min())));
        }
    }

    [Theory]
    [InlineData("Orpi charges 77 bills.")]
    [InlineData("a\\n b\n\n税 é😀 <x>")]
    [InlineData("\nOr\\\\pi\t\u0001")]
    [InlineData("  7   7")]
    public void Write_Tokenizer_GivesTheSameIdsInLlamaCpp(string text)
    {
        var model = TestModels.File(6);
        var tokenizer = new PieceTokenizer(model.Vocabulary);
        using var llama = Open(model);
        var ours = tokenizer.Encode(text);
        Assert.Equal(ours, llama.Tokenize(text.StartsWith('\n') ? text : " " + text, parseSpecial: false));
        Assert.All(ours, id => Assert.Equal(tokenizer.Bytes(id).ToArray(), llama.Piece(id)));
        Assert.Equal([tokenizer.Special("<question>"), .. ours, tokenizer.Special("<guess>")],
            llama.Tokenize("<question>" + (text.StartsWith('\n') ? text : " " + text) + "<guess>", parseSpecial: true));
    }

    [Fact]
    public void Write_OtherVocabulary_Throws() => Assert.Throws<ArgumentException>(() =>
        GgufFile.Write(Stream.Null, TestModels.Weights(1), new(["<end>"], []), "x"));
}
