using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace SpeedupLlm.Relevancy;

/// <summary>What tells ties apart without their records. Questions that differ in their numbers only have equal vectors, and a store may hold thousands of them.</summary>
/// <param name="Vector">A checksum of the vector: equal vectors have equal ones.</param>
/// <param name="Id">The first eight bytes of the id as a number. Who has the smaller one comes first by ordinal order; equal ones are told apart by their ids.</param>
internal readonly record struct Twin(ulong Vector, ulong Id)
{
    private const int IdBytes = 8;

    /// <summary>Of a vector and its record's <see cref="OrderOf(string)"/>.</summary>
    public static Twin Of(ReadOnlySpan<float> vector, ulong idOrder) => new(Checksum.Of(MemoryMarshal.AsBytes(vector)), idOrder);

    /// <summary>See <see cref="Id"/>.</summary>
    public static ulong OrderOf(string id)
    {
        Span<byte> bytes = stackalloc byte[IdBytes * 3];
        return OrderOf(bytes[..Encoding.UTF8.GetBytes(id.AsSpan(0, Math.Min(id.Length, IdBytes)), bytes)]);
    }

    /// <summary>See <see cref="Id"/>.</summary>
    /// <param name="id">The id in UTF-8, or its beginning.</param>
    public static ulong OrderOf(ReadOnlySpan<byte> id)
    {
        Span<byte> first = stackalloc byte[IdBytes];
        first.Clear();
        id[..Math.Min(id.Length, IdBytes)].CopyTo(first);
        for (var i = 0; i < IdBytes; i++)
        {
            // a zero parts the names that an id is made of, and beyond ASCII the order of bytes is not that of chars: what follows is left to the ids
            if (first[i] is 0 or > 0x7F)
            {
                first[i..].Fill(first[i] == 0 ? byte.MinValue : byte.MaxValue);
                break;
            }
        }
        return BinaryPrimitives.ReadUInt64BigEndian(first);
    }

    /// <summary>Of rows with equal vectors, which are equally near, leaves those that can be among the <paramref name="count"/> first by id.</summary>
    public static List<T> Trim<T>(List<T> rows, int count, Func<T, Twin> twinOf)
    {
        if (rows.Count <= count)
            return rows;
        var last = new Dictionary<ulong, ulong>();
        foreach (var equal in rows.Select(twinOf).GroupBy(t => t.Vector, t => t.Id))
        {
            var ids = equal.ToArray();
            if (ids.Length <= count)
                continue;
            Array.Sort(ids);
            last.Add(equal.Key, ids[count - 1]);
        }
        return last.Count == 0 ? rows : rows.FindAll(r => twinOf(r) is var twin && (!last.TryGetValue(twin.Vector, out var id) || twin.Id <= id));
    }
}
