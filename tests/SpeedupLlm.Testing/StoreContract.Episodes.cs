using SpeedupLlm.Compute;
using SpeedupLlm.Experience;

namespace SpeedupLlm.Testing;

public abstract partial class StoreContract
{
    [Fact]
    public async Task AppendAsync_Episode_IsKeptWhole()
    {
        await using var store = await OpenAsync();
        var episode = EpisodeOf("a");
        await store.AppendAsync(episode, None);
        AssertSame(episode, await store.GetEpisodeAsync("home", "a", None));
        Assert.Null(await store.GetEpisodeAsync("home", "b", None));
    }

    [Fact]
    public async Task AppendAsync_UnusualContent_IsKept()
    {
        await using var store = await OpenAsync();
        var odd = EpisodeOf("ø\t\"{}'; drop table episode; --日本👩‍👩‍👧") with
        {
            Question = "line\nline\u2028 עברית 🧮 \\u0000 \u0001",
            Answer = null,
            Final = null,
            Score = double.NaN,
            Attempts = [],
            Verdict = Verdict.Rejected,
            Embedding = default,
            At = DateTimeOffset.MinValue,
        };
        await store.AppendAsync(odd, None);
        AssertSame(odd, await store.GetEpisodeAsync("home", odd.Id, None));
    }

    [Fact]
    public async Task AppendAsync_BrokenUnicode_IsKeptAsFarAsItIsText()
    {
        await using var store = await OpenAsync();
        await store.AppendAsync(EpisodeOf("cut \uD83E") with { Question = "half an emoji \uD83E" }, None);
        var kept = await store.GetEpisodeAsync("home", "cut \uD83E", None);
        Assert.StartsWith("half an emoji ", kept!.Question, StringComparison.Ordinal);
        Assert.Single(await store.NearestAsync(See(), new float[] { 1, 0, 0, 0 }, 5, None));
        Assert.Equal(0, (await store.CheckAsync(None)).SetAside);
    }

    [Fact]
    public async Task AppendAsync_SameIdAgain_ChangesNothing()
    {
        await using var store = await OpenAsync();
        await store.AppendAsync(EpisodeOf("a"), None);
        await store.AppendAsync(EpisodeOf("a") with { Question = "Another?" }, None);
        AssertSame(EpisodeOf("a"), await store.GetEpisodeAsync("home", "a", None));
        Assert.Equal(1, (await store.CheckAsync(None)).Episodes);
    }

    [Fact]
    public async Task UpdateEpisodeAsync_Verdict_IsSeenByEveryLookup()
    {
        await using var store = await OpenAsync();
        await store.AppendAsync(EpisodeOf("a"), None);
        Assert.Single(await store.NearestAsync(See(), new float[] { 1, 0, 0, 0 }, 5, None));
        Assert.True(await store.UpdateEpisodeAsync("home", "a", e => e with { Verdict = Verdict.Rejected, Harmed = 9 }, None));
        Assert.Empty(await store.NearestAsync(See(), new float[] { 1, 0, 0, 0 }, 5, None));
        Assert.Empty(await All(store.ListAsync(See(), None)));
        var all = await store.NearestAsync(See(usableOnly: false), new float[] { 1, 0, 0, 0 }, 5, None);
        Assert.Equal((Verdict.Rejected, 9), (all.Single().Item.Verdict, all.Single().Item.Harmed));
        Assert.True(await store.UpdateEpisodeAsync("home", "a", e => e with { Verdict = Verdict.Verified }, None));
        Assert.Single(await store.NearestAsync(See(), new float[] { 1, 0, 0, 0 }, 5, None));
        Assert.False(await store.UpdateEpisodeAsync("home", "b", e => e, None));
    }

    [Fact]
    public async Task UpdateEpisodeAsync_IdentityChanged_StaysAsItWas()
    {
        await using var store = await OpenAsync();
        await store.AppendAsync(EpisodeOf("a"), None);
        await store.UpdateEpisodeAsync("home", "a", e => e with { Id = "b", Scope = Home with { Tenant = "other" }, Helped = 4 }, None);
        AssertSame(EpisodeOf("a") with { Helped = 4 }, await store.GetEpisodeAsync("home", "a", None));
    }

    [Fact]
    public async Task UpdateEpisodeAsync_ChangeThrows_ChangesNothingAndTheStoreWorksOn()
    {
        await using var store = await OpenAsync();
        await store.AppendAsync(EpisodeOf("a"), None);
        await Assert.ThrowsAsync<DivideByZeroException>(async () => await store.UpdateEpisodeAsync("home", "a", _ => throw new DivideByZeroException(), None));
        AssertSame(EpisodeOf("a"), await store.GetEpisodeAsync("home", "a", None));
        await store.AppendAsync(EpisodeOf("b"), None);
        Assert.NotNull(await store.GetEpisodeAsync("home", "b", None));
    }

    [Fact]
    public async Task UpdateEpisodeAsync_ManyAtOnce_LosesNone()
    {
        await using var store = await OpenAsync();
        await store.AppendAsync(EpisodeOf("a") with { Helped = 0 }, None);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 25; i++)
                await store.UpdateEpisodeAsync("home", "a", e => e with { Helped = e.Helped + 1 }, None);
        })));
        Assert.Equal(200, (await store.GetEpisodeAsync("home", "a", None))!.Helped);
    }

    [Fact]
    public async Task AppendAsync_ManyAtOnce_KeepsEveryOneOnce()
    {
        await using var store = await OpenAsync();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(t => Task.Run(async () =>
        {
            for (var i = 0; i < 40; i++)
            {
                await store.AppendAsync(EpisodeOf($"{t}-{i}"), None);
                await store.AppendAsync(EpisodeOf($"shared-{i}"), None);
                Assert.NotEmpty(await store.NearestAsync(See(), new float[] { 1, 0, 0, 0 }, 3, None));
            }
        })));
        var listed = await All(store.ListAsync(See(), None));
        Assert.Equal(360, listed.Count);
        Assert.Equal(360, listed.Select(e => e.Id).Distinct().Count());
    }

    [Fact]
    public async Task NearestAsync_AgainstAPlainScan_FindsTheSameInTheSameOrder()
    {
        await using var store = await OpenAsync();
        var random = new StreamRandom(StreamKey.Root(1).Child("nearest"));
        var vectors = new Dictionary<string, float[]>();
        for (var i = 0; i < 2500; i++)
        {
            // a tenth are copies, so that ties occur
            var vector = i > 0 && random.Next(10) == 0 ? vectors.Values.ElementAt(random.Next(vectors.Count)) : RandomUnit(random, 24);
            vectors.Add($"e{random.NextBits():x16}", vector);
        }
        await Task.WhenAll(vectors.Select(v => store.AppendAsync(EpisodeOf(v.Key, v.Value), None).AsTask()));
        foreach (var gone in vectors.Keys.Order(StringComparer.Ordinal).Where((_, i) => i % 97 == 0).ToList())
        {
            await store.ForgetAsync("home", gone, None);
            vectors.Remove(gone);
        }
        for (var q = 0; q < 40; q++)
        {
            var query = q % 3 == 0 ? vectors.Values.ElementAt(random.Next(vectors.Count)) : RandomUnit(random, 24);
            var count = 1 + random.Next(30);
            var expected = vectors
                .Select(v => (Id: v.Key, Similarity: Cosine(v.Value, query)))
                .OrderByDescending(v => v.Similarity).ThenBy(v => v.Id, StringComparer.Ordinal).Take(count).ToList();
            var found = await store.NearestAsync(See(), query, count, None);
            // a sum in another order may differ in the last bits, and so may the order of what is that close
            Assert.Equal(count, found.Count);
            for (var i = 0; i < count; i++)
            {
                Assert.Equal(expected[i].Similarity, found[i].Similarity, 1e-9);
                Assert.Equal(Cosine(vectors[found[i].Item.Id], query), found[i].Similarity, 1e-9);
                Assert.True(i == 0 || found[i - 1].Similarity > found[i].Similarity
                    || (found[i - 1].Similarity == found[i].Similarity && string.CompareOrdinal(found[i - 1].Item.Id, found[i].Item.Id) < 0));
            }
        }

        static double Cosine(float[] a, float[] b) =>
            a.Zip(b).Sum(p => (double)p.First * p.Second) / Math.Sqrt(a.Sum(x => (double)x * x) * b.Sum(x => (double)x * x));
    }

    [Fact]
    public async Task NearestAsync_Ties_AreOrderedById()
    {
        await using var store = await OpenAsync();
        foreach (var id in (string[])["m", "B", "z", "a", "y", "b", "é", "c"])
            await store.AppendAsync(EpisodeOf(id, [0, 2, 0, 0]), None);
        Assert.Equal(["B", "a", "b", "c", "m"], Ids(await store.NearestAsync(See(), new float[] { 0, 1, 0, 0 }, 5, None)));
    }

    [Fact]
    public async Task NearestAsync_ThousandsOfEqualVectors_GivesTheFirstById()
    {
        await using var store = await OpenAsync();
        var random = new StreamRandom(StreamKey.Root(2).Child("ties"));
        // with the first eight bytes in common, shorter than that, beyond ASCII (where bytes are ordered otherwise than chars), and digits as they are usual
        string[] begins = ["chatcmpl-", "chatcmpl", "chat", "z\uE000", "z\U0001F600", "zé", ""];
        var ids = Enumerable.Range(0, 2600).Select(i => $"{begins[i % begins.Length]}{random.NextBits():x16}").Concat(begins[1..6]).ToHashSet();
        await Task.WhenAll(ids.Select(id => store.AppendAsync(EpisodeOf(id, [0, 2, 0, 0]), None).AsTask()));
        foreach (var left in (int[])[0, 3, 40])
        {
            var expected = ids.Order(StringComparer.Ordinal).ToList();
            // the first ones go, some still there but not to be used
            for (var i = 0; i < left; i++)
            {
                if (i % 3 == 0)
                    await store.UpdateEpisodeAsync("home", expected[i], e => e with { Verdict = Verdict.Rejected }, None);
                else
                    await store.ForgetAsync("home", expected[i], None);
                ids.Remove(expected[i]);
            }
            foreach (var count in (int[])[1, 7, 200])
                Assert.Equal(expected.Skip(left).Take(count), Ids(await store.NearestAsync(See() with { UsableOnly = true }, new float[] { 0.1f, 1, 0, 0 }, count, None)));
        }
        var last = ids.Order(StringComparer.Ordinal).ToList();
        Assert.Equal(last, Ids(await store.NearestAsync(See() with { UsableOnly = true }, new float[] { 0, 1, 0, 0 }, last.Count + 5, None)));
    }

    [Theory]
    [InlineData(float.NaN, 0, 0, 0)]
    [InlineData(0, 0, 0, 0)]
    [InlineData(float.PositiveInfinity, 0, 0, 0)]
    public async Task NearestAsync_VectorsWithoutDirection_AreMissesNotErrors(float a, float b, float c, float d)
    {
        await using var store = await OpenAsync();
        float[] bad = [a, b, c, d];
        await store.AppendAsync(EpisodeOf("bad", bad), None);
        await store.AppendAsync(EpisodeOf("empty") with { Embedding = default }, None);
        Assert.Empty(await store.NearestAsync(See(), new float[] { 1, 0, 0, 0 }, 5, None));
        await store.AppendAsync(EpisodeOf("good"), None);
        Assert.Empty(await store.NearestAsync(See(), bad, 5, None));
        Assert.Empty(await store.NearestAsync(See(), default, 5, None));
        Assert.Empty(await store.NearestAsync(See(), new float[] { 1, 0, 0, 0 }, 0, None));
        Assert.Equal(["good"], Ids(await store.NearestAsync(See(), new float[] { 1, 0, 0, 0 }, 5, None)));
        Assert.Equal(bad, (await store.GetEpisodeAsync("home", "bad", None))!.Embedding.ToArray());
        Assert.Equal(["good", "empty", "bad"], Ids(await All(store.ListAsync(See(), None))));
    }

    [Fact]
    public async Task NearestAsync_OtherEmbedderOrLength_IsNeverCompared()
    {
        await using var store = await OpenAsync();
        await store.AppendAsync(EpisodeOf("here"), None);
        await store.AppendAsync(EpisodeOf("other") with { EmbeddingFingerprint = "other/4" }, None);
        await store.AppendAsync(EpisodeOf("longer", [1, 0, 0, 0, 0]), None);
        Assert.Equal(["here"], Ids(await store.NearestAsync(See(), new float[] { 1, 0, 0, 0 }, 5, None)));
        Assert.Equal(["other"], Ids(await store.NearestAsync(See(embedder: "other/4"), new float[] { 1, 0, 0, 0 }, 5, None)));
        Assert.Equal(["longer"], Ids(await store.NearestAsync(See(), new float[] { 1, 0, 0, 0, 0 }, 5, None)));
        Assert.Empty(await store.NearestAsync(See(), new float[] { 1, 0 }, 5, None));
    }

    [Fact]
    public async Task Lookups_OtherScopes_SeeWhatTheirScopeCovers()
    {
        await using var store = await OpenAsync();
        var scopes = new[]
        {
            Home, Home with { User = "ann" }, Home with { User = "ann", Conversation = "1" }, Home with { User = "bob", Conversation = "1" },
            Home with { Tenant = "away" }, Home with { ModelFingerprint = "newer" }, Home with { PromptFingerprint = "newer" },
        };
        foreach (var (i, scope) in scopes.Index())
            await store.AppendAsync(EpisodeOf($"e{i}", scope: scope), None);
        await Sees(Home, "e0", "e1", "e2", "e3");
        await Sees(Home with { User = "ann" }, "e1", "e2");
        await Sees(Home with { User = "ann", Conversation = "1" }, "e2");
        await Sees(Home with { Conversation = "1" }, "e2", "e3");
        await Sees(Home with { User = "eve" });
        await Sees(Home with { Tenant = "away" }, "e4");
        await Sees(Home with { Tenant = "nowhere" });
        await Sees(Home with { ModelFingerprint = "newer" }, "e5");
        Assert.Null(await store.GetEpisodeAsync("away", "e0", None));
        Assert.False(await store.UpdateEpisodeAsync("away", "e0", e => e with { Helped = 99 }, None));
        Assert.Equal(0, await store.ForgetAsync("away", "e0", None));
        Assert.Equal(3, (await store.GetEpisodeAsync("home", "e0", None))!.Helped);
        Assert.Equal(scopes.Where(s => s.Tenant == "home"), await store.ScopesAsync("home", None));
        Assert.Empty(await store.ScopesAsync("nowhere", None));

        async Task Sees(Scope scope, params string[] ids)
        {
            Assert.Equal(ids, Ids(await store.NearestAsync(See(scope), new float[] { 1, 0, 0, 0 }, 10, None)));
            Assert.Equal(ids.Reverse(), Ids(await All(store.ListAsync(See(scope), None))));
        }
    }

    [Fact]
    public async Task AppendAsync_SameIdInTwoTenants_AreTwoEpisodes()
    {
        await using var store = await OpenAsync();
        await store.AppendAsync(EpisodeOf("a"), None);
        await store.AppendAsync(EpisodeOf("a", scope: Home with { Tenant = "away" }) with { Question = "Theirs?" }, None);
        Assert.Equal(1, await store.ForgetAsync("home", "a", None));
        Assert.Equal("Theirs?", (await store.GetEpisodeAsync("away", "a", None))!.Question);
    }

    [Fact]
    public async Task ListAsync_ManyEpisodes_NewestFirst()
    {
        await using var store = await OpenAsync();
        // the clock runs backward: the order is that of appending (case 27)
        for (var i = 0; i < 300; i++)
            await store.AppendAsync(EpisodeOf($"e{i}", verdict: i % 3 == 0 ? Verdict.Unverified : Verdict.SelfJudged) with { At = DateTimeOffset.UnixEpoch.AddSeconds(-i) }, None);
        Assert.Equal(Enumerable.Range(0, 300).Reverse().Where(i => i % 3 != 0).Select(i => $"e{i}"), Ids(await All(store.ListAsync(See(), None))));
        Assert.Equal(300, (await All(store.ListAsync(See(usableOnly: false), None))).Count);
    }

    [Fact]
    public async Task ListAsync_ForgottenMeanwhile_GoesOn()
    {
        await using var store = await OpenAsync();
        for (var i = 0; i < 200; i++)
            await store.AppendAsync(EpisodeOf($"e{i}"), None);
        var seen = 0;
        await foreach (var episode in store.ListAsync(See(), None))
        {
            seen++;
            await store.ForgetAsync("home", episode.Id, None);
            await store.AppendAsync(EpisodeOf($"new{seen}"), None);
        }
        Assert.Equal(200, seen);
        Assert.Equal(200, (await store.CheckAsync(None)).Episodes);
    }

    [Fact]
    public async Task Calls_CancelledBefore_DoNothing()
    {
        await using var store = await OpenAsync();
        var gone = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.AppendAsync(EpisodeOf("a"), gone));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.PutAsync(DocumentOf("a"), gone));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.NearestAsync(See(), new float[] { 1, 0, 0, 0 }, 1, gone));
        Assert.Equal(new(0, 0, 0, null), await store.CheckAsync(None));
    }
}
