using System.Text;

namespace SpeedupLlm.Worlds;

/// <summary>A hash that is the same in every process: decides what is held out of training.</summary>
internal static class StableHash
{
    /// <summary>FNV-1a over UTF-8 with the finaliser of SplitMix64, so that remainders are even.</summary>
    public static ulong Of(string text)
    {
        var hash = 0xCBF2_9CE4_8422_2325;
        foreach (var b in Encoding.UTF8.GetBytes(text))
            hash = (hash ^ b) * 0x0000_0100_0000_01B3;
        hash = (hash ^ (hash >> 30)) * 0xBF58_476D_1CE4_E5B9;
        hash = (hash ^ (hash >> 27)) * 0x94D0_49BB_1331_11EB;
        return hash ^ (hash >> 31);
    }
}
