using System.Diagnostics;
using System.Globalization;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Sqlite;

namespace SpeedupLlm.Benchmarks;

/// <summary>A large SQLite store: appending, opening with the first recall, recall again, and the first recall without the sidecar.</summary>
internal static class StoreSpeed
{
    private static Scope Home { get; set; } = new("local", null, null, "model", "compact-1");

    private static readonly HashedNgramEmbedder Embedder = new();

    /// <param name="arguments">The file, how many episodes, the fingerprint of their model (then <c>speedup ask</c> with that model finds them). A file that is there is used as it is.</param>
    public static async Task RunAsync(string[] arguments)
    {
        var file = arguments.ElementAtOrDefault(0) ?? Path.Combine(Path.GetTempPath(), "speedup-store-speed.db");
        var count = int.Parse(arguments.ElementAtOrDefault(1) ?? "1000000", CultureInfo.InvariantCulture);
        Home = Home with { ModelFingerprint = arguments.ElementAtOrDefault(2) ?? Home.ModelFingerprint };
        if (!File.Exists(file))
            await FillAsync(file, count);
        await RecallAsync(file, "with the sidecar");
        var index = file + ".index";
        Directory.Move(index, index + ".away");
        await RecallAsync(file, "records only, sidecar made again");
        Directory.Delete(index, recursive: true);
        Directory.Move(index + ".away", index);
        await RecallAsync(file, "with the sidecar");
    }

    private static async Task FillAsync(string file, int count)
    {
        var random = new StreamRandom(StreamKey.Root(1));
        var start = Stopwatch.GetTimestamp();
        await using (var store = await SqliteStore.OpenAsync(file, new() { SurvivesPowerLoss = false }, CancellationToken.None))
        {
            var pending = new Queue<Task>();
            for (var i = 0; i < count; i++)
            {
                var text = string.Create(CultureInfo.InvariantCulture, $"{Name(random)} {random.Pick(Branches)} {random.Pick(Services)}. 4 km and 3 kg cost 22. What do 5 km and 5 kg cost?");
                pending.Enqueue(store.AppendAsync(EpisodeOf(i, text), CancellationToken.None).AsTask());
                while (pending.Count > 512)
                    await pending.Dequeue();
            }
            await Task.WhenAll(pending);
        }
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"store   append {count:N0}: {count / seconds:N0} episodes/s, file {new FileInfo(file).Length >> 20} MiB"));
    }

    private static async Task RecallAsync(string file, string how)
    {
        var query = Embedder.Embed("Gumoke North posts parcels. 4 km and 3 kg cost 22. What do 5 km and 5 kg cost?");
        var start = Stopwatch.GetTimestamp();
        await using var store = await SqliteStore.OpenAsync(file, null, CancellationToken.None);
        var opened = Stopwatch.GetElapsedTime(start);
        var found = await store.NearestAsync(new(Home, Embedder.Fingerprint), query, 3, CancellationToken.None);
        var first = Stopwatch.GetElapsedTime(start);
        var best = TimeSpan.MaxValue;
        for (var i = 0; i < 10; i++)
        {
            start = Stopwatch.GetTimestamp();
            await store.NearestAsync(new(Home, Embedder.Fingerprint), query, 3, CancellationToken.None);
            best = best < Stopwatch.GetElapsedTime(start) ? best : Stopwatch.GetElapsedTime(start);
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"store   {how,-34} open {opened.TotalMilliseconds,6:F0} ms   open and first recall {first.TotalMilliseconds,6:F0} ms   recall {best.TotalMilliseconds,6:F1} ms   best {found[0].Similarity:F3}"));
    }

    private static readonly string[] Branches = ["North", "South", "East", "West"];
    private static readonly string[] Services = ["posts parcels", "rents boats", "prints posters", "cleans halls", "moves pianos"];

    private static string Name(StreamRandom random) => string.Concat(Enumerable.Range(0, 3).Select(_ => $"{"bdgklmnprstvz"[random.Next(13)]}{"aeiou"[random.Next(5)]}"));

    private static Episode EpisodeOf(int i, string text) => new()
    {
        Id = StreamKey.Root(3).Child(i).ToString(),
        Scope = Home,
        QuestionId = "q",
        Question = text,
        Answer = "Try charge 2 x + 3 y + 5. 8 + 9 = 17 + 5 = 22, bill 22 ok. 10 + 15 = 25 + 5 = 30. Answer 30.",
        Final = "30",
        Verdict = Verdict.SelfJudged,
        At = DateTimeOffset.UnixEpoch,
        Embedding = Embedder.Embed(text),
        EmbeddingFingerprint = Embedder.Fingerprint,
    };
}
