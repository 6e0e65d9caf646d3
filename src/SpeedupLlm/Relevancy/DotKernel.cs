using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SpeedupLlm.Relevancy;

/// <summary>Products of 8-bit rows with a 16-bit query. Integer sums are exact, so every width gives the same numbers.</summary>
internal static class DotKernel
{
    /// <summary>Rows and queries are padded with zeros to a multiple of this.</summary>
    public const int Granule = 32;

    /// <summary><c>dots[r] = Σ rows[r, i] · query[i]</c>.</summary>
    /// <param name="rows">(dots, stride), one row after another.</param>
    /// <param name="query">(stride), small enough that no sum leaves 32 bits.</param>
    /// <param name="dots">Written, one a row.</param>
    public static void Dots(ReadOnlySpan<sbyte> rows, ReadOnlySpan<short> query, Span<int> dots)
    {
        if (query.Length % Granule != 0 || rows.Length != (long)query.Length * dots.Length)
            throw new ArgumentException("Rows and query do not fit.", nameof(rows));
        if (Avx512BW.IsSupported)
            Dots512(rows, query, dots);
        else if (Avx2.IsSupported)
            Dots256(rows, query, dots);
        else if (Vector128.IsHardwareAccelerated)
            Dots128(rows, query, dots);
        else
            DotsScalar(rows, query, dots);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Dots512(ReadOnlySpan<sbyte> rows, ReadOnlySpan<short> query, Span<int> dots)
    {
        ref var x = ref MemoryMarshal.GetReference(rows);
        ref var q = ref MemoryMarshal.GetReference(query);
        var stride = (nuint)query.Length;
        for (var r = 0; r < dots.Length; r++)
        {
            Vector512<int> even = default, odd = default;
            var i = (nuint)0;
            for (; i + 64 <= stride; i += 64)
            {
                even += Avx512BW.MultiplyAddAdjacent(Avx512BW.ConvertToVector512Int16(Vector256.LoadUnsafe(ref x, i)), Vector512.LoadUnsafe(ref q, i));
                odd += Avx512BW.MultiplyAddAdjacent(Avx512BW.ConvertToVector512Int16(Vector256.LoadUnsafe(ref x, i + 32)), Vector512.LoadUnsafe(ref q, i + 32));
            }
            if (i < stride)
                even += Avx512BW.MultiplyAddAdjacent(Avx512BW.ConvertToVector512Int16(Vector256.LoadUnsafe(ref x, i)), Vector512.LoadUnsafe(ref q, i));
            dots[r] = Vector512.Sum(even + odd);
            x = ref Unsafe.Add(ref x, stride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Dots256(ReadOnlySpan<sbyte> rows, ReadOnlySpan<short> query, Span<int> dots)
    {
        ref var x = ref MemoryMarshal.GetReference(rows);
        ref var q = ref MemoryMarshal.GetReference(query);
        var stride = (nuint)query.Length;
        for (var r = 0; r < dots.Length; r++)
        {
            Vector256<int> even = default, odd = default;
            for (var i = (nuint)0; i < stride; i += 32)
            {
                even += Avx2.MultiplyAddAdjacent(Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(ref x, i)), Vector256.LoadUnsafe(ref q, i));
                odd += Avx2.MultiplyAddAdjacent(Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(ref x, i + 16)), Vector256.LoadUnsafe(ref q, i + 16));
            }
            dots[r] = Vector256.Sum(even + odd);
            x = ref Unsafe.Add(ref x, stride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Dots128(ReadOnlySpan<sbyte> rows, ReadOnlySpan<short> query, Span<int> dots)
    {
        ref var x = ref MemoryMarshal.GetReference(rows);
        ref var q = ref MemoryMarshal.GetReference(query);
        var stride = (nuint)query.Length;
        for (var r = 0; r < dots.Length; r++)
        {
            Vector128<int> lower = default, upper = default;
            for (var i = (nuint)0; i < stride; i += 16)
            {
                var (a, b) = Vector128.Widen(Vector128.LoadUnsafe(ref x, i));
                var (a0, a1) = Vector128.Widen(a);
                var (b0, b1) = Vector128.Widen(b);
                var (q0, q1) = Vector128.Widen(Vector128.LoadUnsafe(ref q, i));
                var (q2, q3) = Vector128.Widen(Vector128.LoadUnsafe(ref q, i + 8));
                lower += a0 * q0 + a1 * q1;
                upper += b0 * q2 + b1 * q3;
            }
            dots[r] = Vector128.Sum(lower + upper);
            x = ref Unsafe.Add(ref x, stride);
        }
    }

    internal static void DotsScalar(ReadOnlySpan<sbyte> rows, ReadOnlySpan<short> query, Span<int> dots)
    {
        for (var r = 0; r < dots.Length; r++)
        {
            var row = rows.Slice(r * query.Length, query.Length);
            var sum = 0;
            for (var i = 0; i < row.Length; i++)
                sum += row[i] * query[i];
            dots[r] = sum;
        }
    }
}
