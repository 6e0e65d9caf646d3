using SpeedupLlm.Transformer.Adapter;

namespace SpeedupLlm.Transformer.Tests.Adapter;

public sealed class AdapterContentTests
{
    [Fact]
    public void Stack_OfTwo_ChangesLikeOneAfterTheOther()
    {
        var weights = TestModels.Weights(1);
        var (one, two) = (TestModels.Change(1, 3), TestModels.Change(2, 5));
        var stacked = AdapterContent.Stack(one, two).Merge(weights);
        var after = two.Merge(one.Merge(weights));
        Assert.True(weights.Values.Zip(after.Values).Max(p => Math.Abs(p.First - p.Second)) > 0.1, "no change would show nothing");
        Assert.All(after.Values.Zip(stacked.Values), p => Assert.Equal(p.First, p.Second, 1e-5));
    }

    [Fact]
    public void Read_OfWrite_GivesTheSameBits()
    {
        var change = TestModels.Change(1, 3);
        var (low, full) = AdapterContent.Read(AdapterContent.Write(change, "m"), TestModels.Shape, "m");
        Assert.Null(full);
        Assert.Equal((change.Rank, change.Alpha), (low!.Rank, low.Alpha));
        Assert.Equal(change.Values, low.Values);
        var weights = TestModels.Weights(2);
        Assert.Equal(weights.Values, AdapterContent.Merge(AdapterContent.Write(weights, "m"), TestModels.Weights(3), "m").Values);
    }
}
