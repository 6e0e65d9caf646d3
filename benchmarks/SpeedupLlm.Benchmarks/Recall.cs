using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using SpeedupLlm.Compute;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Benchmarks;

/// <summary>Exact recall of the best 3 among vectors of 256, on one core, beside a plain float scan in the same run.</summary>
internal static class Recall
{
    private const int Dimensions = 256;

    public static void Run()
    {
        foreach (var count in (int[])[100_000, 1_000_000])
        {
            var random = new StreamRandom(StreamKey.Root(2026));
            Report(count, "questions of 2,000 firms", random, i => Question(random));
            Report(count, "random directions", random, i => Direction(random));
        }
    }

    private static void Report(int count, string what, StreamRandom random, Func<int, float[]> vectorOf)
    {
        var vectors = Enumerable.Range(0, count).Select(vectorOf).ToArray();
        var index = new VectorIndex(Dimensions, row => vectors[row]);
        for (var i = 0; i < count; i++)
            index.Add(i, 0, true, vectors[i], i.ToString(CultureInfo.InvariantCulture));
        var flat = new float[(long)count * Dimensions];
        for (var i = 0; i < count; i++)
            vectors[i].CopyTo(flat.AsSpan(i * Dimensions));
        var queries = Enumerable.Range(0, 20).Select(vectorOf).ToArray();
        double ours = double.MaxValue, plain = double.MaxValue;
        foreach (var query in queries)
        {
            var start = Stopwatch.GetTimestamp();
            var found = index.Nearest(query, 3, new(null, true), row => row.ToString(CultureInfo.InvariantCulture));
            ours = Math.Min(ours, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            start = Stopwatch.GetTimestamp();
            var best = PlainScan(flat, query);
            plain = Math.Min(plain, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            if (Math.Abs(found[0].Similarity - best) > 1e-5)
                throw new InvalidOperationException("The scans disagree.");
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"recall  {count,9:N0} × {Dimensions}  {what,-25} ours {ours,7:F2} ms   plain float scan {plain,7:F2} ms   {plain / ours:F2} × as fast"));
    }

    /// <summary>The best dot product, as fast as a float scan goes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float PlainScan(float[] rows, float[] query)
    {
        var best = float.NegativeInfinity;
        ref var x = ref MemoryMarshal.GetArrayDataReference(rows);
        ref var q = ref MemoryMarshal.GetArrayDataReference(query);
        for (var r = 0; r < rows.Length; r += Dimensions)
        {
            Vector512<float> a = default, b = default;
            for (var i = 0; i < Dimensions; i += 32)
            {
                a = Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref x, (nuint)(r + i)), Vector512.LoadUnsafe(ref q, (nuint)i), a);
                b = Vector512.FusedMultiplyAdd(Vector512.LoadUnsafe(ref x, (nuint)(r + i + 16)), Vector512.LoadUnsafe(ref q, (nuint)i + 16), b);
            }
            best = Math.Max(best, Vector512.Sum(a + b));
        }
        return best;
    }

    private static readonly HashedNgramEmbedder Embedder = new(Dimensions);
    private static readonly Dictionary<int, float[]> Firms = [];

    /// <summary>A firm's text with small differences, as wordings make them.</summary>
    private static float[] Question(StreamRandom random)
    {
        var firm = random.Next(2000);
        if (!Firms.TryGetValue(firm, out var text))
        {
            var name = StreamKey.Root(7).Child(firm).ToString()[..6];
            Firms.Add(firm, text = Embedder.Embed($"{name} North posts parcels. 4 km and 3 kg cost 22. 2 km and 7 kg cost 30. What do 5 km and 5 kg cost?").ToArray());
        }
        var vector = (float[])text.Clone();
        for (var i = 0; i < 12; i++)
            vector[random.Next(Dimensions)] += 0.05f * (float)(random.NextDouble() - 0.5);
        return Unit(vector);
    }

    private static float[] Direction(StreamRandom random)
    {
        var vector = new float[Dimensions];
        for (var i = 0; i < Dimensions; i++)
            vector[i] = (float)(random.NextDouble() + random.NextDouble() - random.NextDouble() - random.NextDouble());
        return Unit(vector);
    }

    private static float[] Unit(float[] vector)
    {
        var norm = (float)Cosine.Norm(vector)!.Value;
        for (var i = 0; i < vector.Length; i++)
            vector[i] /= norm;
        return vector;
    }
}
