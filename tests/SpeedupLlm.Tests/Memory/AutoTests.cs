using System.Text.Json;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Guard;
using SpeedupLlm.Memory;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests.Memory;

public sealed class AutoTests
{
    private const string Asked = "Orpi North posts parcels. 4 km and 3 kg cost 22. What do 5 km and 5 kg cost?";
    private const string OtherNumbers = "Orpi North posts parcels. 2 km and 9 kg cost 36. What do 8 km and 1 kg cost?";
    private const string Branch = "Orpi South posts parcels. 6 km and 2 kg cost 25, 7 km and 7 kg cost 40. Which costs more, 1 km and 5 kg or 3 km and 2 kg?";
    private const string OtherFirm = "Velda South posts parcels. 2 km and 9 kg cost 31. What do 8 km and 1 kg cost?";

    private static readonly Auto Memory = new();

    [Fact]
    public async Task Recall_NothingAlike_GivesNothingAndSaysWhy()
    {
        var all = All();
        Assert.Equal("nothing is known", (await all.RecallAsync(Memory, Asked)).Choice!.Plan);
        await all.LiveAsync(Memory, all.Episode(1, OtherFirm));
        var recalled = await all.RecallAsync(Memory, Asked);
        Assert.Empty(recalled.Hints);
        Assert.Equal(("", "nothing alike is known", false), (recalled.Choice!.Band, recalled.Choice.Plan, recalled.Choice.IsUsed));
    }

    [Fact]
    public async Task Recall_CasesOfSeveralLevels_TakesTheNearestLevelOnly()
    {
        var all = All();
        await all.LiveAsync(Memory, all.Episode(1, OtherNumbers));
        await all.LiveAsync(Memory, all.Episode(2, Branch));
        await all.LiveAsync(Memory, all.Episode(3, OtherFirm));
        var recalled = await all.RecallAsync(Memory, Asked);
        Assert.Equal(["episode-001"], recalled.Hints.Select(h => h.Source));
        Assert.Equal(SimilarityLevel.S3, recalled.Relevance.Level);
        Assert.Equal(("best-of-n/S3", true, 1), (recalled.Choice!.Band, recalled.Choice.IsUsed, recalled.Choice.Propensity));
        Assert.Matches(@"^1 case, S3, confidence 0\.\d\d: a prior says that it helps$", recalled.Choice.Plan);
        await all.LiveAsync(Memory, all.Episode(4, Asked));
        recalled = await all.RecallAsync(Memory, Asked);
        Assert.Equal("episode-004", recalled.Answer!.Source);
        Assert.Equal("the answer given before, S1, confidence 1.00", recalled.Choice!.Plan);
    }

    [Fact]
    public async Task Recall_Rewording_LeansOnTheCaseOrChecksItWithoutSeeingIt()
    {
        var all = All();
        var share = 0.25;
        var memory = new Auto(new() { Answers = new() { CheckShare = share } });
        await all.LiveAsync(memory, all.Episode(1, Asked));
        var checks = 0;
        for (var i = 0; i < 400; i++)
        {
            all.Stream = StreamKey.Root(3).Child(i);
            var recalled = await all.RecallAsync(memory, "At Orpi North, posting parcels of 4 km and 3 kg would be 22 in total. Find the sum for parcels of 5 km, 5 kg.");
            Assert.Null(recalled.Answer);
            Assert.Equal(SimilarityLevel.S2, recalled.Relevance.Level);
            if (recalled.Choice!.Plan.StartsWith("searched without memory", StringComparison.Ordinal))
            {
                Assert.Empty(recalled.Hints);
                Assert.Equal(1, recalled.Effort);
                checks++;
            }
            else
            {
                Assert.Equal(["episode-001"], recalled.Hints.Select(h => h.Source));
            }
        }
        Assert.InRange(checks, 100 - 35, 100 + 35); // four standard deviations
    }

    [Fact]
    public async Task Recall_LevelWithoutAPrior_MustProveItselfFirst()
    {
        var all = All();
        await all.LiveAsync(Memory, all.Episode(1, Branch));
        var recalled = await all.RecallAsync(Memory, Asked);
        Assert.Empty(recalled.Hints);
        Assert.Equal((SimilarityLevel.S4, false, 0), (recalled.Relevance.Level, recalled.Choice!.IsUsed, recalled.Choice.Propensity));
        Assert.StartsWith("not 1 case, S4", recalled.Choice.Plan, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.3, true)] // helps
    [InlineData(0.9, false)] // harms
    public async Task Observe_ManyQuestions_UsesCasesOnlyIfTheyHelp(double costWith, bool used)
    {
        var all = All();
        await all.LiveAsync(Memory, all.Episode(1, Branch));
        var (last, cost) = (0, 0.0);
        for (var i = 0; i < 1500; i++)
        {
            all.Stream = StreamKey.Root(1).Child(i);
            var recalled = await all.RecallAsync(Memory, Asked);
            var random = new StreamRandom(StreamKey.Root(2).Child(i));
            var spent = random.NextDouble() < (recalled.Hints.Count > 0 ? costWith : 0.6) ? 900m : 200m;
            await Memory.ObserveAsync(SolutionOf(recalled) with { Accepted = true }, spent, all, CancellationToken.None);
            last += i >= 1000 && recalled.Hints.Count > 0 ? 1 : 0;
            cost += (double)spent;
        }
        if (used)
            Assert.InRange(last, 450, 500); // all but the controls
        else
            Assert.InRange(last, 0, 100);
        Assert.Single(await all.Watched.DocumentsAsync(), d => d is { Kind: GuardedBands.Kind, Key: "best-of-n/S4" });
        if (!used)
            Assert.InRange(cost, 0, 1500 * (0.6 * 900 + 0.4 * 200) * 1.08);
    }

    [Fact]
    public async Task Observe_ManyAtOnce_LosesNothing()
    {
        var all = All();
        await all.LiveAsync(Memory, all.Episode(1, Branch));
        var recalled = await all.RecallAsync(Memory, Asked);
        await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(async () => await Memory.ObserveAsync(SolutionOf(recalled), 100, all, CancellationToken.None))));
        var bands = new GuardedBands(new());
        var (_, why) = await bands.DecideAsync("best-of-n/S4", prior: false, 0.9, all, CancellationToken.None);
        Assert.Equal("on trial, 0 questions compared", why);
        var saved = (await all.Watched.DocumentsAsync()).Single(d => d.Kind == GuardedBands.Kind);
        Assert.Equal(40, saved.Version);
    }

    [Fact]
    public async Task Solver_WithAuto_SolvesLearnsAndAnswersTheSecondTimeForNothing()
    {
        await using var store = new InMemoryStore();
        await using var solver = new Solver(ScriptedApprentice.Create(1), new() { Memory = Memory, Store = store, Scorer = new JudgeScorer() });
        var question = Question.FromText("What is 40 + 2?");
        Assert.Equal("nothing is known", (await solver.SolveAndLearnAsync(question, null, null, CancellationToken.None)).Solution.Used.Choice!.Plan);
        var again = await solver.SolveAsync(question, CancellationToken.None);
        Assert.Equal((StopReason.Recalled, "42", 0m), (again.Stop, again.Best!.Final, again.Bill.Operations));
        // another question of the kind is a prior's case, and its cost is accounted to the band
        var (other, _) = await solver.SolveAndLearnAsync(Question.FromText("What is 41 + 3?"), null, null, CancellationToken.None);
        Assert.Equal("best-of-n/S3", other.Used.Choice!.Band);
        var scope = (await store.ScopesAsync("local", CancellationToken.None)).Single();
        Assert.NotNull(await store.GetAsync(scope, GuardedBands.Kind, "best-of-n/S3", CancellationToken.None));
    }

    [Fact]
    public async Task GuardedBands_OfAScope_SayWhereTheyStand()
    {
        var all = All();
        var bands = new GuardedBands(new());
        await bands.AddAsync("best-of-n/S1", true, new(true, 1, GuardPhase.Admitted), 500, false, all, CancellationToken.None);
        for (var i = 0; i < 40; i++)
            await bands.AddAsync("best-of-n/S3", true, new(i % 4 != 0, 0.75, GuardPhase.Admitted), 500, false, all, CancellationToken.None);
        for (var i = 0; i < 400; i++)
        {
            var (decision, _) = await bands.DecideAsync("best-of-n/S4", false, new StreamRandom(StreamKey.Root(3).Child(i)).NextDouble(), all, CancellationToken.None);
            await bands.AddAsync("best-of-n/S4", false, decision, decision.UseMemory ? 100 : 900, false, all, CancellationToken.None);
        }

        var found = new Dictionary<string, GuardedBand>(StringComparer.Ordinal);
        await foreach (var band in GuardedBand.ListAsync(all.Store, all.Scope with { User = null, Conversation = null }, CancellationToken.None))
            found.Add(band.Band, band);

        Assert.Equal(["best-of-n/S1", "best-of-n/S3", "best-of-n/S4"], found.Keys.Order(StringComparer.Ordinal));
        Assert.Null(found["best-of-n/S1"].Phase);
        Assert.Equal((GuardPhase.Admitted, true, null), (found["best-of-n/S3"].Phase, found["best-of-n/S3"].IsPrior, found["best-of-n/S3"].Evidence));
        Assert.Equal((23, 7), (found["best-of-n/S3"].WithMemory.Count, found["best-of-n/S3"].Without.Count));
        var proven = found["best-of-n/S4"];
        Assert.Equal((GuardPhase.Admitted, false), (proven.Phase, proven.IsPrior));
        Assert.True(proven.Evidence >= 20, $"admitted with {proven.Evidence}");
        Assert.InRange(proven.ExploredShare!.Value, 0, 0.05);
    }

    [Fact]
    public async Task Observe_OtherBandsOnTrial_RaiseTheBar()
    {
        var (alone, beside) = (await QuestionsToAdmissionAsync(0), await QuestionsToAdmissionAsync(15));
        Assert.InRange(alone, 20, 800);
        Assert.True(beside > alone, $"with 15 other bands it took {beside} questions, alone {alone}");
    }

    /// <summary>Questions until a band that helps is admitted beside others that are on trial without evidence.</summary>
    private static async Task<int> QuestionsToAdmissionAsync(int others)
    {
        var all = All();
        var bands = new GuardedBands(new());
        for (var other = 0; other < others; other++)
        {
            for (var i = 0; i < 11; i++)
                await bands.AddAsync($"other-{other}/S4", false, new(false, 0, GuardPhase.OnTrial), 500, false, all, CancellationToken.None);
        }
        for (var i = 0; i < 1500; i++)
        {
            var (decision, _) = await bands.DecideAsync("best-of-n/S4", false, new StreamRandom(StreamKey.Root(3).Child(i)).NextDouble(), all, CancellationToken.None);
            if (decision.Phase == GuardPhase.Admitted)
                return i;
            var cost = new StreamRandom(StreamKey.Root(4).Child(i)).NextDouble() * (decision.UseMemory ? 300 : 900);
            await bands.AddAsync("best-of-n/S4", false, decision, cost, false, all, CancellationToken.None);
        }
        return 1500;
    }

    [Fact]
    public async Task Observe_CheaperOnlyBecauseItGivesUp_IsNotUsed()
    {
        var all = All();
        await all.LiveAsync(Memory, all.Episode(1, Branch));
        var last = 0;
        for (var i = 0; i < 1500; i++)
        {
            all.Stream = StreamKey.Root(1).Child(i);
            var recalled = await all.RecallAsync(Memory, Asked);
            var random = new StreamRandom(StreamKey.Root(2).Child(i)).NextDouble();
            var (spent, accepted) = recalled.Hints.Count > 0 ? (600m, random < 0.1) : (800m, random < 0.6);
            await Memory.ObserveAsync(SolutionOf(recalled) with { Accepted = accepted }, spent, all, CancellationToken.None);
            last += i >= 1000 && recalled.Hints.Count > 0 ? 1 : 0;
        }
        Assert.InRange(last, 0, 100);
    }

    [Fact]
    public async Task Recall_KindSearchedInVain_HalvesTheSearchEachTimeUntilOneSucceeds()
    {
        var all = All();
        var efforts = new List<double>();
        for (var i = 1; i <= 5; i++)
        {
            await all.Store.AppendAsync(InVain(all.Episode(i, OtherNumbers)), CancellationToken.None);
            var recalled = await all.RecallAsync(Memory, Asked);
            Assert.Empty(recalled.Hints);
            Assert.Equal("best-of-n/vain", recalled.Choice!.Band);
            efforts.Add(recalled.Effort);
        }
        Assert.Equal([0.5, 0.25, 0.125, 0.125, 0.125], efforts);
        await all.LiveAsync(Memory, all.Episode(6, OtherNumbers));
        Assert.Equal(1, (await all.RecallAsync(Memory, Asked)).Effort);
        await all.Store.AppendAsync(InVain(all.Episode(7, OtherNumbers)), CancellationToken.None);
        var afterwards = await all.RecallAsync(Memory, Asked);
        Assert.Equal((0.5, "episode-006"), (afterwards.Effort, Assert.Single(afterwards.Hints).Source));
        Assert.Contains("50", afterwards.Choice!.Plan, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Recall_RejectedAbandonedOrOtherQuestions_LeaveTheSearchWhole()
    {
        var all = All();
        await all.Store.AppendAsync(InVain(all.Episode(1, OtherFirm)), CancellationToken.None);
        await all.Store.AppendAsync(InVain(all.Episode(2, Branch)), CancellationToken.None);
        await all.Store.AppendAsync(InVain(all.Episode(3, OtherNumbers)) with { Verdict = Verdict.Rejected }, CancellationToken.None);
        await all.Store.AppendAsync(InVain(all.Episode(4, OtherNumbers)) with { Stop = StopReason.Cancelled }, CancellationToken.None);
        await all.Store.AppendAsync(InVain(all.Episode(5, OtherNumbers)) with { Attempts = [new(0, "", null, default, null) { Error = "down" }] }, CancellationToken.None);
        Assert.Equal(1, (await all.RecallAsync(Memory, Asked)).Effort);
    }

    [Fact]
    public async Task Recall_ManyFailuresAround_DoNotCrowdOutWhatIsKnown()
    {
        var all = All();
        await all.LiveAsync(Memory, all.Episode(1, OtherNumbers));
        for (var i = 2; i < 120; i++)
            await all.Store.AppendAsync(InVain(all.Episode(i, Asked)), CancellationToken.None);
        Assert.Equal("episode-001", Assert.Single((await all.RecallAsync(Memory, Asked)).Hints).Source);
    }

    [Theory]
    [InlineData(80, 0, true)]
    [InlineData(200, 6, true)]
    [InlineData(10, 0, false)] // too few to tell
    [InlineData(200, 30, false)]
    public async Task Recall_ScorerAcceptedNearlyAlways_IsLeftOut(int judged, int refused, bool leftOut)
    {
        var memory = new Auto(new() { Measured = Measured([.. Enumerable.Range(0, judged).Select(i => refused == 0 || i % (judged / refused) != 0)]) });
        var all = All();
        await all.LiveAsync(memory, all.Episode(1, OtherNumbers));
        var unscored = 0;
        for (var i = 0; i < 400; i++)
        {
            all.Stream = StreamKey.Root(7).Child(i);
            var recalled = await all.RecallAsync(memory, Asked);
            Assert.Equal(recalled.ExpectedScore is not null, recalled.Choice!.Plan.Contains("not scored", StringComparison.Ordinal));
            unscored += recalled.ExpectedScore == 0.9 ? 1 : 0;
        }
        // one in twenty is scored all the same
        Assert.InRange(unscored, leftOut ? 360 : 0, leftOut ? 395 : 0);
    }

    [Fact]
    public async Task Observe_ScorerRefusesMoreLater_IsAskedAgain()
    {
        var memory = new Auto(new() { Measured = Measured([.. Enumerable.Repeat(true, 80)]), CheckShare = 0.5 });
        var all = All();
        await all.LiveAsync(memory, all.Episode(1, OtherNumbers));
        var asked = 0;
        for (var i = 0; i < 600; i++)
        {
            all.Stream = StreamKey.Root(7).Child(i);
            var recalled = await all.RecallAsync(memory, Asked);
            asked += i >= 500 && recalled.ExpectedScore is null ? 1 : 0;
            var refused = new Attempt(0, "Try. Answer 1.", "1", new(0), null);
            if (recalled.ExpectedScore is null)
                await memory.ObserveAsync(SolutionOf(recalled) with { Attempts = [refused], Best = refused }, 100, all, CancellationToken.None);
        }
        Assert.Equal(100, asked);
    }

    [Fact]
    public async Task Recall_WithAMeasuredPrior_SaysWhatItExpects()
    {
        var memory = new Auto(new() { Measured = Measured([true, false]) });
        var all = All();
        await all.LiveAsync(memory, all.Episode(1, OtherNumbers));
        Assert.Matches(@"^1 case, S3, confidence 0\.\d\d; 75 % of the search; expected 2\.0 operations instead of 6\.0: a prior says that it helps$", (await all.RecallAsync(memory, Asked)).Choice!.Plan);
    }

    [Fact]
    public void Prior_RoundTrip_IsTheSame()
    {
        var prior = Measured([true, false]);
        Assert.Equal(prior.ToJson(), AutoPrior.Parse(prior.ToJson()).ToJson());
        Assert.Equal(0.75, AutoPrior.Parse(prior.ToJson()).Find("best-of-n", SimilarityLevel.S3, told: false)!.Effort);
        Assert.Throws<JsonException>(() => AutoPrior.Parse((prior with { FormatVersion = prior.FormatVersion - 1 }).ToJson()));
        Assert.Throws<JsonException>(() => AutoPrior.Parse("{}"));
    }

    [Theory]
    [InlineData(0, 0.125, 0.1, 0.05)]
    [InlineData(1.1, 0.125, 0.1, 0.05)]
    [InlineData(0.5, 0, 0.1, 0.05)]
    [InlineData(0.5, 0.125, 1, 0.05)]
    [InlineData(0.5, 0.125, 0.1, double.NaN)]
    public void New_EffortOrTrustOutOfRange_IsRefused(double backOff, double least, double delta, double check) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Auto(new() { BackOff = backOff, LeastEffort = least, UnscoredDelta = delta, CheckShare = check }));

    [Theory]
    [InlineData(0, 3)]
    [InlineData(1, 0)]
    public void New_OptionOutOfRange_IsRefused(int cases, int harm) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Auto(new() { Cases = cases, HarmLimit = harm }));

    [Fact]
    public void New_GuardOrCacheOutOfRange_IsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Auto(new() { Guard = new() { Alpha = 1 } }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Auto(new() { Answers = new() { Delta = 0 } }));
    }

    private static AutoPrior Measured(IReadOnlyList<bool> judged) =>
        new("a test", [new("best-of-n", SimilarityLevel.S3, false, judged.Count, 2, 6, 0.75, true, judged)]) { ModelFingerprint = "model" };

    private static Episode InVain(Episode episode) => episode with
    {
        Verdict = Verdict.Unverified,
        Answer = null,
        Final = null,
        Stop = StopReason.Cap,
        Attempts = [new(0, "Try. No.", null, new(0), null)],
    };

    private static Remembering All() => new() { Embedder = new HashedNgramEmbedder() };

    private static Solution SolutionOf(Recalled used) =>
        new(Question.FromText(Asked), null, [], StopReason.Cap, used, Bill.Empty, false, TimeSpan.Zero)
        {
            Id = "id",
            Scope = new("tenant", null, null, "model", "prompts"),
            Stream = StreamKey.Root(1),
            At = Remembering.Start,
        };
}
