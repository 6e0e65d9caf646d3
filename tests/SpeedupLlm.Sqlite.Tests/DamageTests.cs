using SpeedupLlm.Experience;

namespace SpeedupLlm.Sqlite.Tests;

public sealed class DamageTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly TemporaryFolder _folder = new();

    private string Store => _folder.File("store.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task OpenAsync_NewerFormat_IsRefusedAndKept()
    {
        await FillAsync(3);
        Sql("PRAGMA user_version = 7");
        var before = await File.ReadAllBytesAsync(Store);
        var error = await Assert.ThrowsAsync<StoreFormatException>(async () => await Samples.OpenAsync(Store));
        Assert.Equal((7, 1), (error.Found, error.Supported));
        Assert.DoesNotContain('\n', error.Message);
        Assert.Equal(before, await File.ReadAllBytesAsync(Store));
    }

    [Theory]
    [InlineData("This is a letter, not a database. It is long enough to be read as a header of one hundred bytes, which it is not.")]
    [InlineData("short")]
    public async Task OpenAsync_NoDatabase_IsRefusedAndKept(string content)
    {
        await File.WriteAllTextAsync(Store, content);
        var error = await Assert.ThrowsAsync<StoreCorruptException>(async () => await Samples.OpenAsync(Store));
        Assert.DoesNotContain('\n', error.Message);
        Assert.Equal(content, await File.ReadAllTextAsync(Store));
    }

    [Fact]
    public async Task OpenAsync_AnotherProgramsDatabase_IsRefusedAndKept()
    {
        Sql("CREATE TABLE theirs (x)");
        await Assert.ThrowsAsync<StoreCorruptException>(async () => await Samples.OpenAsync(Store));
        Assert.Equal(1L, Sql("SELECT count(*) FROM sqlite_master"));
    }

    [Fact]
    public async Task OpenAsync_FileCutToNothing_IsNotAnEmptyStore()
    {
        await FillAsync(1100);
        await File.WriteAllBytesAsync(Store, []);
        await Assert.ThrowsAsync<StoreCorruptException>(async () => await Samples.OpenAsync(Store));
        Assert.Empty(await File.ReadAllBytesAsync(Store));
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.03)]
    public async Task Reading_TornFile_SaysSoAndKeepsIt(double part)
    {
        await FillAsync(600);
        var whole = await File.ReadAllBytesAsync(Store);
        var torn = whole[..(int)(whole.Length * part)];
        await File.WriteAllBytesAsync(Store, torn);
        var error = await Assert.ThrowsAsync<StoreCorruptException>(async () =>
        {
            await using var store = await Samples.OpenAsync(Store);
            await foreach (var _ in store.ListAsync(Samples.Everything, None))
            {
                // until it breaks
            }
            await store.NearestAsync(Samples.Everything, Samples.Vector("a"), 700, None);
        });
        Assert.DoesNotContain('\n', error.Message);
        Assert.True((await File.ReadAllBytesAsync(Store)).Length >= torn.Length);
    }

    [Fact]
    public async Task Reading_BadRecords_AreSetAsideAndTheRestIsFound()
    {
        var ids = await FillAsync(1300);
        Sql("UPDATE episode SET record = '{\"id\": \"e3\", tor' WHERE id = 'e3'");
        Sql("UPDATE vector SET data = x'0102030405' WHERE row = (SELECT vector FROM episode WHERE id = 'e40')");
        Sql("UPDATE vector SET data = zeroblob(8) WHERE row = (SELECT vector FROM episode WHERE id = 'e1250')");
        Sql("DELETE FROM vector WHERE row = (SELECT vector FROM episode WHERE id = 'e500')");
        Sql("UPDATE episode SET record = replace(record, '\"e6\"', '\"e7\"') WHERE id = 'e6'");
        await using var store = await Samples.OpenAsync(Store);
        string[] left = [.. ids.Except(["e3", "e40", "e1250", "e500", "e6"])];
        Assert.Equal(left.Length, (await store.NearestAsync(Samples.Everything, Samples.Vector("e40"), 5000, None)).Count);
        await Samples.AssertFindsAsync(store, left);
        var listed = new List<string>();
        await foreach (var episode in store.ListAsync(Samples.Everything, None))
            listed.Add(episode.Id);
        Assert.Equal(left.Reverse(), listed);
        Assert.Null(await store.GetEpisodeAsync("home", "e3", None));
        Assert.Equal(new(left.Length, 0, 5, null), await store.CheckAsync(None));
        Assert.Equal("{\"id\": \"e3\", tor", System.Text.Encoding.UTF8.GetString((byte[])Sql("SELECT CAST(record AS BLOB) FROM set_aside WHERE name = 'e3'")!));
        // what was set aside is forgotten like everything else
        Assert.Equal(1, await store.ForgetAsync("home", "e3", None));
        Assert.Equal(4, (await store.CheckAsync(None)).SetAside);
    }

    [Fact]
    public async Task CheckAsync_BadRecordsNobodyMet_AreFoundAndCounted()
    {
        await FillAsync(20);
        await using (var store = await Samples.OpenAsync(Store))
            await store.PutAsync(Samples.Document("d", "e1"), None);
        Sql("UPDATE episode SET record = '{}' WHERE id = 'e5'");
        Sql("UPDATE document SET record = 'x'");
        await using var opened = await Samples.OpenAsync(Store);
        Assert.Equal(new(19, 0, 2, null), await opened.CheckAsync(None));
        Assert.Equal(new(19, 0, 2, null), await opened.CheckAsync(None));
        Assert.Null(await opened.GetAsync(Samples.Home, "lesson", "d", None));
        // its episode's forgetting reaches the document where it lies now
        Assert.Equal(2, await opened.ForgetAsync("home", "e1", None));
        Assert.Equal(new(18, 0, 1, null), await opened.CheckAsync(None));
    }

    [Fact]
    public async Task UpdateEpisodeAsync_BadRecord_IsSetAside()
    {
        await FillAsync(2);
        Sql("UPDATE episode SET record = '[]' WHERE id = 'e1'");
        await using var store = await Samples.OpenAsync(Store);
        Assert.False(await store.UpdateEpisodeAsync("home", "e1", e => e with { Helped = 1 }, None));
        Assert.Equal(new(1, 0, 1, null), await store.CheckAsync(None));
    }

    [Fact]
    public async Task AppendAsync_FullDisk_IsDegradedUntilThereIsRoom()
    {
        await using var store = await SqliteStore.OpenAsync(Store, new() { MostPages = 120, SurvivesPowerLoss = false }, None);
        var kept = new List<string>();
        var error = await Assert.ThrowsAsync<StoreDegradedException>(async () =>
        {
            for (var i = 0; i < 5000; i++)
            {
                await store.AppendAsync(Samples.Episode($"e{i}"), None);
                kept.Add($"e{i}");
            }
        });
        Assert.Equal("the disk is full", error.Reason);
        Assert.NotEmpty(kept);
        Assert.Equal(new(kept.Count, 0, 0, "the disk is full"), await store.CheckAsync(None));
        await Samples.AssertFindsAsync(store, kept);
        foreach (var id in kept[..^5])
            await store.ForgetAsync("home", id, None);
        await store.AppendAsync(Samples.Episode("later"), None);
        Assert.Equal(new(6, 0, 0, null), await store.CheckAsync(None));
        await Samples.AssertFindsAsync(store, [.. kept[^5..], "later"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Store_OnAReadOnlyDisk_RecallsAndSaysThatItKeepsNothing(bool folderToo)
    {
        if (OperatingSystem.IsWindows())
            return; // modes are Unix's
        await FillAsync(3);
        File.SetUnixFileMode(Store, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        var open = UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        var everything = open | UnixFileMode.UserWrite | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        File.SetUnixFileMode(_folder.Path, folderToo ? open : everything);
        try
        {
            using var child = ChildProcess.Start(asNobody: Environment.UserName == "root", "degraded", Store);
            Assert.Equal("3 | it is read-only | it is read-only", await child.OutputAsync());
        }
        finally
        {
            File.SetUnixFileMode(_folder.Path, everything);
        }
    }

    [Fact]
    public async Task Store_WhereNoFileCanBe_IsEmptyAndDegraded()
    {
        await File.WriteAllTextAsync(_folder.File("file"), "in the way");
        await using var store = await Samples.OpenAsync(_folder.File("file/store.db"));
        Assert.Empty(await store.NearestAsync(Samples.Everything, Samples.Vector("a"), 5, None));
        Assert.Null(await store.GetEpisodeAsync("home", "e1", None));
        await Assert.ThrowsAsync<StoreDegradedException>(async () => await store.AppendAsync(Samples.Episode("a"), None));
        Assert.NotNull((await store.CheckAsync(None)).Degraded);
        Assert.Equal("in the way", await File.ReadAllTextAsync(_folder.File("file")));
    }

    [Fact]
    public async Task Store_AfterClosing_RefusesInOneWay()
    {
        var store = await Samples.OpenAsync(Store);
        await store.DisposeAsync();
        await store.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.AppendAsync(Samples.Episode("a"), None));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.GetEpisodeAsync("home", "a", None));
    }

    private async Task<string[]> FillAsync(int count)
    {
        string[] ids = [.. Enumerable.Range(0, count).Select(i => $"e{i}")];
        await using var store = await Samples.OpenAsync(Store);
        await Samples.AppendAsync(store, ids);
        return ids;
    }

    private object? Sql(string sql)
    {
        using var database = Database.Open(Store, Microsoft.Data.Sqlite.SqliteOpenMode.ReadWriteCreate, TimeSpan.FromSeconds(10));
        return database.Scalar(sql);
    }
}
