using SpeedupLlm.Transformer.Decoding;

namespace SpeedupLlm.Transformer.Tests.Decoding;

public sealed class SamplerTests
{
    private const int Draws = 50_000;
    private static readonly float[] s_logits = [0.5f, 2f, -1f, 2f, float.NegativeInfinity, 1f, 0f, -3f];

    public static TheoryData<float, float, int> Options => new()
    {
        { 1, 1, 0 }, { 0.5f, 1, 0 }, { 2, 1, 0 }, { 1, 0.8f, 0 }, { 1, 1, 3 }, { 0.7f, 0.5f, 4 }, { 1, 0.01f, 0 }, { 1.5f, 0.95f, 5 },
    };

    [Theory]
    [MemberData(nameof(Options))]
    public void Draw_ManyTimes_FollowsTheExactDistribution(float temperature, float topP, int topK)
    {
        var sampling = new Sampling { Temperature = temperature, TopP = topP, TopK = topK };
        var expected = Exact(s_logits, sampling);
        var sampler = new Sampler();
        var seen = new int[s_logits.Length];
        for (var i = 0; i < Draws; i++)
            seen[sampler.Draw(s_logits, sampling, Philox.Uniform(1, 2, (ulong)i))]++;

        var (chi, cells) = (0.0, 0);
        for (var i = 0; i < seen.Length; i++)
            if (expected[i] == 0)
                Assert.Equal(0, seen[i]);
            else
                (chi, cells) = (chi + Math.Pow(seen[i] - Draws * expected[i], 2) / (Draws * expected[i]), cells + 1);
        // 99.9 % points of chi-square with 0 … 6 degrees of freedom
        Assert.InRange(chi, 0, new[] { 1e-6, 10.83, 13.82, 16.27, 18.47, 20.52, 22.46 }[cells - 1]);
    }

    /// <summary>The definition, written as slowly and plainly as it goes.</summary>
    private static double[] Exact(float[] logits, Sampling s)
    {
        var weights = logits.Select(l => Math.Exp(l / s.Temperature)).ToArray();
        var ranked = Enumerable.Range(0, weights.Length).OrderByDescending(i => weights[i]).ThenBy(i => i).ToList();
        if (s.TopK > 0)
            ranked = ranked[..s.TopK];
        var mass = ranked.Sum(i => weights[i]);
        var kept = new List<int>();
        foreach (var i in ranked)
        {
            kept.Add(i);
            if (kept.Sum(k => weights[k]) >= s.TopP * mass)
                break;
        }
        var sum = kept.Sum(i => weights[i]);
        return [.. weights.Select((w, i) => kept.Contains(i) ? w / sum : 0)];
    }

    [Fact]
    public void Draw_TiesAtTheCut_KeepTheLowerId()
    {
        var sampler = new Sampler();
        var sampling = new Sampling { TopK = 1 };
        Assert.All(Enumerable.Range(0, 100), i => Assert.Equal(1, sampler.Draw(s_logits, sampling, i / 100.0)));
        Assert.Equal(1, sampler.Draw(s_logits, Sampling.Greedy, 0.999));
    }

    [Fact]
    public void Draw_LargestUniform_StaysOnATokenThatCanBe()
    {
        var last = Math.BitDecrement(1.0);
        Assert.Equal(7, new Sampler().Draw(s_logits, new Sampling(), last));
        Assert.Equal(0, new Sampler().Draw([1, float.NegativeInfinity], new Sampling(), last));
        Assert.Equal(1, new Sampler().Draw([float.NaN, 1], new Sampling(), last));
    }

    [Fact]
    public void Draw_HugeLogits_AreFine()
    {
        Assert.Equal(1, new Sampler().Draw([-3e38f, 3e38f, 1e38f], new Sampling(), 0.5));
        Assert.Equal(1, new Sampler().Draw([-3e38f, 3e38f, 1e38f], new Sampling { Temperature = 1e-30f }, 0.5));
    }

    [Fact]
    public void Explain_AnyLogits_GivesLogSoftmax()
    {
        var (log, top) = new Sampler().Explain(s_logits, 5, 3);
        var sum = s_logits.Sum(l => Math.Exp(l));
        Assert.Equal(1 - Math.Log(sum), log, 12);
        Assert.Equal([1, 3, 5], top.Select(t => t.Token));
        Assert.Equal(2 - Math.Log(sum), top[0].LogProbability, 12);
        Assert.Equal([1, 3, 0, 2], new Sampler().Explain([-200, 0, -201, -199], 0, 4).Top.Select(t => t.Token)); // none weighs anything beside 0
        Assert.Equal(s_logits.Length, new Sampler().Explain(s_logits, 0, 99).Top.Length);
    }

    [Theory]
    [InlineData(-1f, 1f, 0)]
    [InlineData(float.NaN, 1f, 0)]
    [InlineData(float.PositiveInfinity, 1f, 0)]
    [InlineData(1f, 0f, 0)]
    [InlineData(1f, 1.1f, 0)]
    [InlineData(1f, float.NaN, 0)]
    [InlineData(1f, 1f, -1)]
    public void Validate_OutOfRange_Throws(float temperature, float topP, int topK) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sampling { Temperature = temperature, TopP = topP, TopK = topK }.Validate());
}
