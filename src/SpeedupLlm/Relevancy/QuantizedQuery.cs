namespace SpeedupLlm.Relevancy;

/// <summary>A query as 16-bit integers, for products with 8-bit rows. Its own rounding error is known.</summary>
internal sealed class QuantizedQuery
{
    private QuantizedQuery(ReadOnlyMemory<float> vector, double norm, short[] values, double scale, double error)
    {
        Vector = vector;
        Norm = norm;
        Values = values;
        Scale = scale;
        Error = error;
    }

    /// <summary>The query as it was given.</summary>
    public ReadOnlyMemory<float> Vector { get; }

    /// <summary>Its length.</summary>
    public double Norm { get; }

    /// <summary>The unit query over <see cref="Scale"/>, rounded, with zeros up to <see cref="VectorBlock.Stride"/>.</summary>
    public short[] Values { get; }

    /// <summary>The value of one step.</summary>
    public double Scale { get; }

    /// <summary>Upper bound of the length of the unit query minus its rounded form.</summary>
    public double Error { get; }

    /// <summary>The query, or null if it has no direction (case 34).</summary>
    public static QuantizedQuery? Of(ReadOnlyMemory<float> vector)
    {
        var x = vector.Span;
        if (Cosine.Norm(x) is not { } norm)
            return null;
        var stride = VectorBlock.Stride(x.Length);
        // the sum of products with bytes must fit 32 bits
        var most = Math.Min(short.MaxValue, int.MaxValue / (127 * stride));
        var largest = 0.0;
        foreach (var value in x)
            largest = Math.Max(largest, Math.Abs(value / norm));
        var scale = largest / most;
        var values = new short[stride];
        var square = 0.0;
        for (var i = 0; i < x.Length; i++)
        {
            var unit = x[i] / norm;
            values[i] = (short)Math.Round(unit / scale);
            var rest = unit - values[i] * scale;
            square += rest * rest;
        }
        return new(vector, norm, values, scale, VectorBlock.RoundUp(Math.Sqrt(square)));
    }
}
