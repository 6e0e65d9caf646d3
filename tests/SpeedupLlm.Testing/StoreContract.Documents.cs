using System.Globalization;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;

namespace SpeedupLlm.Testing;

public abstract partial class StoreContract
{
    [Fact]
    public async Task PutAsync_NewDocument_IsKeptWhole()
    {
        await using var store = await OpenAsync();
        var stored = await store.PutAsync(DocumentOf("a", ["e1", "e2"]), None);
        Assert.Equal(1, stored!.Version);
        AssertSame(stored, await store.GetAsync(Home, "lesson", "a", None));
        AssertSame(DocumentOf("a", ["e1", "e2"]) with { Version = 1 }, stored);
        Assert.Null(await store.GetAsync(Home, "adapter", "a", None));
        Assert.Null(await store.GetAsync(Home with { User = "ann" }, "lesson", "a", None));
    }

    [Fact]
    public async Task PutAsync_OtherVersionThanStored_IsRefused()
    {
        await using var store = await OpenAsync();
        Assert.Null(await store.PutAsync(DocumentOf("a", version: 1), None));
        Assert.NotNull(await store.PutAsync(DocumentOf("a"), None));
        Assert.Null(await store.PutAsync(DocumentOf("a") with { Text = "again" }, None));
        var second = await store.PutAsync(DocumentOf("a", version: 1) with { Text = "second" }, None);
        Assert.Equal(2, second!.Version);
        Assert.Null(await store.PutAsync(DocumentOf("a", version: 1) with { Text = "late" }, None));
        Assert.Equal("second", (await store.GetAsync(Home, "lesson", "a", None))!.Text);
    }

    [Fact]
    public async Task PutAsync_ManyAtOnce_LosesNoUpdate()
    {
        await using var store = await OpenAsync();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var done = 0; done < 25;)
            {
                var held = await store.GetAsync(Home, "running-lesson", "counter", None) ?? DocumentOf("counter", kind: "running-lesson") with { Text = "0" };
                var next = (int.Parse(held.Text, CultureInfo.InvariantCulture) + 1).ToString(CultureInfo.InvariantCulture);
                if (await store.PutAsync(held with { Text = next }, None) is not null)
                    done++;
            }
        })));
        var counter = await store.GetAsync(Home, "running-lesson", "counter", None);
        Assert.Equal(("200", 200), (counter!.Text, counter.Version));
    }

    [Fact]
    public async Task NearestDocumentsAsync_NewVersion_IsFoundWhereItIsNow()
    {
        await using var store = await OpenAsync();
        await store.PutAsync(DocumentOf("a", embedding: [1, 0, 0, 0]), None);
        await store.PutAsync(DocumentOf("b", embedding: [0.8f, 0.6f, 0, 0]), None);
        await store.PutAsync(DocumentOf("other", embedding: [1, 0, 0, 0], kind: "adapter"), None);
        Assert.Equal(["a", "b"], Keys((await store.NearestDocumentsAsync(See(), "lesson", new float[] { 1, 0, 0, 0 }, 5, None)).Select(n => n.Item)));
        await store.PutAsync(DocumentOf("a", embedding: [0, 1, 0, 0], version: 1), None);
        var found = await store.NearestDocumentsAsync(See(), "lesson", new float[] { 1, 0, 0, 0 }, 5, None);
        Assert.Equal(["b", "a"], Keys(found.Select(n => n.Item)));
        Assert.Equal(0.8, found[0].Similarity, 1e-6);
        Assert.Equal(0, found[1].Similarity, 1e-9);
        Assert.Equal(2, found[1].Item.Version);
    }

    [Fact]
    public async Task NearestDocumentsAsync_Ties_AreOrderedByKey()
    {
        await using var store = await OpenAsync();
        foreach (var key in (string[])["m", "B", "a"])
            await store.PutAsync(DocumentOf(key), None);
        await store.PutAsync(DocumentOf("a", scope: Home with { User = "ann" }), None);
        var found = await store.NearestDocumentsAsync(See(), "lesson", new float[] { 1, 0, 0, 0 }, 3, None);
        Assert.Equal([("B", null), ("a", null), ("a", "ann")], found.Select(n => (n.Item.Key, n.Item.Scope.User)));
        Assert.Single(await store.NearestDocumentsAsync(See(Home with { User = "ann" }), "lesson", new float[] { 1, 0, 0, 0 }, 3, None));
        Assert.Empty(await store.NearestDocumentsAsync(See(embedder: "other"), "lesson", new float[] { 1, 0, 0, 0 }, 3, None));
        Assert.Empty(await store.NearestDocumentsAsync(See(Home with { Tenant = "away" }), "lesson", new float[] { 1, 0, 0, 0 }, 3, None));
        Assert.Empty(await store.NearestDocumentsAsync(See(), "lesson", new float[] { float.NaN, 0, 0, 0 }, 3, None));
    }

    [Fact]
    public async Task NearestDocumentsAsync_ThousandsOfEqualVectors_GivesTheFirstByKeyAndScope()
    {
        await using var store = await OpenAsync();
        var random = new StreamRandom(StreamKey.Root(3).Child("ties"));
        var names = Enumerable.Range(0, 1500)
            .Select(i => (Key: $"{(i % 3 == 0 ? "ab" : "question ")}{(i % 5 == 0 ? "" : $"{random.NextBits() % 1000:x}")}", User: i % 2 == 0 ? $"user {i % 40}" : null))
            .ToHashSet();
        await Task.WhenAll(names.Select(n => store.PutAsync(DocumentOf(n.Key, scope: Home with { User = n.User }), None).AsTask()));
        var expected = names.OrderBy(n => $"{n.Key}\0{n.User}\0", StringComparer.Ordinal).ToList();
        foreach (var count in (int[])[1, 9, names.Count])
        {
            var found = await store.NearestDocumentsAsync(See(), "lesson", new float[] { 1, 0.1f, 0, 0 }, count, None);
            Assert.Equal(expected.Take(count), found.Select(n => (n.Item.Key, n.Item.Scope.User)));
        }
    }

    [Fact]
    public async Task ListDocumentsAsync_Kinds_NewestWriteFirst()
    {
        await using var store = await OpenAsync();
        for (var i = 0; i < 130; i++)
            await store.PutAsync(DocumentOf($"d{i}", kind: i % 2 == 0 ? "lesson" : "adapter"), None);
        await store.PutAsync(DocumentOf("d0", version: 1), None);
        Assert.Equal(Enumerable.Range(1, 129).Reverse().Where(i => i % 2 == 0).Select(i => $"d{i}").Prepend("d0"), Keys(await All(store.ListDocumentsAsync(Home, "lesson", None))));
        Assert.Equal(130, (await All(store.ListDocumentsAsync(Home, null, None))).Count);
        Assert.Empty(await All(store.ListDocumentsAsync(Home with { PromptFingerprint = "newer" }, null, None)));
    }

    [Fact]
    public async Task ForgetAsync_Episode_ReachesWhatWasMadeFromIt()
    {
        await using var store = await OpenAsync();
        await store.AppendAsync(EpisodeOf("e1"), None);
        await store.AppendAsync(EpisodeOf("e2"), None);
        await store.PutAsync(DocumentOf("one", ["e1"]), None);
        await store.PutAsync(DocumentOf("both", ["e1", "e2"], kind: "running-lesson", scope: Home with { User = "ann" }), None);
        await store.PutAsync(DocumentOf("two", ["e2"], kind: "adapter"), None);
        await store.PutAsync(DocumentOf("theirs", ["e1"], scope: Home with { Tenant = "away" }), None);
        Assert.Equal(3, await store.ForgetAsync("home", "e1", None));
        Assert.Null(await store.GetEpisodeAsync("home", "e1", None));
        Assert.Equal(["two"], Keys(await All(store.ListDocumentsAsync(Home, null, None))));
        Assert.Empty(await store.NearestDocumentsAsync(See(), "lesson", new float[] { 1, 0, 0, 0 }, 5, None));
        Assert.Equal(["e2"], Ids(await store.NearestAsync(See(), new float[] { 1, 0, 0, 0 }, 5, None)));
        Assert.NotNull(await store.GetAsync(Home with { Tenant = "away" }, "lesson", "theirs", None));
        Assert.Equal(0, await store.ForgetAsync("home", "e1", None));
        Assert.Equal(new(1, 2, 0, null), await store.CheckAsync(None));
    }

    [Fact]
    public async Task ForgetAsync_EpisodeGoneBefore_StillReachesDocuments()
    {
        await using var store = await OpenAsync();
        await store.PutAsync(DocumentOf("late", ["never-stored"]), None);
        Assert.Equal(1, await store.ForgetAsync("home", "never-stored", None));
        Assert.Null(await store.GetAsync(Home, "lesson", "late", None));
    }

    [Fact]
    public async Task ForgetAsync_SourceOfAnOldVersionOnly_LeavesTheDocument()
    {
        await using var store = await OpenAsync();
        await store.PutAsync(DocumentOf("a", ["e1"]), None);
        await store.PutAsync(DocumentOf("a", ["e2"], version: 1), None);
        Assert.Equal(0, await store.ForgetAsync("home", "e1", None));
        Assert.Equal(1, await store.ForgetAsync("home", "e2", None));
    }

    [Fact]
    public async Task PutAsync_AfterForgetting_SlowWriterCannotReviveIt()
    {
        await using var store = await OpenAsync();
        var slow = await store.PutAsync(DocumentOf("a", ["e1"]), None);
        await store.ForgetAsync("home", "e1", None);
        Assert.Null(await store.PutAsync(slow! with { Text = "revived" }, None));
        var anew = await store.PutAsync(DocumentOf("a", ["e2"]), None);
        Assert.Equal(2, anew!.Version);
        Assert.Null(await store.PutAsync(slow with { Text = "revived" }, None));
        Assert.Equal("Lesson a.", (await store.GetAsync(Home, "lesson", "a", None))!.Text);
    }

    [Fact]
    public async Task AppendAsync_ForgottenEpisodeAgain_IsNew()
    {
        await using var store = await OpenAsync();
        await store.AppendAsync(EpisodeOf("a"), None);
        await store.AppendAsync(EpisodeOf("b"), None);
        await store.ForgetAsync("home", "a", None);
        await store.AppendAsync(EpisodeOf("a", [0, 1, 0, 0]) with { Question = "Anew?" }, None);
        Assert.Equal(["a", "b"], Ids(await All(store.ListAsync(See(), None))));
        var found = await store.NearestAsync(See(), new float[] { 0, 1, 0, 0 }, 1, None);
        Assert.Equal(("Anew?", 1.0), (found[0].Item.Question, found[0].Similarity));
    }
}
