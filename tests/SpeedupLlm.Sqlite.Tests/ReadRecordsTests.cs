using SpeedupLlm.Testing;

namespace SpeedupLlm.Sqlite.Tests;

public sealed class ReadRecordsTests : IDisposable
{
    private const int Writes = 100;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Get_WhatSomebodyElseJustWrote_IsNeverOlderThanItsAcknowledgement()
    {
        await using var writing = await SqliteStore.OpenAsync(_folder.File("experience.db"), null, CancellationToken.None);
        await using var reading = await SqliteStore.OpenAsync(_folder.File("experience.db"), null, CancellationToken.None);
        await writing.AppendAsync(Samples.Episode("one"), CancellationToken.None);
        var document = (await writing.PutAsync(Samples.Document("counter"), CancellationToken.None))!;
        var (helped, version) = (0, document.Version);
        using var done = new CancellationTokenSource();
        // many readers of both stores, so that several connections look at different times
        var readers = new[] { writing, reading, writing, reading }.Select(store => Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                var (leastHelped, leastVersion) = (Volatile.Read(ref helped), Volatile.Read(ref version));
                Assert.InRange((await store.GetEpisodeAsync("home", "one", CancellationToken.None))!.Helped, leastHelped, int.MaxValue);
                Assert.InRange((await store.GetAsync(Samples.Home, "lesson", "counter", CancellationToken.None))!.Version, leastVersion, long.MaxValue);
            }
        })).ToList();
        for (var i = 1; i <= Writes; i++)
        {
            await writing.UpdateEpisodeAsync("home", "one", e => e with { Helped = e.Helped + 1 }, CancellationToken.None);
            Volatile.Write(ref helped, i);
            document = (await writing.PutAsync(document with { Text = $"Lesson {i}" }, CancellationToken.None))!;
            Volatile.Write(ref version, document.Version);
        }
        await done.CancelAsync();
        await Task.WhenAll(readers);
        Assert.Equal(Writes, (await reading.GetEpisodeAsync("home", "one", CancellationToken.None))!.Helped);
    }

    [Fact]
    public async Task Get_WhatWasForgottenElsewhere_IsGone()
    {
        await using var one = await SqliteStore.OpenAsync(_folder.File("experience.db"), null, CancellationToken.None);
        await using var other = await SqliteStore.OpenAsync(_folder.File("experience.db"), null, CancellationToken.None);
        await one.AppendAsync(Samples.Episode("one"), CancellationToken.None);
        await one.PutAsync(Samples.Document("lesson", "one"), CancellationToken.None);
        for (var i = 0; i < 3; i++)
        {
            Assert.NotNull(await other.GetEpisodeAsync("home", "one", CancellationToken.None));
            Assert.NotNull(await other.GetAsync(Samples.Home, "lesson", "lesson", CancellationToken.None));
        }
        await one.ForgetAsync("home", "one", CancellationToken.None);
        Assert.Null(await other.GetEpisodeAsync("home", "one", CancellationToken.None));
        Assert.Null(await other.GetAsync(Samples.Home, "lesson", "lesson", CancellationToken.None));
        Assert.Null(await one.GetEpisodeAsync("home", "one", CancellationToken.None));
    }
}
