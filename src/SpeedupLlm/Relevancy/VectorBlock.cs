using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SpeedupLlm.Relevancy;

/// <summary>A vector as it comes from its record.</summary>
/// <param name="Row">The store's number of the row; rising.</param>
/// <param name="Owner">The store's number of the scope.</param>
/// <param name="State">What may be done with it.</param>
/// <param name="Vector">The vector; it has a direction.</param>
/// <param name="Norm">Its length.</param>
/// <param name="Twin">Tells ties apart.</param>
internal readonly record struct VectorEntry(long Row, int Owner, RowState State, ReadOnlyMemory<float> Vector, double Norm, Twin Twin)
{
    /// <summary>An entry, or null if the vector has no direction: such a row is never found (case 34).</summary>
    /// <param name="row">See <see cref="Row"/>.</param>
    /// <param name="owner">See <see cref="Owner"/>.</param>
    /// <param name="state">See <see cref="State"/>.</param>
    /// <param name="vector">See <see cref="Vector"/>.</param>
    /// <param name="idOrder">See <see cref="Relevancy.Twin.OrderOf(string)"/>.</param>
    public static VectorEntry? Of(long row, int owner, RowState state, ReadOnlyMemory<float> vector, ulong idOrder) =>
        Cosine.Norm(vector.Span) is { } norm ? new(row, owner, state, vector, norm, Twin.Of(vector.Span, idOrder)) : null;
}

/// <summary>What may be done with a row.</summary>
internal enum RowState : byte
{
    /// <summary>Gone.</summary>
    Forgotten,

    /// <summary>There, and not to be reused.</summary>
    Unusable,

    /// <summary>There, and may be reused.</summary>
    Usable,
}

/// <summary>A thousand vectors as bytes: a coarse plane that is scanned, and a fine plane with what rounding left over, for rows that come near. Its memory image is its form on disk.</summary>
/// <remarks>
/// Of a unit vector u, coarse keeps q = round(u / s) with s = max|u| / 127, and the length of u - s·q is kept beside it:
/// by Cauchy–Schwarz no cosine can be further off than that. Fine keeps the rest in steps of s / 254.
/// </remarks>
internal sealed class VectorBlock
{
    /// <summary>Rows of every block.</summary>
    public const int Rows = 1024;

    /// <summary>Steps of the fine plane within one of the coarse plane.</summary>
    public const int FineSteps = 254;

    private const int StatesAt = (8 + 16 + 4 + 4 + 4 + 4 + 4) * Rows; // behind row, twin, owner, scale, error, fine error, check of the fine plane
    private const int CoarseAt = StatesAt + 4 * Rows;

    private readonly ReadOnlyMemory<byte> _image;
    private readonly int _stride;

    /// <summary>A block over its image, which must stay as it is.</summary>
    /// <param name="image">See <see cref="ImageBytes"/>.</param>
    /// <param name="dimensions">The length of the vectors.</param>
    /// <param name="states">What happened to the rows since; null: what the image says.</param>
    public VectorBlock(ReadOnlyMemory<byte> image, int dimensions, RowState[]? states = null)
    {
        if (image.Length != ImageBytes(dimensions))
            throw new ArgumentException("Not the image of a block.", nameof(image));
        _image = image;
        _stride = Stride(dimensions);
        States = states ?? MemoryMarshal.Cast<byte, RowState>(image.Span.Slice(StatesAt, Rows)).ToArray();
    }

    /// <summary>Changes after the image was made go here, not into the image.</summary>
    public RowState[] States { get; }

    /// <summary>Row numbers, rising.</summary>
    public ReadOnlySpan<long> Numbers => Plane<long>(0, Rows);

    /// <summary>What tells ties apart.</summary>
    public ReadOnlySpan<Twin> Twins => Plane<Twin>(8 * Rows, Rows);

    /// <summary>Scope numbers.</summary>
    public ReadOnlySpan<int> Owners => Plane<int>(24 * Rows, Rows);

    /// <summary>The value of one coarse step.</summary>
    public ReadOnlySpan<float> Scales => Plane<float>(28 * Rows, Rows);

    /// <summary>Upper bounds of what the coarse plane leaves over.</summary>
    public ReadOnlySpan<float> Errors => Plane<float>(32 * Rows, Rows);

    /// <summary>Upper bounds of what both planes leave over.</summary>
    public ReadOnlySpan<float> FineErrors => Plane<float>(36 * Rows, Rows);

    /// <summary>(Rows, stride).</summary>
    public ReadOnlySpan<sbyte> Coarse => Plane<sbyte>(CoarseAt, Rows * _stride);

    /// <summary>Whether the fine plane of a row is as it was written: the scan never reads it, so nobody else would notice.</summary>
    public bool IsFineSound(int row) =>
        Checksum.Of32(MemoryMarshal.AsBytes(Fine.Slice(row * _stride, _stride))) == Plane<uint>(40 * Rows, Rows)[row];

    /// <summary>(Rows, stride).</summary>
    public ReadOnlySpan<sbyte> Fine => Plane<sbyte>(CoarseAt + Rows * _stride, Rows * _stride);

    /// <summary>Everything that the scan reads; the fine plane follows.</summary>
    public ReadOnlySpan<byte> ScannedImage => _image.Span[..(CoarseAt + Rows * _stride)];

    /// <summary>The whole image.</summary>
    public ReadOnlySpan<byte> Image => _image.Span;

    /// <summary>The length of a row, a multiple of the kernel's granule.</summary>
    public static int Stride(int dimensions) => (dimensions + DotKernel.Granule - 1) / DotKernel.Granule * DotKernel.Granule;

    /// <summary>The size of a block's image.</summary>
    public static int ImageBytes(int dimensions) => CoarseAt + 2 * Rows * Stride(dimensions);

    /// <summary>A float that is surely no less.</summary>
    public static float RoundUp(double bound) => MathF.BitIncrement((float)(bound * (1 + 1e-9) + 1e-12));

    /// <summary>Makes a block of exactly <see cref="Rows"/> entries.</summary>
    public static VectorBlock Of(ReadOnlySpan<VectorEntry> entries, int dimensions)
    {
        if (entries.Length != Rows)
            throw new ArgumentException("A block has a fixed number of rows.", nameof(entries));
        var image = new byte[ImageBytes(dimensions)];
        var stride = Stride(dimensions);
        for (var r = 0; r < Rows; r++)
        {
            var entry = entries[r];
            var coarse = MemoryMarshal.Cast<byte, sbyte>(image.AsSpan(CoarseAt + r * stride, stride));
            var fine = MemoryMarshal.Cast<byte, sbyte>(image.AsSpan(CoarseAt + Rows * stride + r * stride, stride));
            var (scale, error, fineError) = Quantize(entry.Vector.Span, entry.Norm, coarse, fine);
            BinaryPrimitives.WriteInt64LittleEndian(image.AsSpan(8 * r), entry.Row);
            BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(8 * Rows + 16 * r), entry.Twin.Vector);
            BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(8 * Rows + 16 * r + 8), entry.Twin.Id);
            BinaryPrimitives.WriteInt32LittleEndian(image.AsSpan(24 * Rows + 4 * r), entry.Owner);
            BinaryPrimitives.WriteSingleLittleEndian(image.AsSpan(28 * Rows + 4 * r), scale);
            BinaryPrimitives.WriteSingleLittleEndian(image.AsSpan(32 * Rows + 4 * r), error);
            BinaryPrimitives.WriteSingleLittleEndian(image.AsSpan(36 * Rows + 4 * r), fineError);
            BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(40 * Rows + 4 * r), Checksum.Of32(MemoryMarshal.AsBytes(fine)));
            image[StatesAt + r] = (byte)entry.State;
        }
        return new(image, dimensions);
    }

    /// <summary>Where a row stands, or a negative number.</summary>
    public int IndexOf(long row) => Numbers.BinarySearch(row);

    /// <summary>Whether a row of this block was made from a vector.</summary>
    public bool IsOf(int row, ReadOnlySpan<float> vector)
    {
        if (Cosine.Norm(vector) is not { } norm)
            return false;
        var (coarse, fine) = (new sbyte[_stride], new sbyte[_stride]);
        var made = Quantize(vector, norm, coarse, fine);
        return made.Scale == Scales[row] && coarse.AsSpan().SequenceEqual(Coarse.Slice(row * _stride, _stride)) && fine.AsSpan().SequenceEqual(Fine.Slice(row * _stride, _stride));
    }

    private static (float Scale, float Error, float FineError) Quantize(ReadOnlySpan<float> vector, double norm, Span<sbyte> coarse, Span<sbyte> fine)
    {
        var largest = 0.0;
        foreach (var value in vector)
            largest = Math.Max(largest, Math.Abs(value / norm));
        var scale = (float)(largest / 127);
        double error = 0, fineError = 0;
        for (var i = 0; i < vector.Length; i++)
        {
            var unit = vector[i] / norm;
            var q = Math.Clamp(Math.Round(unit / scale), -127, 127);
            var rest = unit - q * scale;
            var f = Math.Clamp(Math.Round(rest / scale * FineSteps), -127, 127);
            var last = rest - f * scale / FineSteps;
            error += rest * rest;
            fineError += last * last;
            coarse[i] = (sbyte)q;
            fine[i] = (sbyte)f;
        }
        return (scale, RoundUp(Math.Sqrt(error)), RoundUp(Math.Sqrt(fineError)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ReadOnlySpan<T> Plane<T>(int offset, int length)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(_image.Span[offset..])[..length];
}
