using SpeedupLlm.Compute;
using SpeedupLlm.Transformer.Model;

namespace SpeedupLlm.Transformer.Tests.Model;

public sealed class WeightsTests
{
    [Fact]
    public void Layout_DefaultShape_HuggingFaceNamesWithoutGaps()
    {
        var weights = new Weights(new(512));

        var at = 0;
        foreach (var tensor in weights.Tensors)
        {
            Assert.Equal(at, tensor.Offset);
            at += tensor.Length;
        }

        Assert.Equal(at, weights.Values.Length);
        Assert.Equal(869_504, at);
        Assert.Equal(2 + 9 * 4, weights.Tensors.Count);
        Assert.Equal((352, 128), (weights.Tensor("model.layers.3.mlp.up_proj.weight").Rows, weights.Tensor("model.layers.3.mlp.up_proj.weight").Columns));
        Assert.Equal((128, 352), (weights.Tensor("model.layers.0.mlp.down_proj.weight").Rows, weights.Tensor("model.layers.0.mlp.down_proj.weight").Columns));
        Assert.Equal(weights.Tensor("model.layers.1.self_attn.q_proj.weight").Offset + 128 * 128, weights.Tensor("model.layers.1.self_attn.k_proj.weight").Offset);
    }

    [Fact]
    public void Indexer_UnknownName_NamesIt()
    {
        var e = Assert.Throws<KeyNotFoundException>(() => new Weights(new(64))["lm_head.weight"].Length);

        Assert.Contains("lm_head.weight", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Initial_SameStream_SameBitsAndTheDeviationsOfThePaper()
    {
        var shape = new ModelShape(512);
        var weights = Weights.Initial(shape, StreamKey.Root(1));

        Assert.True(weights.Values.AsSpan().SequenceEqual(Weights.Initial(shape, StreamKey.Root(1)).Values));
        Assert.False(weights.Values.AsSpan().SequenceEqual(Weights.Initial(shape, StreamKey.Root(2)).Values));
        Assert.Equal(0.02, Deviation(weights["model.embed_tokens.weight"]), 2e-4);
        Assert.Equal(0.02, Deviation(weights["model.layers.2.mlp.gate_proj.weight"]), 2e-4);
        Assert.Equal(0.02 / Math.Sqrt(8), Deviation(weights["model.layers.2.mlp.down_proj.weight"]), 1e-4);
        Assert.Equal(0.02 / Math.Sqrt(8), Deviation(weights["model.layers.2.self_attn.o_proj.weight"]), 1e-4);
        Assert.All(weights["model.norm.weight"].ToArray(), v => Assert.Equal(1, v));
    }

    public static TheoryData<ModelShape, string> BadShapes() => new()
    {
        { new(1), "vocabulary of 1" },
        { new(8) { Width = 100 }, "width of 100" },
        { new(8) { Heads = 8 }, "8 heads" },
        { new(8) { Heads = 3 }, "3 heads" },
        { new(8) { Hidden = 350 }, "hidden width of 350" },
        { new(8) { Layers = 0 }, "0 layers" },
        { new(8) { Context = 0 }, "context of 0" },
        { new(8) { RopeBase = float.NaN }, "rotary base" },
        { new(8) { NormEpsilon = 0 }, "norm epsilon" },
        { new(int.MaxValue), "parameters" },
    };

    [Theory]
    [MemberData(nameof(BadShapes))]
    public void Constructor_BadShape_SaysWhatIsWrong(ModelShape shape, string said)
    {
        var e = Assert.Throws<ArgumentException>(() => new Weights(shape));

        Assert.Contains(said, e.Message, StringComparison.Ordinal);
    }

    private static double Deviation(ReadOnlySpan<float> values) => Math.Sqrt(values.ToArray().Average(v => (double)v * v));
}
