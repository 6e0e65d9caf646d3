using System.Globalization;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Tests.Memory;

/// <summary>Every memory at the long-term horizon, on the store of this process.</summary>
public sealed class LongTermMemoryTests : MemoryContract
{
    private protected override IExperienceStore NewStore() => new InMemoryStore();
}

/// <summary>Every memory at the short-term horizon: the last episodes only.</summary>
public sealed class ShortTermMemoryTests : MemoryContract
{
    private protected override IExperienceStore NewStore() => new InMemoryStore(new() { MaxEpisodes = 12 });

    [Theory]
    [MemberData(nameof(NotEmpty))]
    public async Task Recall_AfterManyEpisodes_KnowsTheLast(string name)
    {
        var all = New();
        var memory = Create(name);
        for (var i = 1; i <= 20; i++)
            await all.LiveAsync(memory, all.Episode(i));
        var recalled = await all.RecallAsync(memory, "What do 20 parcels of firm20 cost?");
        Assert.False(IsNothing(recalled));
        if (name != Placebo.CatalogueName)
            Assert.Contains("mark20", Show(recalled), StringComparison.Ordinal);
    }
}

/// <summary>What every memory of the catalogue must do.</summary>
public abstract class MemoryContract
{
    private protected abstract IExperienceStore NewStore();

    private protected Remembering New() => new(NewStore());

    public static TheoryData<string> Names() => [.. Catalogue.Memories.Names];

    /// <summary>Those that recall something after an episode.</summary>
    public static TheoryData<string> NotEmpty() => [.. Catalogue.Memories.Names.Where(n => n != NoMemory.CatalogueName)];

    /// <summary>Those that have the model write or train documents.</summary>
    public static TheoryData<string> Writing() =>
        [.. Catalogue.Memories.Names.Where(n => n is not (NoMemory.CatalogueName or InContext.CatalogueName or Placebo.CatalogueName or AnswerCache.CatalogueName or Auto.CatalogueName))];

    private protected static IMemory Create(string name) => Catalogue.Memories.Create(name);

    private protected static bool IsNothing(Recalled recalled) => recalled.Answer is null && recalled.Hints.Count == 0 && recalled.Weights is null;

    /// <summary>All that was recalled, as text.</summary>
    private protected static string Show(Recalled recalled) => string.Join('\n',
        [.. recalled.Hints.Select(h => $"{h.Kind} {h.Text} {h.Answer} from {h.Source}"), recalled.Answer?.Text, recalled.Weights?.Id, recalled.Relevance.ToString()]);

    [Theory]
    [MemberData(nameof(Names))]
    public void Name_OfCatalogue_IsItsOwn(string name) => Assert.Equal(name, Create(name).Name);

    [Theory]
    [MemberData(nameof(NotEmpty))]
    public async Task Recall_AfterEpisode_GivesSomethingWithinItsScope(string name)
    {
        var all = New();
        var memory = Create(name);
        Assert.True(IsNothing(await all.RecallAsync(memory, "What do 1 parcels of firm1 cost?")));
        await all.LiveAsync(memory, all.Episode(1));
        var recalled = await all.RecallAsync(memory, "What do 1 parcels of firm1 cost?");
        Assert.False(IsNothing(recalled));
        Assert.Equal(1, recalled.Relevance.Similarity, 5);
    }

    [Theory]
    [MemberData(nameof(NotEmpty))]
    public async Task Recall_OtherTenantUserConversationModelOrPrompts_GivesNothing(string name)
    {
        var memory = Create(name);
        var mine = new Remembering(NewStore(), new("mine", "user", "talk", "model", "prompts"));
        await mine.LiveAsync(memory, mine.Episode(1));
        Assert.False(IsNothing(await mine.RecallAsync(memory, "What do 1 parcels of firm1 cost?")));
        foreach (var other in new[]
        {
            mine.Scope with { Tenant = "yours" }, mine.Scope with { User = "another" }, mine.Scope with { Conversation = "another" },
            mine.Scope with { ModelFingerprint = "another" }, mine.Scope with { PromptFingerprint = "another" },
        })
            Assert.True(IsNothing(await mine.As(other).RecallAsync(memory, "What do 1 parcels of firm1 cost?")), other.ToString());
    }

    [Theory]
    [MemberData(nameof(NotEmpty))]
    public async Task Learn_EpisodeOfAnotherTenant_Throws(string name)
    {
        var mine = New();
        var theirs = mine.Episode(1, scope: mine.Scope with { Tenant = "another" });
        await mine.Store.AppendAsync(theirs, CancellationToken.None);
        await Assert.ThrowsAsync<ArgumentException>(async () => await Create(name).LearnAsync(theirs, mine, CancellationToken.None));
        Assert.Empty(await mine.Watched.DocumentsAsync());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task RecallAndLearn_EmptyText_IsAMiss(string name)
    {
        var all = New();
        var memory = Create(name);
        await all.LiveAsync(memory, all.Episode(1));
        foreach (var empty in new[] { "", "   ", "\u200B" })
        {
            Assert.True(IsNothing(await all.RecallAsync(memory, empty)));
            await all.LiveAsync(memory, all.Episode(2 + empty.Length, empty));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Learn_NotAcceptedOrRejected_LearnsNothing(string name)
    {
        var all = New();
        var memory = Create(name);
        await all.LiveAsync(memory, all.Episode(1, verdict: Verdict.Unverified));
        await all.LiveAsync(memory, all.Episode(2, verdict: Verdict.Rejected));
        await all.LiveAsync(memory, all.Episode(3) with { Answer = null });
        Assert.Empty(all.Asked);
        Assert.Empty(all.Charges);
        Assert.Empty(await all.Watched.DocumentsAsync());
        Assert.True(IsNothing(await all.RecallAsync(memory, "What do 1 parcels of firm1 cost?")));
    }

    [Theory]
    [MemberData(nameof(NotEmpty))]
    public async Task Forget_AnEpisode_LeavesNoTraceOfIt(string name)
    {
        var all = New();
        var memory = Create(name);
        for (var i = 1; i <= 3; i++)
            await all.LiveAsync(memory, all.Episode(i));
        await all.Store.ForgetAsync("tenant", "episode-002", CancellationToken.None);
        Assert.DoesNotContain(await all.Watched.DocumentsAsync(), d => d.Sources.Contains("episode-002") || d.Text.Contains("mark2", StringComparison.Ordinal));
        Assert.DoesNotContain("mark2", Show(await all.RecallAsync(memory, "What do 2 parcels of firm2 cost?")), StringComparison.Ordinal);
        // what is learnt next knows nothing of it either
        await all.LiveAsync(memory, all.Episode(4));
        var recalled = await all.RecallAsync(memory, "What do 2 parcels of firm2 cost?");
        Assert.Equal(name == AnswerCache.CatalogueName, IsNothing(recalled)); // it answers the same question only
        Assert.DoesNotContain("mark2", Show(recalled), StringComparison.Ordinal);
        foreach (var id in new[] { "episode-001", "episode-003", "episode-004" })
            await all.Store.ForgetAsync("tenant", id, CancellationToken.None);
        Assert.True(IsNothing(await all.RecallAsync(memory, "What do 2 parcels of firm2 cost?")));
        Assert.Empty(await all.Watched.DocumentsAsync());
    }

    [Theory]
    [MemberData(nameof(Writing))]
    public async Task Learn_EpisodeForgottenMeanwhile_LeavesNoTraceOfIt(string name)
    {
        var all = New();
        var memory = Create(name);
        await all.LiveAsync(memory, all.Episode(1));
        // while the model writes or trains
        Task ForgetSecond() => all.Store.ForgetAsync("tenant", "episode-002", CancellationToken.None).AsTask();
        all.During = all.FakeTrainer.During = ForgetSecond;
        await all.LiveAsync(memory, all.Episode(2));
        Assert.DoesNotContain(await all.Watched.DocumentsAsync(), d => d.Sources.Contains("episode-002") || d.Text.Contains("mark2", StringComparison.Ordinal));
        // in the last moment before the document is written
        all.During = all.FakeTrainer.During = null;
        all.Watched.BeforePut = _ => all.Store.ForgetAsync("tenant", "episode-003", CancellationToken.None).AsTask();
        await all.LiveAsync(memory, all.Episode(3));
        Assert.DoesNotContain(await all.Watched.DocumentsAsync(), d => d.Sources.Contains("episode-003"));
        Assert.DoesNotContain("mark3", Show(await all.RecallAsync(memory, "What do 3 parcels of firm3 cost?")), StringComparison.Ordinal);
        // an episode that is gone before learning begins
        all.Watched.BeforePut = null;
        var asked = all.Asked.Count;
        await memory.LearnAsync(all.Episode(5), all, CancellationToken.None);
        Assert.Equal(asked, all.Asked.Count);
        Assert.DoesNotContain(await all.Watched.DocumentsAsync(), d => d.Sources.Contains("episode-005"));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task LearnAndRecall_Repeated_GivesTheSame(string name)
    {
        Assert.Equal(await LiveOnceAsync(), await LiveOnceAsync());

        async Task<string> LiveOnceAsync()
        {
            var all = New();
            var memory = Create(name);
            var log = new List<string>();
            for (var i = 1; i <= 4; i++)
            {
                all.Stream = StreamKey.Root(i);
                await all.LiveAsync(memory, all.Episode(i, i == 4 ? "What do 3 parcels of firm3 cost?" : null));
                log.Add(Show(await all.RecallAsync(memory, "What do 3 parcels of firm1 cost?")));
            }
            log.AddRange(all.Asked.Select(a => $"{a.Stream} {a.Prompt.Task} {a.Prompt.Messages[^1].Text}"));
            log.AddRange((await all.Watched.DocumentsAsync()).Select(d => $"{d.Kind} {d.Key} {d.Version} {d.At:O} {d.Text} {Convert.ToHexString(d.Content.Span)} {string.Join(',', d.Sources)}"));
            log.AddRange(all.Charges.Select(c => (c with { Elapsed = default }).ToString()));
            return string.Join('\n', log);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Learn_TheSameEpisodeTwice_LearnsOnce(string name)
    {
        var all = New();
        var memory = Create(name);
        var episode = await all.LiveAsync(memory, all.Episode(1));
        var (asked, charged, documents) = (all.Asked.Count, all.Charges.Count, await VersionsAsync());
        await memory.LearnAsync(episode, all, CancellationToken.None);
        Assert.Equal((asked, charged), (all.Asked.Count, all.Charges.Count));
        Assert.Equal(documents, await VersionsAsync());

        async Task<string> VersionsAsync() => string.Join(',', (await all.Watched.DocumentsAsync()).Select(d => d.Version));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task LearnAndRecall_Cancelled_ThrowsAndStoresNothing(string name)
    {
        var all = New();
        var memory = Create(name);
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await memory.RecallAsync(Question.FromText("q"), all, gone.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await all.LiveAsync(memory, all.Episode(1), gone.Token));
        Assert.Empty(await all.Watched.DocumentsAsync());
    }

    [Theory]
    [MemberData(nameof(Writing))]
    public async Task Learn_CancelledMeanwhile_StoresNothing(string name)
    {
        var all = New();
        using var gone = new CancellationTokenSource();
        all.During = all.FakeTrainer.During = gone.CancelAsync;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await all.LiveAsync(Create(name), all.Episode(1), gone.Token));
        Assert.Empty(await all.Watched.DocumentsAsync());
    }

    [Theory]
    [MemberData(nameof(Writing))]
    public async Task Learn_ModelFails_ThrowsAndStoresNothing(string name)
    {
        var all = New();
        all.During = all.FakeTrainer.During = () => throw new ModelFailedException(CallPurpose.Learn, new HttpRequestException("down"));
        await Assert.ThrowsAsync<ModelFailedException>(() => all.LiveAsync(Create(name), all.Episode(1)));
        Assert.Empty(await all.Watched.DocumentsAsync());
        // and is not the worse for it
        all.During = all.FakeTrainer.During = null;
        await all.LiveAsync(Create(name), all.Episode(2));
        Assert.NotEmpty(await all.Watched.DocumentsAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("  \n ")]
    [InlineData("none.")]
    [InlineData("…?!")]
    [InlineData("Firm \uFFFD\uFFFD charges \uFFFD.")]
    [InlineData("the the the the the the the the the the the the the the the the the the the the the the")]
    [InlineData("<think>I wonder what to write.</think>")]
    public async Task Learn_EmptyOrGarbledLesson_IsNotStored(string lesson)
    {
        foreach (var name in new[] { "reflect", "multi-reflect", "reflect-update" })
        {
            var all = new Remembering(NewStore()) { Script = _ => new(lesson, ChatFinishReason.Stop, 3) };
            await all.LiveAsync(Create(name), all.Episode(1));
            Assert.Empty(await all.Watched.DocumentsAsync());
            Assert.Single(all.Asked);
        }
    }

    [Theory]
    [InlineData("length")]
    [InlineData("content_filter")]
    public async Task Learn_LessonCutOff_IsNotStored(string finish)
    {
        foreach (var name in new[] { "reflect", "multi-reflect", "reflect-update" })
        {
            var all = new Remembering(NewStore()) { Script = _ => new("Orpi North charge 2 x + 3 y.", new ChatFinishReason(finish), 3) };
            await all.LiveAsync(Create(name), all.Episode(1));
            Assert.Empty(await all.Watched.DocumentsAsync());
        }
    }

    [Theory]
    [MemberData(nameof(Writing))]
    public async Task Learn_ManyAtOnce_LosesNoUpdate(string name)
    {
        const int writers = 12;
        var all = New();
        all.Watched.TakesTurns = false;
        var memory = Create(name);
        var episodes = Enumerable.Range(1, writers).Select(i => all.Episode(i)).ToList();
        // nobody writes before all have read: whoever comes second must see that
        var arrived = 0;
        var everybody = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        all.During = all.FakeTrainer.During = () =>
        {
            if (Interlocked.Increment(ref arrived) == writers)
                everybody.SetResult();
            return everybody.Task.WaitAsync(TimeSpan.FromMinutes(1));
        };
        await Task.WhenAll(episodes.Select(e => Task.Run(() => all.LiveAsync(memory, e))));
        var kept = (await all.Watched.DocumentsAsync()).SelectMany(d => d.Sources).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(episodes.Select(e => e.Id), kept);
    }

    [Theory]
    [MemberData(nameof(Writing))]
    public async Task Learn_ManyAtOnceInTurn_NoEpisodeIsPaidForTwice(string name)
    {
        const int writers = 12;
        var all = New();
        var memory = Create(name);
        var paid = 0;
        all.During = all.FakeTrainer.During = async () =>
        {
            Interlocked.Increment(ref paid);
            await Task.Delay(5);
        };
        await Task.WhenAll(Enumerable.Range(1, writers).Select(i => Task.Run(() => all.LiveAsync(memory, all.Episode(i)))));
        Assert.InRange(paid, 1, writers);
    }

    [Theory]
    [MemberData(nameof(Writing))]
    public async Task Learn_OthersWereRememberedMeanwhile_TheEpisodeIsAmongItsOwnSources(string name)
    {
        var all = New();
        var memory = Create(name);
        var episodes = Enumerable.Range(1, 8).Select(i => all.Episode(i)).ToList();
        foreach (var episode in episodes)
            await all.Store.AppendAsync(episode, CancellationToken.None);
        await memory.LearnAsync(episodes[0], all, CancellationToken.None);
        Assert.Contains(episodes[0].Id, (await all.Watched.DocumentsAsync()).SelectMany(d => d.Sources));
    }

    [Theory]
    [MemberData(nameof(NotEmpty))]
    public async Task Recall_EpisodeFoundWrongOrHarmful_IsNotUsedAnyMore(string name)
    {
        foreach (var change in new Func<Episode, Episode>[] { e => e with { Verdict = Verdict.Rejected }, e => e with { Harmed = e.Helped + 3 } })
        {
            var all = New();
            var memory = Create(name);
            await all.LiveAsync(memory, all.Episode(1));
            await all.Store.UpdateEpisodeAsync("tenant", "episode-001", change, CancellationToken.None);
            Assert.True(IsNothing(await all.RecallAsync(memory, "What do 1 parcels of firm1 cost?")));
            // nor does it come back with what is learnt next
            await all.LiveAsync(memory, all.Episode(2));
            var recalled = await all.RecallAsync(memory, "What do 1 parcels of firm1 cost?");
            Assert.Equal(name == AnswerCache.CatalogueName, IsNothing(recalled));
            Assert.DoesNotContain("mark1", Show(recalled), StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(NotEmpty))]
    public async Task Recall_ContextTooShort_TrimsMemoryOnly(string name)
    {
        var all = New();
        var memory = Create(name);
        for (var i = 1; i <= 5; i++)
            await all.LiveAsync(memory, all.Episode(i, answer: string.Create(CultureInfo.InvariantCulture, $"Try mark{i}. {string.Concat(Enumerable.Repeat("and so on ", 20))} Answer {i}.")));
        var question = Question.FromText("What do 5 parcels of firm5 cost?");
        var before = int.MaxValue;
        var bare = all.Prompts.Solve(PromptTask.Guess, question, []);
        foreach (var tokens in new[] { 100_000, 500, 450, 400, 350, 300, 1 })
        {
            all.Model = all.Model with { ContextTokens = tokens };
            var hints = (await memory.RecallAsync(question, all, CancellationToken.None)).Hints;
            Assert.InRange(hints.Count, 0, before);
            before = hints.Count;
            var prompt = all.Prompts.Solve(PromptTask.Guess, question, hints);
            Assert.Contains(question.Text, prompt.Messages[^1].Text, StringComparison.Ordinal);
            if (hints.Count > 0)
                Assert.InRange(prompt.Messages.Sum(m => HintWindow.Estimate(m.Text)), 0, tokens - bare.MaxOutputTokens!.Value);
            // the most similar is the last to go
            if (name == InContext.CatalogueName && hints.Count > 0)
                Assert.Equal("episode-005", hints[^1].Source);
        }
        Assert.Equal(0, before);
    }

    [Theory]
    [MemberData(nameof(NotEmpty))]
    public async Task Recall_AnyMemory_NeverReachesTheSystemRole(string name)
    {
        foreach (var prompts in Catalogue.Prompts.Names.Select(Catalogue.Prompts.Create))
        {
            var all = new Remembering(NewStore()) { Prompts = prompts };
            var memory = Create(name);
            await all.LiveAsync(memory, all.Episode(1));
            var recalled = await all.RecallAsync(memory, "What do 1 parcels of firm1 cost?");
            var prompt = all.Prompts.Solve(PromptTask.Guess, Question.FromText("What do 1 parcels of firm1 cost?"), recalled.Hints);
            foreach (var message in prompt.Messages.Concat(all.Asked.SelectMany(a => a.Prompt.Messages)).Where(m => m.Role != ChatRole.User))
            {
                Assert.DoesNotContain("mark1", message.Text, StringComparison.Ordinal);
                Assert.DoesNotContain("firm1", message.Text, StringComparison.Ordinal);
            }
        }
    }
}
