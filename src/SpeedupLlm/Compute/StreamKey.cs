using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace SpeedupLlm.Compute;

/// <summary>Names a stream of random numbers, so that what is drawn depends on what it is for and never on the order of calls.</summary>
/// <remarks>
/// <c>StreamKey.Root(seed).Child("best-of-n").Child(3)</c> is the same key in every process and on every machine.
/// A counter-based generator (Philox) at (key, token index) then gives the numbers.
/// </remarks>
public readonly record struct StreamKey(ulong Hi, ulong Lo)
{
    /// <summary>The root of all streams of a run.</summary>
    public static StreamKey Root(long seed) => new StreamKey(0x5350_4545_4455_504C, (ulong)seed).Child("root");

    /// <summary>A stream that nobody had before: for live traffic.</summary>
    public static StreamKey Fresh()
    {
        var fresh = Guid.NewGuid().ToByteArray();
        return new(BitConverter.ToUInt64(fresh, 0), BitConverter.ToUInt64(fresh, 8));
    }

    /// <summary>The stream called <paramref name="name"/> under this one.</summary>
    public StreamKey Child(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var length = Encoding.UTF8.GetByteCount(name);
        Span<byte> input = length <= 240 ? stackalloc byte[16 + length] : new byte[16 + length];
        BinaryPrimitives.WriteUInt64LittleEndian(input, Hi);
        BinaryPrimitives.WriteUInt64LittleEndian(input[8..], Lo);
        Encoding.UTF8.GetBytes(name, input[16..]);
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(input, hash);
        return new(BinaryPrimitives.ReadUInt64LittleEndian(hash), BinaryPrimitives.ReadUInt64LittleEndian(hash[8..]));
    }

    /// <summary>The stream with number <paramref name="index"/> under this one.</summary>
    public StreamKey Child(long index) => Child("#" + index.ToString(CultureInfo.InvariantCulture));

    /// <summary>A seed for interfaces that take one number. 63 bits, never negative.</summary>
    public long ToSeed() => (long)(Hi >> 1);

    /// <summary>32 hexadecimal digits.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Hi:x16}{Lo:x16}");
}
