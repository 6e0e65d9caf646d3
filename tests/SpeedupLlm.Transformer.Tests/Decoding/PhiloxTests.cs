using SpeedupLlm.Transformer.Decoding;

namespace SpeedupLlm.Transformer.Tests.Decoding;

public sealed class PhiloxTests
{
    /// <summary>The known answers of Random123 (kat_vectors).</summary>
    [Theory]
    [InlineData(0UL, 0UL, 0UL, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x85a308d3_243f6a88UL, 0x03707344_13198a2eUL, 0x299f31d0_a4093822UL, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Words_KnownAnswers_AreGiven(ulong counterLo, ulong counterHi, ulong key, uint x, uint y, uint z, uint w) =>
        Assert.Equal((x, y, z, w), Philox.Words(counterLo, counterHi, key));

    [Fact]
    public void Uniform_ManyDraws_FillTheBinsEvenly()
    {
        const int Draws = 100_000;
        var bins = new int[100];
        for (var i = 0; i < Draws; i++)
            bins[(int)(Philox.Uniform(7, 11, (ulong)i) * 100)]++;
        // 148.2 is the 99.9 % point of chi-square with 99 degrees of freedom
        Assert.InRange(bins.Sum(n => Math.Pow(n - 1000, 2) / 1000), 40, 148.2);
    }
}
