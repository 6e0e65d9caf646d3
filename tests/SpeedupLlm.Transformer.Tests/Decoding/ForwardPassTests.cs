using System.Runtime.InteropServices;
using SpeedupLlm.Compute;
using SpeedupLlm.Transformer.Decoding;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Transformer.Tests.Decoding;

public sealed class ForwardPassTests
{
    private static int[] Prompt(int length, int seed)
    {
        var random = new StreamRandom(StreamKey.Root(seed));
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(TestModels.Shape.Vocabulary))];
    }

    /// <summary>Logits of the last token, the prompt computed in chunks of the given size beside another sequence.</summary>
    internal static float[] Last<TLanes>(DecoderWeights model, int[] prompt, int chunk, int[]? beside = null)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        using var pool = new BlockPool(model.Shape.Layers * CachedAttention.BlockFloats(model.Shape));
        using var forward = new ForwardPass<TLanes>(model.Shape, 256);
        var sequence = new KvSequence(new(model, prompt), default);
        var other = beside is null ? null : new KvSequence(new(model, beside), default);
        while (sequence.Pending > 0)
        {
            forward.Clear();
            if (other is { Pending: > 0 })
                forward.Add(other, Math.Min(5, other.Pending), pool);
            forward.Add(sequence, Math.Min(chunk, sequence.Pending), pool);
            forward.Run(model);
        }
        return forward.Logits(forward.Results.Single(r => r.Sequence == sequence).Logits).ToArray();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(100)]
    public void Run_AnyLength_AgreesWithTheDefinition(int length)
    {
        var weights = TestModels.Weights(3);
        var prompt = Prompt(length, length);
        var expected = ReferenceDecoder.Logits(weights, prompt)[^1];
        var actual = Last<Lanes512>(new(weights), prompt, chunk: 7);
        Assert.True(expected.Max() - expected.Min() > 1, "a flat distribution would show nothing");
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 2e-4 * (1 + Math.Abs(pair.First))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(150)]
    public void Run_InChunksBesideOthers_HasTheSameBits(int chunk)
    {
        var model = new DecoderWeights(TestModels.Weights(4));
        var prompt = Prompt(150, 1);
        Assert.Equal(Bits(Last<Lanes512>(model, prompt, 64)), Bits(Last<Lanes512>(model, prompt, chunk, Prompt(70, 2))));
    }

    [Theory]
    [InlineData(128, 4)]
    [InlineData(192, 3)]
    [InlineData(256, 2)]
    public void Run_OneByOneOrInChunks_IsTheDefinitionAtEachWidth(int width, int heads)
    {
        var shape = TestModels.Shape with { Width = width, Heads = heads, Layers = 1 };
        var weights = TestModels.Weights(6, shape);
        var model = new DecoderWeights(weights);
        var prompt = Prompt(40, 4);
        var one = Last<Lanes512>(model, prompt, 1);
        Assert.Equal(Bits(one), Bits(Last<Lanes512>(model, prompt, 40)));
        Assert.All(ReferenceDecoder.Logits(weights, prompt)[^1].Zip(one), pair => Assert.Equal(pair.First, pair.Second, 2e-4 * (1 + Math.Abs(pair.First))));
    }

    [Fact]
    public void Run_AnyWidthOfRegisters_HasTheSameBits()
    {
        var wide = TestModels.Shape with { Width = 192, Heads = 3, Hidden = 32 };
        foreach (var shape in new[] { TestModels.Shape, wide })
        {
            var model = new DecoderWeights(TestModels.Weights(5, shape));
            var prompt = Prompt(70, 3);
            foreach (var chunk in new[] { 1, 20 })
            {
                var expected = Bits(Last<LanesScalar>(model, prompt, chunk));
                Assert.Equal(expected, Bits(Last<Lanes512>(model, prompt, chunk)));
                Assert.Equal(expected, Bits(Last<Lanes256>(model, prompt, chunk)));
                Assert.Equal(expected, Bits(Last<Lanes128>(model, prompt, chunk)));
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(13)]
    public void Run_LowRankChange_IsThatOfTheMergedWeights(int rank)
    {
        var weights = TestModels.Weights(4);
        var change = TestModels.Change(9, rank);
        var model = new DecoderWeights(weights);
        var prompt = Prompt(60, 1);
        var merged = Last<Lanes512>(new(change.Merge(weights)), prompt, 16);
        var beside = Last<Lanes512>(new(model, change), prompt, 16);
        var range = merged.Max() - merged.Min();
        Assert.All(merged.Zip(beside), p => Assert.Equal(p.First, p.Second, 1e-3 * range));
        Assert.Contains(merged.Zip(Last<Lanes512>(model, prompt, 16)), p => Math.Abs(p.First - p.Second) > 0.05 * range);
        var expected = Bits(beside);
        foreach (var chunk in new[] { 1, 7 })
        {
            Assert.Equal(expected, Bits(Last<Lanes512>(new(model, change), prompt, chunk, Prompt(70, 2))));
            Assert.Equal(expected, Bits(Last<Lanes256>(new(model, change), prompt, chunk)));
            Assert.Equal(expected, Bits(Last<LanesScalar>(new(model, change), prompt, chunk)));
        }
    }

    internal static int[] Bits(float[] values) => MemoryMarshal.Cast<float, int>(values).ToArray();
}
