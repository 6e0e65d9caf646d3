using SpeedupLlm.Experience;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests.Experience;

public sealed class InMemoryStoreTests : StoreContract
{
    protected override ValueTask<IExperienceStore> OpenAsync() => new(new InMemoryStore());

    [Fact]
    public async Task AppendAsync_Bounded_KeepsTheLastEpisodesAndAllDocuments()
    {
        await using var store = new InMemoryStore(new() { MaxEpisodes = 3 });
        await store.PutAsync(DocumentOf("made", ["e0"]), None);
        for (var i = 0; i < 10; i++)
            await store.AppendAsync(EpisodeOf($"e{i}"), None);
        await store.ForgetAsync("home", "e8", None);
        await store.AppendAsync(EpisodeOf("e10"), None);
        Assert.Equal(["e10", "e9", "e7"], (await All(store.ListAsync(See(), None))).Select(e => e.Id));
        Assert.Equal(3, (await store.NearestAsync(See(), new float[] { 1, 0, 0, 0 }, 9, None)).Count);
        await store.AppendAsync(EpisodeOf("e11"), None);
        Assert.Equal(["e11", "e10", "e9"], (await All(store.ListAsync(See(), None))).Select(e => e.Id));
        Assert.NotNull(await store.GetAsync(Home, "lesson", "made", None));
        Assert.Equal(new(3, 1, 0, null), await store.CheckAsync(None));
    }

    [Fact]
    public void Constructor_BoundBelowOne_IsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new InMemoryStore(new() { MaxEpisodes = 0 }));
}
