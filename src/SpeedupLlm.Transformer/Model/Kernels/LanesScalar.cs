using System.Runtime.CompilerServices;

namespace SpeedupLlm.Transformer.Model.Kernels;

/// <summary>Sixteen floats one by one: the reference, and what runs where there are no vector registers.</summary>
internal unsafe struct LanesScalar : ILanes<LanesScalar>
{
    [InlineArray(Lanes.Count)]
    private struct Sixteen
    {
        private float _first;
    }

    private Sixteen _lanes;

    public static LanesScalar Zero => default;

    public static LanesScalar Broadcast(float value)
    {
        LanesScalar r = default;
        for (var i = 0; i < Lanes.Count; i++)
            r._lanes[i] = value;
        return r;
    }

    public static LanesScalar Load(float* source)
    {
        LanesScalar r = default;
        for (var i = 0; i < Lanes.Count; i++)
            r._lanes[i] = source[i];
        return r;
    }

    public readonly void Store(float* target)
    {
        for (var i = 0; i < Lanes.Count; i++)
            target[i] = _lanes[i];
    }

    public static LanesScalar operator +(LanesScalar a, LanesScalar b)
    {
        for (var i = 0; i < Lanes.Count; i++)
            a._lanes[i] += b._lanes[i];
        return a;
    }

    public static LanesScalar operator -(LanesScalar a, LanesScalar b)
    {
        for (var i = 0; i < Lanes.Count; i++)
            a._lanes[i] -= b._lanes[i];
        return a;
    }

    public static LanesScalar operator *(LanesScalar a, LanesScalar b)
    {
        for (var i = 0; i < Lanes.Count; i++)
            a._lanes[i] *= b._lanes[i];
        return a;
    }

    public static LanesScalar operator /(LanesScalar a, LanesScalar b)
    {
        for (var i = 0; i < Lanes.Count; i++)
            a._lanes[i] /= b._lanes[i];
        return a;
    }

    public static LanesScalar Fma(LanesScalar a, LanesScalar b, LanesScalar c)
    {
        for (var i = 0; i < Lanes.Count; i++)
            c._lanes[i] = MathF.FusedMultiplyAdd(a._lanes[i], b._lanes[i], c._lanes[i]);
        return c;
    }

    public static LanesScalar Sqrt(LanesScalar a)
    {
        for (var i = 0; i < Lanes.Count; i++)
            a._lanes[i] = MathF.Sqrt(a._lanes[i]);
        return a;
    }

    public static LanesScalar Larger(LanesScalar a, LanesScalar b)
    {
        for (var i = 0; i < Lanes.Count; i++)
            b._lanes[i] = a._lanes[i] > b._lanes[i] ? a._lanes[i] : b._lanes[i];
        return b;
    }

    public static LanesScalar WhereLess(LanesScalar x, LanesScalar limit, LanesScalar then, LanesScalar otherwise)
    {
        for (var i = 0; i < Lanes.Count; i++)
            otherwise._lanes[i] = x._lanes[i] < limit._lanes[i] ? then._lanes[i] : otherwise._lanes[i];
        return otherwise;
    }

    public static LanesScalar ScaleByBits(LanesScalar x, LanesScalar biased)
    {
        for (var i = 0; i < Lanes.Count; i++)
            x._lanes[i] = BitConverter.Int32BitsToSingle(unchecked(BitConverter.SingleToInt32Bits(x._lanes[i]) + (BitConverter.SingleToInt32Bits(biased._lanes[i]) << 23)));
        return x;
    }

    public readonly float Sum()
    {
        var a = _lanes;
        for (var half = Lanes.Count / 2; half > 0; half /= 2)
            for (var i = 0; i < half; i++)
                a[i] += a[i + half];
        return a[0];
    }

    public readonly float Largest()
    {
        var a = _lanes;
        for (var half = Lanes.Count / 2; half > 0; half /= 2)
            for (var i = 0; i < half; i++)
                a[i] = a[i] > a[i + half] ? a[i] : a[i + half];
        return a[0];
    }
}
