using SpeedupLlm.Experience;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Sqlite.Tests;

public sealed class SidecarTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly TemporaryFolder _folder = new();

    private string Store => _folder.File("store.db");

    private string Sidecar => Directory.GetFiles(Store + ".index", "*.vectors").Single();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Open_WrittenBefore_ReadsBlocksAndTheRest()
    {
        var ids = await FillAsync(0, 3000);
        var file = await File.ReadAllBytesAsync(Sidecar);
        Assert.Equal(4096 + 2 * (64 + VectorBlock.ImageBytes(24)), file.Length);
        await AssertFindsAsync(ids);
        Assert.Equal(file, await File.ReadAllBytesAsync(Sidecar));
        // appended to, never written anew
        var more = await FillAsync(3000, 5300);
        await AssertFindsAsync([.. ids, .. more]);
        var longer = await File.ReadAllBytesAsync(Sidecar);
        Assert.Equal(4096 + 5 * (64 + VectorBlock.ImageBytes(24)), longer.Length);
        Assert.Equal(file, longer[..file.Length]);
    }

    [Fact]
    public async Task Open_FolderDeleted_IsMadeAgainFromTheRecords()
    {
        var ids = await FillAsync(0, 2100);
        var before = await File.ReadAllBytesAsync(Sidecar);
        Directory.Delete(Store + ".index", recursive: true);
        await AssertFindsAsync(ids);
        Assert.Equal(before[4096..], (await File.ReadAllBytesAsync(Sidecar))[4096..]);
    }

    [Theory]
    [InlineData("magic", 3)]
    [InlineData("header", 30)]
    [InlineData("block header", 4096 + 3)]
    [InlineData("row numbers", 4096 + 64 + 5)]
    [InlineData("coarse plane", 4096 + 64 + 33 * 1024)]
    [InlineData("second block", -70_000)]
    public async Task Open_DamagedByte_IsNoticedAndMadeAgain(string where, int at)
    {
        Assert.NotEmpty(where);
        var ids = await FillAsync(0, 2100);
        var sound = await File.ReadAllBytesAsync(Sidecar);
        var damaged = (byte[])sound.Clone();
        damaged[at < 0 ? sound.Length + at : at] ^= 0x40;
        await File.WriteAllBytesAsync(Sidecar, damaged);
        await AssertFindsAsync(ids);
        Assert.Equal(sound[4096..], (await File.ReadAllBytesAsync(Sidecar))[4096..]);
        await AssertFindsAsync(ids);
    }

    [Fact]
    public async Task Search_DamagedFinePlane_IsNoticedAndMadeAgain()
    {
        var ids = await FillAsync(0, 2100);
        var sound = await File.ReadAllBytesAsync(Sidecar);
        var damaged = (byte[])sound.Clone();
        var block = 64 + VectorBlock.ImageBytes(24);
        for (var b = 0; b < 2; b++)
        {
            // not the last row, which is compared with its record when the file is opened
            for (var i = 32; i < 32 * 1024; i++)
                damaged[4096 + (b + 1) * block - 1 - i] ^= 0x11;
        }
        await File.WriteAllBytesAsync(Sidecar, damaged);
        await AssertFindsAsync(ids);
        Assert.Equal(sound[4096..], (await File.ReadAllBytesAsync(Sidecar))[4096..]);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(5000)]
    [InlineData(-1)]
    [InlineData(-40_000)]
    public async Task Open_CutFile_IsUsedAsFarAsItGoes(int length)
    {
        var ids = await FillAsync(0, 2100);
        var sound = await File.ReadAllBytesAsync(Sidecar);
        await File.WriteAllBytesAsync(Sidecar, sound[..(length < 0 ? sound.Length + length : length)]);
        await AssertFindsAsync(ids);
        Assert.Equal(sound[4096..], (await File.ReadAllBytesAsync(Sidecar))[4096..]);
    }

    [Fact]
    public async Task Open_AnotherStoresSidecar_IsNotUsed()
    {
        var ids = await FillAsync(0, 1100);
        var other = _folder.File("other.db");
        await using (var store = await Samples.OpenAsync(other))
            await Samples.AppendAsync(store, Enumerable.Range(0, 1100).Select(i => $"x{i}"));
        File.Copy(Directory.GetFiles(other + ".index", "*.vectors").Single(), Sidecar, overwrite: true);
        await AssertFindsAsync(ids);
    }

    [Fact]
    public async Task Open_StoreRestoredFromACopy_IsNoticed()
    {
        await FillAsync(0, 900);
        File.Copy(Store, _folder.File("copy.db"));
        await FillAsync(900, 2100);
        File.Copy(_folder.File("copy.db"), Store, overwrite: true);
        await AssertFindsAsync([.. Enumerable.Range(0, 900).Select(i => $"e{i}")]);
        // the same row numbers, other records
        File.Copy(_folder.File("copy.db"), Store, overwrite: true);
        var after = await FillAsync(5000, 6300);
        await AssertFindsAsync([.. Enumerable.Range(0, 900).Select(i => $"e{i}"), .. after]);
    }

    [Fact]
    public async Task Open_ChangedSinceTheBlocksWereWritten_SeesTheChanges()
    {
        // the nearest of the first query go: an index that still counts them would let too few others in
        var ids = Samples.Nearest(await FillAsync(0, 2100), Samples.Vector("query a"), 2100);
        await using (var store = await Samples.OpenAsync(Store))
        {
            foreach (var id in ids[..40])
                await store.ForgetAsync("home", id, None);
            foreach (var id in ids[40..80])
                await store.UpdateEpisodeAsync("home", id, e => e with { Verdict = Verdict.Unverified }, None);
            foreach (var id in ids[60..80])
                await store.UpdateEpisodeAsync("home", id, e => e with { Verdict = Verdict.SelfJudged }, None);
        }
        await AssertFindsAsync(ids[40..]);
        await using var again = await Samples.OpenAsync(Store);
        var usable = await again.NearestAsync(Samples.Everything with { UsableOnly = true }, Samples.Vector("query a"), 30, None);
        Assert.Equal(ids[60..90], usable.Select(n => n.Item.Id));
    }

    [Fact]
    public async Task Open_MostlyForgotten_IsMadeAgainWithoutThem()
    {
        var ids = await FillAsync(0, 5000);
        await using (var store = await Samples.OpenAsync(Store))
            await Task.WhenAll(ids[..3000].Select(id => store.ForgetAsync("home", id, None).AsTask()));
        await AssertFindsAsync(ids[3000..]);
        Assert.Equal(4096 + 1 * (64 + VectorBlock.ImageBytes(24)), new FileInfo(Sidecar).Length);
    }

    [Fact]
    public async Task Save_TwoStoresAtOnce_KeepOneSoundFile()
    {
        string[] ids = [.. Enumerable.Range(0, 3000).Select(i => $"e{i}")];
        await using (var one = await Samples.OpenAsync(Store))
        await using (var other = await Samples.OpenAsync(Store))
        {
            for (var i = 0; i < 3000; i += 500)
            {
                await Samples.AppendAsync(i % 1000 == 0 ? one : other, ids[i..(i + 500)]);
                await Task.WhenAll(Samples.AssertFindsAsync(one, ids[..(i + 500)]), Samples.AssertFindsAsync(other, ids[..(i + 500)]));
            }
        }
        await AssertFindsAsync(ids);
        Assert.Equal(4096 + 2 * (64 + VectorBlock.ImageBytes(24)), new FileInfo(Sidecar).Length);
    }

    [Fact]
    public async Task Save_FolderCannotBeMade_IsDoneWithout()
    {
        await File.WriteAllTextAsync(Store + ".index", "in the way");
        var ids = await FillAsync(0, 2100);
        await AssertFindsAsync(ids);
    }

    private async Task<string[]> FillAsync(int from, int to)
    {
        string[] ids = [.. Enumerable.Range(from, to - from).Select(i => $"e{i}")];
        await using var store = await Samples.OpenAsync(Store);
        await Samples.AppendAsync(store, ids);
        return ids;
    }

    private async Task AssertFindsAsync(string[] ids)
    {
        await using var store = await Samples.OpenAsync(Store);
        await Samples.AssertFindsAsync(store, ids);
    }
}
