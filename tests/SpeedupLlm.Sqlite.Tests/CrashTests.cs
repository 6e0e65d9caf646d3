using SpeedupLlm.Experience;

namespace SpeedupLlm.Sqlite.Tests;

public sealed class CrashTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AppendAsync_KilledAtAnyMoment_LosesNoAcknowledgedRecord()
    {
        var file = _folder.File("store.db");
        var acknowledged = new List<string>();
        foreach (var (round, lines) in ((int, int)[])[(0, 1), (1, 40), (2, 333), (3, 1200)])
        {
            using var child = ChildProcess.Start(asNobody: false, "append", file, $"r{round}", "1000000");
            for (var i = 0; i < lines; i++)
                acknowledged.Add(await child.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException(await child.StandardError.ReadToEndAsync()));
            child.Kill(); // SIGKILL
            // what it could still print was acknowledged as well; the last line may be cut
            var rest = (await child.StandardOutput.ReadToEndAsync()).Split('\n');
            acknowledged.AddRange(rest[..^1]);
            await child.WaitForExitAsync();

            await using var store = await Samples.OpenAsync(file);
            var listed = new List<string>();
            await foreach (var episode in store.ListAsync(Samples.Everything, None))
            {
                Assert.Equal(Samples.Episode(episode.Id).Answer, episode.Answer);
                listed.Add(episode.Id);
            }
            Assert.Empty(acknowledged.Except(listed));
            Assert.Equal(listed.Count, listed.Distinct().Count());
            foreach (var id in acknowledged.TakeLast(50))
                Assert.NotNull(await store.GetAsync(Samples.Home, "lesson", "of-" + id, None));
            await Samples.AssertFindsAsync(store, listed);
            Assert.Equal(0, (await store.CheckAsync(None)).SetAside);
        }
    }

    [Fact]
    public async Task Writing_ThreeProcessesAtOnce_LosesNoUpdate()
    {
        var file = _folder.File("store.db");
        await using var store = await SqliteStore.OpenAsync(file, new() { Busy = TimeSpan.FromSeconds(60) }, None);
        await store.AppendAsync(Samples.Episode("counted"), None);
        using var one = ChildProcess.Start(asNobody: false, "count", file, "60");
        using var two = ChildProcess.Start(asNobody: false, "append", file, "theirs", "40");
        var seen = 0;
        for (var i = 0; i < 60;)
        {
            var held = await store.GetAsync(Samples.Home, "counter", "c", None) ?? Samples.Document("c", kind: "counter") with { Text = "0" };
            var next = held with { Text = (int.Parse(held.Text, System.Globalization.CultureInfo.InvariantCulture) + 1).ToString(System.Globalization.CultureInfo.InvariantCulture) };
            if (await store.PutAsync(next, None) is null)
                continue;
            i++;
            await store.UpdateEpisodeAsync("home", "counted", e => e with { Helped = e.Helped + 1 }, None);
            seen = Math.Max(seen, (await store.NearestAsync(Samples.Everything, Samples.Vector("a"), 500, None)).Count);
        }
        await one.OutputAsync();
        var theirs = (await two.OutputAsync()).Split('\n', StringSplitOptions.TrimEntries);
        Assert.Equal(160, theirs.Length);
        Assert.Equal("120", (await store.GetAsync(Samples.Home, "counter", "c", None))!.Text);
        Assert.Equal(120, (await store.GetEpisodeAsync("home", "counted", None))!.Helped);
        Assert.Equal(new(161, 161, 0, null), await store.CheckAsync(None));
        await Samples.AssertFindsAsync(store, [.. theirs, "counted"]);
    }

    [Fact]
    public async Task OpenAsync_ManyAtOnceOnANewFile_AllOpen()
    {
        var file = _folder.File("new/folder/store.db");
        var stores = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () => await Samples.OpenAsync(file))));
        await Task.WhenAll(stores.Select((s, i) => s.AppendAsync(Samples.Episode($"e{i}"), None).AsTask()));
        foreach (var store in stores)
        {
            Assert.Equal(8, (await store.NearestAsync(Samples.Everything, Samples.Vector("a"), 99, None)).Count);
            await store.DisposeAsync();
        }
    }

    [Fact]
    public async Task NearestAsync_WrittenThroughAnotherStore_SeesIt()
    {
        await using var one = await Samples.OpenAsync(_folder.File("store.db"));
        await using var other = await Samples.OpenAsync(_folder.File("store.db"));
        await Samples.AppendAsync(one, Ids(0, 1500));
        await Samples.AssertFindsAsync(other, Ids(0, 1500));
        await Samples.AppendAsync(one, Ids(1500, 1600));
        string[] gone = [.. Samples.Nearest(Ids(0, 1600), Samples.Vector("query a"), 12), "e1550"];
        foreach (var id in gone)
            await other.ForgetAsync("home", id, None);
        string[] left = [.. Ids(0, 1600).Except(gone)];
        await Samples.AssertFindsAsync(one, left);
        await Samples.AssertFindsAsync(other, left);
        await one.UpdateEpisodeAsync("home", left[8], e => e with { Verdict = Verdict.Rejected }, None);
        var usable = await other.NearestAsync(Samples.Everything with { UsableOnly = true }, Samples.Vector(left[8]), 5, None);
        Assert.Equal(Samples.Nearest(left.Except([left[8]]), Samples.Vector(left[8]), 5), usable.Select(n => n.Item.Id));
    }

    [Fact]
    public async Task NearestAsync_WhileOthersWrite_IsAlwaysExactForWhatWasThere()
    {
        await using var store = await Samples.OpenAsync(_folder.File("store.db"));
        var first = Ids(0, 1200);
        await Samples.AppendAsync(store, first);
        var query = Samples.Vector("e5");
        using var done = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 400; i++)
            {
                await store.AppendAsync(Samples.Episode($"other{i}", Samples.Home with { User = "other" }), None);
                await store.ForgetAsync("home", $"other{i - 3}", None);
            }
            await done.CancelAsync();
        });
        while (!done.IsCancellationRequested)
        {
            var found = (await store.NearestAsync(Samples.Everything, query, 20, None)).Select(n => n.Item.Id).Where(id => id[0] == 'e').ToArray();
            Assert.Equal(Samples.Nearest(first, query, found.Length), found);
            Assert.InRange(found.Length, 10, 20);
        }
        await writing;
    }

    private static string[] Ids(int from, int to) => [.. Enumerable.Range(from, to - from).Select(i => $"e{i}")];
}
