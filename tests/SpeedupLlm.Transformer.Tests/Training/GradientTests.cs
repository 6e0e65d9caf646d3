using SpeedupLlm.Compute;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Model.Kernels;
using SpeedupLlm.Transformer.Training;

namespace SpeedupLlm.Transformer.Tests.Training;

public sealed unsafe class GradientTests
{
    // 2, more than one block of 32 keys, an odd one
    private static readonly TrainingExample[] Texts = [Small.Text(2, 1), Small.Text(45, 2), Small.Text(9, 3)];

    public static TheoryData<string> TensorNames() => [.. new Weights(Small.Shape).Tensors.Select(t => t.Name)];

    [Fact]
    public void Forward_SeveralTexts_LossOfTheReference()
    {
        var weights = Small.Weights();
        var reference = new ReferenceDecoder(weights);

        var losses = Run(weights, Texts, out _);

        Assert.Equal(Texts.Sum(reference.Loss), losses.Weighted, 1e-4 * losses.Weighted);
        Assert.Equal(Texts.Sum(t => t.Weights.Sum(w => (double)w)), losses.Weight, 1e-6);
        Assert.Equal(Texts.Sum(t => t.Weights.Count(w => w == 1)), losses.FullTokens);
    }

    [Theory]
    [MemberData(nameof(TensorNames))]
    public void Backward_EachTensor_CentralDifferencesOfTheReference(string name)
    {
        var weights = Small.Weights();
        Run(weights, Texts, out var gradient);
        var reference = new ReferenceDecoder(weights);
        var total = Texts.Sum(t => t.Weights.Sum(w => (double)w));
        var tensor = weights.Tensor(name);
        var draws = new NormalDraws(StreamKey.Root(5).Child(name));
        var typical = Math.Sqrt(gradient.AsSpan(tensor.Offset, tensor.Length).ToArray().Average(g => (double)g * g));
        Assert.True(typical > 1e-5, "the gradient is too small to check");

        for (var trial = 0; trial < 6; trial++)
        {
            var i = tensor.Offset + draws.NextBelow(tensor.Length);
            var kept = reference.Values[i];
            const double Step = 1e-4;
            reference.Values[i] = kept + Step;
            var above = Texts.Sum(reference.Loss);
            reference.Values[i] = kept - Step;
            var below = Texts.Sum(reference.Loss);
            reference.Values[i] = kept;

            var expected = (above - below) / (2 * Step) / total;
            Assert.Equal(expected, gradient[i], 2e-4 * (Math.Abs(expected) + typical));
        }
    }

    [Fact]
    public void Backward_HeadsOf64_CentralDifferencesOfTheReference()
    {
        var weights = Small.Weights(Small.Shape with { Heads = 1 });
        Run(weights, Texts, out var gradient);
        var reference = new ReferenceDecoder(weights);
        var total = Texts.Sum(t => t.Weights.Sum(w => (double)w));
        foreach (var name in (string[])["model.layers.0.self_attn.q_proj.weight", "model.layers.1.self_attn.v_proj.weight"])
        {
            var i = weights.Tensor(name).Offset + 1234;
            var kept = reference.Values[i];
            reference.Values[i] = kept + 1e-4;
            var above = Texts.Sum(reference.Loss);
            reference.Values[i] = kept - 1e-4;
            var expected = (above - Texts.Sum(reference.Loss)) / 2e-4 / total;
            reference.Values[i] = kept;
            Assert.Equal(expected, gradient[i], 1e-3 * (Math.Abs(expected) + 1e-2));
        }
    }

    [Theory]
    [InlineData(256)]
    [InlineData(128)]
    [InlineData(1)]
    public void ForwardBackward_NarrowerLanes_SameBits(int bits)
    {
        var weights = Small.Weights();
        var expected = Run<Lanes512>(weights, Texts, out var wide);
        var losses = bits switch
        {
            256 => Run<Lanes256>(weights, Texts, out var g) is var l ? (l, g) : default,
            128 => Run<Lanes128>(weights, Texts, out var g) is var l ? (l, g) : default,
            _ => Run<LanesScalar>(weights, Texts, out var g) is var l ? (l, g) : default,
        };

        Assert.Equal(expected, losses.l);
        Assert.True(wide.AsSpan().SequenceEqual(losses.g));
    }

    [Fact]
    public void Forward_TextsTogether_NoneSeesAnother()
    {
        var weights = Small.Weights();
        var alone = Texts.Select(text => Run(weights, [text], out _)).Aggregate((a, b) => a + b);

        var together = Run(weights, Texts, out _);
        var reversed = Run(weights, [.. Texts.Reverse()], out _);

        // rows have the same bits, only the order in which doubles are added differs
        Assert.Equal(alone.Weighted, together.Weighted, 1e-11 * alone.Weighted);
        Assert.Equal(alone.Weighted, reversed.Weighted, 1e-11 * alone.Weighted);
    }

    private static LossSums Run(Weights weights, TrainingExample[] texts, out float[] gradient) => Run<Lanes256>(weights, texts, out gradient);

    private static LossSums Run<TLanes>(Weights weights, TrainingExample[] texts, out float[] gradient)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        using var rope = new Rope(weights.Shape);
        using var packed = new PackedWeights(weights, forTraining: true).Fill();
        using var pass = new DecoderPass<TLanes>(weights, packed, rope);
        gradient = new float[weights.Values.Length];
        fixed (float* g = gradient)
            return pass.ForwardBackward(texts, (float)(1 / texts.Sum(t => t.Weights.Sum(w => (double)w))), g);
    }
}
