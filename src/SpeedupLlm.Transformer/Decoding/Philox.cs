namespace SpeedupLlm.Transformer.Decoding;

/// <summary>Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).</summary>
internal static class Philox
{
    /// <summary>The four words at a counter.</summary>
    public static (uint X, uint Y, uint Z, uint W) Words(ulong counterLo, ulong counterHi, ulong key)
    {
        var (x, y, z, w) = ((uint)counterLo, (uint)(counterLo >> 32), (uint)counterHi, (uint)(counterHi >> 32));
        var (k0, k1) = ((uint)key, (uint)(key >> 32));
        for (var round = 0; round < 10; round++)
        {
            var a = 0xD2511F53UL * x;
            var b = 0xCD9E8D57UL * z;
            (x, y, z, w) = ((uint)(b >> 32) ^ y ^ k0, (uint)b, (uint)(a >> 32) ^ w ^ k1, (uint)a);
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        return (x, y, z, w);
    }

    /// <summary>A number in [0, 1) with 53 random bits: the one of draw <paramref name="index"/> in the stream (hi, lo).</summary>
    public static double Uniform(ulong hi, ulong lo, ulong index)
    {
        var (x, y, _, _) = Words(index, hi, lo);
        return (((ulong)x << 32 | y) >> 11) * (1.0 / (1UL << 53));
    }
}
