using SpeedupLlm.Compute;

namespace SpeedupLlm.Transformer.Model;

/// <summary>Numbers of one stream: SplitMix64 over a counter, and Box–Muller for normal ones.</summary>
internal struct NormalDraws(StreamKey stream)
{
    private ulong _state = stream.Hi ^ (stream.Lo * 0x9E3779B97F4A7C15);
    private double _spare = double.NaN;

    /// <summary>64 random bits.</summary>
    public ulong NextBits()
    {
        _state += 0x9E3779B97F4A7C15;
        var z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in 0 … below - 1.</summary>
    public int NextBelow(int below) => (int)Math.BigMul(NextBits(), (ulong)below, out _);

    /// <summary>Normal with mean 0 and deviation 1.</summary>
    public double Next()
    {
        if (!double.IsNaN(_spare))
        {
            var spare = _spare;
            _spare = double.NaN;
            return spare;
        }

        var radius = Math.Sqrt(-2 * Math.Log(((NextBits() >> 11) + 1) * (1.0 / (1UL << 53))));
        var angle = 2 * Math.PI * ((NextBits() >> 11) * (1.0 / (1UL << 53)));
        _spare = radius * Math.Sin(angle);
        return radius * Math.Cos(angle);
    }
}
