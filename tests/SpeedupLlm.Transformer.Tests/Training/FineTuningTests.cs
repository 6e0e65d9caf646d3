using SpeedupLlm.Compute;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Training;

namespace SpeedupLlm.Transformer.Tests.Training;

public sealed unsafe class FineTuningTests
{
    private static readonly StreamKey Stream = StreamKey.Root(9);

    [Theory]
    [InlineData(null)]
    [InlineData(4)]
    [InlineData(16)]
    public void Train_OneText_LossFallsAndTheOriginalStays(int? rank)
    {
        var weights = Small.Weights();
        var before = weights.Clone();
        var text = Small.Text(60, 4);

        var tuned = FineTuning.Train(weights, [text], new() { Rank = rank, Steps = 20, Rate = 3e-3 }, Stream, CancellationToken.None);

        Assert.True(before.Values.AsSpan().SequenceEqual(weights.Values));
        Assert.Equal(20 * 60, tuned.TrainedTokens);
        Assert.Equal(20, tuned.Losses.Count);
        Assert.Equal(FineTuning.Evaluate(weights, [text], 1), tuned.Losses[0]);
        Assert.True(FineTuning.Evaluate(tuned.Weights, [text], 1).Mean < 0.6 * tuned.Losses[0].Mean);
        Assert.Equal(rank, tuned.Adapter?.Rank);
    }

    [Fact]
    public void Train_LowRank_WeightsAreTheOriginalWithTheAdapterMerged()
    {
        var weights = Small.Weights();

        var tuned = FineTuning.Train(weights, [Small.Text(30, 4)], new() { Rank = 3 }, Stream, CancellationToken.None);

        Assert.True(tuned.Adapter!.Merge(weights).Values.AsSpan().SequenceEqual(tuned.Weights.Values));
        var changed = weights.Tensors.Where(t => !weights.Span(t).SequenceEqual(tuned.Weights.Span(t))).Select(t => t.Name).ToHashSet(StringComparer.Ordinal);
        Assert.Equal(weights.Tensors.Where(t => t.Name.Contains("_proj", StringComparison.Ordinal)).Select(t => t.Name).ToHashSet(StringComparer.Ordinal), changed);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(8)]
    public void Train_TwoThreads_SameBits(int? rank)
    {
        var weights = Small.Weights();
        var texts = Enumerable.Range(0, 12).Select(i => Small.Text(100, i)).ToArray();

        var one = FineTuning.Train(weights, texts, new() { Rank = rank, Steps = 3 }, Stream, CancellationToken.None);
        var two = FineTuning.Train(weights, texts, new() { Rank = rank, Steps = 3, Threads = 2 }, Stream, CancellationToken.None);

        Assert.True(one.Weights.Values.AsSpan().SequenceEqual(two.Weights.Values));
    }

    [Fact]
    public void Train_MoreTextsThanABatchHolds_TakesThemInTurn()
    {
        var weights = Small.Weights();
        var texts = Enumerable.Range(0, 3).Select(i => Small.Text(20, i)).ToArray();

        var tuned = FineTuning.Train(weights, texts, new() { Steps = 3, BatchTokens = 40, Rate = 1e-9 }, Stream, CancellationToken.None);

        LossSums Of(params int[] which) => FineTuning.Evaluate(weights, [.. which.Select(i => texts[i])], 1);
        Assert.Equal(Of(0, 1).Weighted, tuned.Losses[0].Weighted, 1e-4);
        Assert.Equal(Of(2, 0).Weighted, tuned.Losses[1].Weighted, 1e-4);
        Assert.Equal(Of(1, 2).Weighted, tuned.Losses[2].Weighted, 1e-4);
    }

    [Fact]
    public void LowRankGradient_EachMatrix_CentralDifferencesOfTheReference()
    {
        var weights = Small.Weights();
        var text = Small.Text(12, 6);
        var adapter = new LowRankAdapter(weights.Shape, 3, 6, Stream);
        var draws = new NormalDraws(Stream.Child("B"));
        foreach (var pair in adapter.Pairs)
            foreach (ref var value in adapter.Values.AsSpan(pair.B, pair.Of.Rows * 3))
                value = (float)(0.1 * draws.Next());
        var gradient = new float[adapter.Values.Length];
        using (var workers = new Workers(1))
        using (var batch = new BatchGradient(adapter.Merge(weights), workers, 512))
        {
            batch.Compute([text]);
            adapter.Gradient(batch.Gradient, gradient);
        }

        double Loss(int index, float change)
        {
            var kept = adapter.Values[index];
            adapter.Values[index] = kept + change;
            var loss = new ReferenceDecoder(adapter.Merge(weights)).Loss(text) / text.Weights.Sum(w => (double)w);
            adapter.Values[index] = kept;
            return loss;
        }

        foreach (var pair in adapter.Pairs)
        {
            foreach (var index in (int[])[pair.A + draws.NextBelow(3 * pair.Of.Columns), pair.B + draws.NextBelow(3 * pair.Of.Rows)])
            {
                var expected = (Loss(index, 1 / 256f) - Loss(index, -1 / 256f)) * 128;
                Assert.Equal(expected, gradient[index], 1e-2 * (Math.Abs(expected) + 0.02));
            }
        }
    }

    [Theory]
    [InlineData(0, 16.0, "rank 0")]
    [InlineData(65, 16.0, "rank 65")]
    [InlineData(4, 0.0, "alpha 0")]
    [InlineData(4, double.NaN, "alpha NaN")]
    public void Train_AdapterOutOfRange_SaysWhat(int rank, double alpha, string said)
    {
        var e = Assert.Throws<ArgumentException>(() => FineTuning.Train(Small.Weights(), [Small.Text(9, 1)], new() { Rank = rank, Alpha = alpha }, Stream, CancellationToken.None));

        Assert.Contains(said, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_NoTextsOrCancelled_Throws()
    {
        Assert.Throws<ArgumentException>(() => FineTuning.Train(Small.Weights(), [], new(), Stream, CancellationToken.None));
        Assert.Throws<OperationCanceledException>(() => FineTuning.Train(Small.Weights(), [Small.Text(9, 1)], new(), Stream, new(canceled: true)));
    }
}
