using System.Text.Json;
using SpeedupLlm.Transformer.Model.Kernels;
using SpeedupLlm.Transformer.Training;

namespace SpeedupLlm.Transformer.Tests.Training;

public sealed unsafe class RecipeTests
{
    private static readonly TrainingRecipe Recipe = new() { Shape = Small.Shape, Tokens = 1_000_000, Seed = 7, Rate = 2e-3 };

    [Fact]
    public void Json_ThereAndBack_SameRecipe()
    {
        Assert.Equal(Recipe, TrainingRecipe.FromJson(Recipe.ToJson()));
        Assert.Contains("\"batchTokens\": 4096", Recipe.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void FromJson_MembersLeftOut_Defaults()
    {
        var recipe = TrainingRecipe.FromJson("{\"shape\":{\"vocabulary\":8,\"layers\":2},\"tokens\":5,\"seed\":3}");

        Assert.Equal(new() { Shape = new(8) { Layers = 2 }, Tokens = 5, Seed = 3 }, recipe);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"shape\":{\"vocabulary\":8}}")]
    [InlineData("{\"tokens\":5}")]
    [InlineData("[1]")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{\"shape\":{\"vocabulary\":8},\"tokens\":5,\"speling\":1}")]
    public void FromJson_NotARecipe_JsonException(string json) => Assert.ThrowsAny<JsonException>(() => TrainingRecipe.FromJson(json));

    [Fact]
    public void FromJson_NumberOutOfRange_NamesIt()
    {
        var e = Assert.Throws<ArgumentException>(() => TrainingRecipe.FromJson("{\"shape\":{\"vocabulary\":8},\"tokens\":5,\"beta2\":1}"));

        Assert.Contains("Beta2", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RateAt_WarmUpAndCosine_AsWrittenDown()
    {
        Assert.Equal(2e-3 / 200, Recipe.RateAt(0, 0), 1e-12);
        Assert.Equal(2e-3, Recipe.RateAt(199, 0), 1e-12);
        Assert.Equal(2e-3 * (0.03 + 0.97 / 2), Recipe.RateAt(1000, 500_000), 1e-12);
        Assert.Equal(2e-3 * 0.03, Recipe.RateAt(1000, 1_000_000), 1e-12);
    }

    [Fact]
    public void Update_ThreeSteps_AdamWInDoubles()
    {
        var draws = new SpeedupLlm.Transformer.Model.NormalDraws(SpeedupLlm.Compute.StreamKey.Root(1));
        float[] w = new float[16], m = new float[16], v = new float[16], g = new float[16];
        for (var i = 0; i < 16; i++)
            w[i] = (float)draws.Next();
        var (dw, dm, dv) = (w.Select(x => (double)x).ToArray(), new double[16], new double[16]);
        for (var step = 1; step <= 3; step++)
        {
            for (var i = 0; i < 16; i++)
            {
                g[i] = (float)draws.Next();
                var clipped = g[i] * 0.5;
                dw[i] -= 1e-2 * 0.05 * dw[i];
                dm[i] = 0.9 * dm[i] + 0.1 * clipped;
                dv[i] = 0.98 * dv[i] + 0.02 * clipped * clipped;
                dw[i] -= 1e-2 / (1 - Math.Pow(0.9, step)) * dm[i] / (Math.Sqrt(dv[i] / (1 - Math.Pow(0.98, step))) + 1e-8);
            }

            fixed (float* pw = w, pm = m, pv = v, pg = g)
                AdamW.Update<Lanes512>(pw, pm, pv, pg, 16, new(1e-2, 0.5, 0.05, 0.9, 0.98, 1e-8, step));
        }

        for (var i = 0; i < 16; i++)
            Assert.Equal(dw[i], w[i], 1e-6);
    }
}
