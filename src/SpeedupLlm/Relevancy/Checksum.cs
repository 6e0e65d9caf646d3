using System.Buffers.Binary;
using System.Numerics;

namespace SpeedupLlm.Relevancy;

/// <summary>A fast checksum against damage, not against malice: four lanes of multiply and rotate, as in xxHash64.</summary>
internal static class Checksum
{
    private const ulong P1 = 0x9E37_79B1_85EB_CA87;
    private const ulong P2 = 0xC2B2_AE3D_27D4_EB4F;
    private const ulong P3 = 0x1656_67B1_9E37_79F9;

    /// <summary>64 bits of all bytes and their number.</summary>
    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        ulong a = P1 ^ P2, b = P2, c = 0, d = P3;
        var rest = bytes;
        while (rest.Length >= 32)
        {
            a = Round(a, BinaryPrimitives.ReadUInt64LittleEndian(rest));
            b = Round(b, BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]));
            c = Round(c, BinaryPrimitives.ReadUInt64LittleEndian(rest[16..]));
            d = Round(d, BinaryPrimitives.ReadUInt64LittleEndian(rest[24..]));
            rest = rest[32..];
        }
        var hash = BitOperations.RotateLeft(a, 1) + BitOperations.RotateLeft(b, 7) + BitOperations.RotateLeft(c, 12) + BitOperations.RotateLeft(d, 18);
        hash += (ulong)bytes.Length;
        foreach (var last in rest)
            hash = BitOperations.RotateLeft(hash ^ (last * P3), 11) * P1;
        hash = (hash ^ (hash >> 33)) * P2;
        hash = (hash ^ (hash >> 29)) * P3;
        return hash ^ (hash >> 32);
    }

    /// <summary>The upper half of <see cref="Of"/>.</summary>
    public static uint Of32(ReadOnlySpan<byte> bytes) => (uint)(Of(bytes) >> 32);

    private static ulong Round(ulong lane, ulong word) => BitOperations.RotateLeft(lane + word * P2, 31) * P1;
}
