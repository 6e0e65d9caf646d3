using SpeedupLlm.Compute;
using SpeedupLlm.Worlds.Tariffs;

namespace SpeedupLlm.Worlds.Tests.Tariffs;

public sealed class TariffTests
{
    [Fact]
    public void Parse_TextOfAnyTariff_GivesItBack() => Laws.Hold(500, random =>
    {
        var tariff = Tariff.Draw(random, Share.All);
        Assert.Equal(tariff, Tariff.Parse(tariff.Text));
    });

    [Theory]
    [InlineData("")]
    [InlineData("2 x")]
    [InlineData("2 x + 3")]
    [InlineData("02 x + 3 y")]
    [InlineData("2 x + 3 y + 0")]
    [InlineData("2 x + 3 y free 2 add 3")]
    [InlineData("2 x + 3 y over 4")]
    [InlineData("2 x + 3 y + 5.")]
    public void Parse_WhatIsNoTariff_IsNull(string text) => Assert.Null(Tariff.Parse(text));

    [Fact]
    public void Draw_TrainedAndHeldOut_AreDisjointAndATenthOfSomeHundreds()
    {
        var random = new StreamRandom(StreamKey.Root(1));
        var all = Enumerable.Range(0, 60_000).Select(_ => Tariff.Draw(random, Share.All)).Distinct().ToList();
        Assert.InRange(all.Count, 600, 1000);
        Assert.InRange(all.Count(t => t.HeldOut) / (double)all.Count, .05, .15);
        Assert.All(Enumerable.Range(0, 2000), _ => Assert.False(Tariff.Draw(random, Share.Trained).HeldOut));
        Assert.All(Enumerable.Range(0, 200), _ => Assert.True(Tariff.Draw(random, Share.HeldOut).HeldOut));
    }

    [Fact]
    public void Draw_WithRates_SharesThemAndNothingElseForSure()
    {
        var random = new StreamRandom(StreamKey.Root(2));
        var firm = Tariff.Draw(random, Share.All);
        var branches = Enumerable.Range(0, 100).Select(_ => Tariff.Draw(random, Share.All, firm)).ToList();
        Assert.All(branches, b => Assert.Equal((firm.Product, firm.RateX, firm.RateY), (b.Product, b.RateX, b.RateY)));
        Assert.True(branches.Distinct().Count() > 5);
    }

    [Fact]
    public void Prior_IsSkewed_SoThatAFirstGuessIsNotHopeless()
    {
        var random = new StreamRandom(StreamKey.Root(3));
        var drawn = Enumerable.Range(0, 20_000).Select(_ => Tariff.Draw(random, Share.All)).CountBy(t => t).OrderByDescending(g => g.Value).ToList();
        Assert.True(drawn[0].Value > 20_000 * .02, drawn[0].ToString());
        Assert.True(drawn.Take(40).Sum(g => g.Value) > 20_000 * .4);
    }
}
