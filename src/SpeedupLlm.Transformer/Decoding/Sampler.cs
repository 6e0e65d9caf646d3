using System.Runtime.CompilerServices;
using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Transformer.Decoding;

/// <summary>How the next token is drawn from the logits.</summary>
public sealed record Sampling
{
    /// <summary>The likeliest token each time, ties to the lower id.</summary>
    public static Sampling Greedy { get; } = new() { Temperature = 0 };

    /// <summary>Logits are divided by it; 0 takes the likeliest. Finite, at least 0.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Only the likeliest tokens that together reach this probability (at least one; arXiv:1904.09751). In (0, 1].</summary>
    public float TopP { get; init; } = 1;

    /// <summary>Only this many likeliest tokens, before <see cref="TopP"/>; 0 is all.</summary>
    public int TopK { get; init; }

    /// <summary>Throws when a value is out of its range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Names the value.</exception>
    public void Validate()
    {
        if (!(Temperature >= 0) || float.IsInfinity(Temperature))
            throw new ArgumentOutOfRangeException(nameof(Temperature), Temperature, "Temperature is a finite number, at least 0.");
        if (!(TopP > 0 && TopP <= 1))
            throw new ArgumentOutOfRangeException(nameof(TopP), TopP, "TopP is above 0 and at most 1.");
        ArgumentOutOfRangeException.ThrowIfNegative(TopK);
    }
}

/// <summary>A token and the natural logarithm of its probability at temperature 1, nothing cut off.</summary>
public readonly record struct TokenProbability(int Token, double LogProbability);

/// <summary>Draws tokens: pure functions of logits, options and one uniform number. Its buffers make it not thread-safe.</summary>
internal sealed class Sampler
{
    private float[] _weights = []; // in [0, 1], the largest 1; whole vectors
    private int[] _heap = [];
    private int _length;

    /// <summary>The token that <paramref name="uniform"/> in [0, 1) selects.</summary>
    public int Draw(ReadOnlySpan<float> logits, Sampling sampling, double uniform)
    {
        if (sampling.Temperature == 0)
            return Likeliest(logits);
        Weigh(logits, sampling.Temperature);
        var weights = _weights.AsSpan(0, logits.Length);
        return sampling.TopP < 1 || (sampling.TopK > 0 && sampling.TopK < logits.Length)
            ? DrawFromHead(weights, sampling, uniform)
            : DrawFromAll(weights, uniform);
    }

    /// <summary>The first index of the largest logit; NaN is never the largest.</summary>
    public static int Likeliest(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
            if (logits[i] > logits[best] || float.IsNaN(logits[best]))
                best = i;
        return best;
    }

    /// <summary>log p(token) and the <paramref name="top"/> likeliest tokens, best first, ties by id.</summary>
    public (double LogProbability, TokenProbability[] Top) Explain(ReadOnlySpan<float> logits, int token, int top)
    {
        Reserve(logits.Length);
        var largest = logits[Likeliest(logits)];
        var sum = 0.0;
        for (var i = 0; i < logits.Length; i++)
        {
            _weights[i] = float.IsNaN(logits[i]) ? float.NegativeInfinity : logits[i]; // ranked by logit: weights may be equal, or 0
            sum += Math.Exp((double)_weights[i] - largest);
        }
        var log = Math.Log(sum);
        var best = new TokenProbability[Math.Min(top, logits.Length)];
        if (best.Length > 0)
        {
            var left = Heapify(logits.Length);
            for (var i = 0; i < best.Length; i++)
            {
                var id = Pop(ref left);
                best[i] = new(id, (double)logits[id] - largest - log);
            }
        }
        return ((double)logits[token] - largest - log, best);
    }

    private static int DrawFromAll(ReadOnlySpan<float> weights, double uniform)
    {
        var (target, sum, last) = (uniform * Sum(weights), 0.0, 0);
        for (var i = 0; i < weights.Length; i++)
        {
            if (weights[i] == 0)
                continue;
            sum += weights[i];
            last = i;
            if (target < sum)
                return i;
        }
        return last; // rounding: uniform * sum can equal the sum
    }

    private int DrawFromHead(ReadOnlySpan<float> weights, Sampling sampling, double uniform)
    {
        var left = Heapify(weights.Length); // Pop leaves what it takes, in order, at the end of the heap
        var keep = sampling.TopK > 0 ? Math.Min(sampling.TopK, weights.Length) : weights.Length;
        var mass = 0.0;
        if (keep == weights.Length)
            mass = Sum(weights);
        else
            for (var i = 0; i < keep; i++) // top-k first: the mass that top-p divides is that of the k likeliest
                mass += weights[Pop(ref left)];
        var (count, sum, needed) = (0, 0.0, sampling.TopP * mass);
        while (count < keep && (count == 0 || sum < needed))
        {
            if (keep == weights.Length)
                Pop(ref left);
            sum += weights[Ranked(count++)];
        }
        var (target, reached) = (uniform * sum, 0.0);
        for (var i = 0; i < count; i++)
        {
            reached += weights[Ranked(i)];
            if (target < reached)
                return Ranked(i);
        }
        return Ranked(count - 1);

        int Ranked(int i) => _heap[_length - 1 - i];
    }

    /// <summary>exp((logit - largest) / temperature); a NaN logit weighs nothing.</summary>
    private void Weigh(ReadOnlySpan<float> logits, float temperature)
    {
        Reserve(logits.Length);
        logits.CopyTo(_weights);
        Lanes.Run(new Weighing(_weights, logits[Likeliest(logits)], temperature));
        foreach (ref var weight in _weights.AsSpan(0, logits.Length))
            if (float.IsNaN(weight))
                weight = 0;
    }

    private void Reserve(int length)
    {
        if (_heap.Length < length)
            (_weights, _heap) = (new float[(length + Lanes.Count - 1) / Lanes.Count * Lanes.Count], new int[length]);
    }

    private sealed unsafe class Weighing(float[] values, float largest, float temperature) : ILanesWork<bool>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public bool Run<TLanes>()
            where TLanes : unmanaged, ILanes<TLanes>
        {
            var (most, by) = (TLanes.Broadcast(largest), TLanes.Broadcast(temperature));
            fixed (float* v = values)
                for (var i = 0; i < values.Length; i += Lanes.Count)
                    Exponential.Exp((TLanes.Load(v + i) - most) / by).Store(v + i);
            return true;
        }
    }

    private static double Sum(ReadOnlySpan<float> weights)
    {
        var sum = 0.0;
        foreach (var w in weights)
            sum += w;
        return sum;
    }

    private int Heapify(int length)
    {
        for (var i = 0; i < length; i++)
            _heap[i] = i;
        for (var i = length / 2 - 1; i >= 0; i--)
            Sink(i, length);
        return _length = length;
    }

    /// <summary>Takes the likeliest off the heap and puts it behind what is left of it.</summary>
    private int Pop(ref int length)
    {
        var id = _heap[0];
        length--;
        (_heap[0], _heap[length]) = (_heap[length], id);
        Sink(0, length);
        return id;
    }

    private void Sink(int i, int length)
    {
        while (true)
        {
            var child = 2 * i + 1;
            if (child >= length)
                return;
            if (child + 1 < length && Before(_heap[child + 1], _heap[child]))
                child++;
            if (!Before(_heap[child], _heap[i]))
                return;
            (_heap[i], _heap[child]) = (_heap[child], _heap[i]);
            i = child;
        }
    }

    private bool Before(int a, int b) => _weights[a] > _weights[b] || (_weights[a] == _weights[b] && a < b);
}
