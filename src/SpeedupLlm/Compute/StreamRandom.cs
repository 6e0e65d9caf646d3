namespace SpeedupLlm.Compute;

/// <summary>A sequential generator over a <see cref="StreamKey"/> (SplitMix64): for drawing questions, orders and bootstrap samples.</summary>
/// <remarks>Not thread-safe: one per stream and use. Tokens are sampled by Philox at (key, index) instead, which needs no state.</remarks>
public sealed class StreamRandom(StreamKey key)
{
    private ulong _state = key.Hi ^ (key.Lo * 0x9E37_79B9_7F4A_7C15);

    /// <summary>64 random bits.</summary>
    public ulong NextBits()
    {
        _state += 0x9E37_79B9_7F4A_7C15;
        var z = _state;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [0, <paramref name="below"/>), without modulo bias.</summary>
    public int Next(int below)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(below, 1);
        var limit = ulong.MaxValue - (ulong.MaxValue % (ulong)below + 1) % (ulong)below;
        ulong bits;
        do
            bits = NextBits();
        while (bits > limit);
        return (int)(bits % (ulong)below);
    }

    /// <summary>Uniform in [<paramref name="from"/>, <paramref name="to"/>], both included.</summary>
    public int Between(int from, int to) => from + Next(to - from + 1);

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>One of <paramref name="items"/>, each alike.</summary>
    public T Pick<T>(IReadOnlyList<T> items) => items[Next(items.Count)];

    /// <summary>Shuffles in place (Fisher–Yates).</summary>
    public void Shuffle<T>(IList<T> items)
    {
        for (var i = items.Count - 1; i > 0; i--)
        {
            var j = Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }
}
