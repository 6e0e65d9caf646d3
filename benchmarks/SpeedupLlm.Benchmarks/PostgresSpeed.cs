using System.Diagnostics;
using System.Globalization;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.PostgreSql;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Benchmarks;

/// <summary>A PostgreSQL store: appending one by one and many at once, the first recall (which reads the vectors) and the next ones, beside a plain scan of floats in the same run.</summary>
internal static class PostgresSpeed
{
    private const int Dimensions = 256, Together = 512, OneByOne = 500, Recalls = 20;

    /// <param name="arguments">The address of an empty database, and how many episodes.</param>
    public static async Task RunAsync(string[] arguments)
    {
        var address = arguments.ElementAtOrDefault(0) ?? throw new ArgumentException("postgres ADDRESS [EPISODES]", nameof(arguments));
        var count = int.Parse(arguments.ElementAtOrDefault(1) ?? "100000", CultureInfo.InvariantCulture);
        var vectors = new float[count][];
        await using (var store = await PostgreSqlStore.OpenAsync(address, null, CancellationToken.None))
        {
            var single = Math.Min(OneByOne, count);
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < single; i++)
                await store.AppendAsync(EpisodeOf(i, vectors), CancellationToken.None);
            Print("append, one by one", single / Stopwatch.GetElapsedTime(start).TotalSeconds, "episodes/s");
            start = Stopwatch.GetTimestamp();
            var pending = new Queue<Task>();
            for (var i = single; i < count; i++)
            {
                pending.Enqueue(store.AppendAsync(EpisodeOf(i, vectors), CancellationToken.None).AsTask());
                while (pending.Count > Together)
                    await pending.Dequeue();
            }
            await Task.WhenAll(pending);
            Print($"append, {Together} at once", (count - single) / Stopwatch.GetElapsedTime(start).TotalSeconds, "episodes/s");
        }

        var scan = TimeSpan.MaxValue;
        for (var i = 0; i < Recalls; i++)
        {
            var query = Unit(StreamKey.Root(7).Child(i));
            var start = Stopwatch.GetTimestamp();
            _ = vectors.Select((v, n) => (n, Cosine.Dot(v, query))).OrderByDescending(v => v.Item2).Take(3).ToArray();
            scan = Shorter(scan, start);
        }
        Print("recall, plain scan of floats", scan.TotalMilliseconds, "ms");
        foreach (var (place, usePgvector) in ((string, bool)[])[("in the process", false), ("pgvector, if it is there", true)])
        {
            await using var store = await PostgreSqlStore.OpenAsync(address, new() { UsePgvector = usePgvector }, CancellationToken.None);
            var best = TimeSpan.MaxValue;
            for (var i = 0; i < Recalls; i++)
            {
                var query = Unit(StreamKey.Root(7).Child(i));
                var start = Stopwatch.GetTimestamp();
                await store.NearestAsync(new(Home, "benchmark"), query, 3, CancellationToken.None);
                if (i == 0)
                    Print("first recall, " + place, Stopwatch.GetElapsedTime(start).TotalMilliseconds, "ms");
                best = Shorter(best, start);
            }
            Print("recall, " + place, best.TotalMilliseconds, string.Create(CultureInfo.InvariantCulture, $"ms, {scan / best:F2} x the plain scan"));
        }
    }

    private static Scope Home { get; } = new("local", null, null, "model", "prompts");

    private static TimeSpan Shorter(TimeSpan best, long start) => Stopwatch.GetElapsedTime(start) is var now && now < best ? now : best;

    private static void Print(string what, double value, string unit) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"postgres   {what,-40} {value,10:N1} {unit}"));

    private static float[] Unit(StreamKey key)
    {
        var random = new StreamRandom(key);
        float[] vector = [.. Enumerable.Range(0, Dimensions).Select(_ => (float)(random.NextDouble() - random.NextDouble()))];
        var norm = Cosine.Norm(vector)!.Value;
        return [.. vector.Select(x => (float)(x / norm))];
    }

    private static Episode EpisodeOf(int i, float[][] vectors) => new()
    {
        Id = StreamKey.Root(3).Child(i).ToString(),
        Scope = Home,
        QuestionId = "q",
        Question = "Gumoke North posts parcels. 4 km and 3 kg cost 22. What do 5 km and 5 kg cost?",
        Answer = "Try charge 2 x + 3 y + 5. 8 + 9 = 17 + 5 = 22, bill 22 ok. 10 + 15 = 25 + 5 = 30. Answer 30.",
        Final = "30",
        Verdict = Verdict.SelfJudged,
        At = DateTimeOffset.UnixEpoch,
        Embedding = vectors[i] = Unit(StreamKey.Root(5).Child(i)),
        EmbeddingFingerprint = "benchmark",
    };
}
