using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace SpeedupLlm.Relevancy;

/// <summary>Exact cosine similarity: products of floats are exact in double, and the sum is one fixed tree of 16 lanes, so the bits do not depend on the machine's vector width.</summary>
public static class Cosine
{
    /// <summary>The dot product of two vectors of equal length.</summary>
    public static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        if (a.Length != b.Length)
            throw new ArgumentException("Vectors of different length.", nameof(b));
        ref var x = ref MemoryMarshal.GetReference(a);
        ref var y = ref MemoryMarshal.GetReference(b);
        Vector256<double> s0 = default, s1 = default, s2 = default, s3 = default;
        var i = 0;
        for (; i + 16 <= a.Length; i += 16)
        {
            var (x0, x1) = Vector256.Widen(Vector256.LoadUnsafe(ref x, (nuint)i));
            var (y0, y1) = Vector256.Widen(Vector256.LoadUnsafe(ref y, (nuint)i));
            var (x2, x3) = Vector256.Widen(Vector256.LoadUnsafe(ref x, (nuint)i + 8));
            var (y2, y3) = Vector256.Widen(Vector256.LoadUnsafe(ref y, (nuint)i + 8));
            s0 += x0 * y0;
            s1 += x1 * y1;
            s2 += x2 * y2;
            s3 += x3 * y3;
        }
        var s = (s0 + s1) + (s2 + s3);
        var sum = (s[0] + s[1]) + (s[2] + s[3]);
        for (; i < a.Length; i++)
            sum += (double)a[i] * b[i];
        return sum;
    }

    /// <summary>The length of a vector, or null if it has no direction: empty, zero, NaN or infinite (case 34).</summary>
    public static double? Norm(ReadOnlySpan<float> vector)
    {
        var square = Dot(vector, vector);
        return double.IsFinite(square) && square > 0 ? Math.Sqrt(square) : null;
    }

    /// <summary>The cosine of two vectors whose lengths are known, in [-1, 1].</summary>
    public static double Similarity(ReadOnlySpan<float> a, double normA, ReadOnlySpan<float> b, double normB) =>
        Math.Clamp(Dot(a, b) / (normA * normB), -1, 1);
}
