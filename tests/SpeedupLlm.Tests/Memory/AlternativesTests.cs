using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Guard;
using SpeedupLlm.Memory;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Tests.Memory;

/// <summary>Plans that want to take the place of <see cref="Auto"/>'s cases.</summary>
public sealed class AlternativesTests
{
    private const string Asked = "Orpi North posts parcels. 4 km and 3 kg cost 22. What do 5 km and 5 kg cost?";
    private const string Band = "best-of-n/S3";

    private static string Known(int number) => $"Orpi North posts parcels. {number} km and 9 kg cost 36. What do 8 km and {number} kg cost?";

    /// <summary>What a life of questions of one kind came to.</summary>
    /// <param name="Used">For each question, whether an alternative was given.</param>
    /// <param name="Extra">What answering and learning cost more than answering with the usual case alone would have, as a share of that.</param>
    private sealed record Life(IReadOnlyList<bool> Used, double Extra, Remembering All);

    /// <summary>Asks one kind of question again and again; each is answered, remembered and seen by the memory.</summary>
    /// <param name="options">The memory's options.</param>
    /// <param name="questions">How many.</param>
    /// <param name="costOf">A question's mean cost, by what was given.</param>
    /// <param name="callCost">What a lesson costs to write.</param>
    private static async Task<Life> LiveAsync(AutoOptions options, int questions, Func<Recalled, double> costOf, decimal callCost = 0)
    {
        var all = new Remembering { CallCost = callCost };
        var memory = new Auto(options with { Prior = [SimilarityLevel.S3], Guard = new() { ControlShare = 0.01 } });
        for (var i = 1; i <= 4; i++)
            await all.LiveAsync(memory, all.Episode(i, Known(i)));
        var usual = await all.RecallAsync(memory, Asked);
        var (used, cost, usually) = (new List<bool>(), 0.0, 0.0);
        for (var i = 0; i < questions; i++)
        {
            all.Stream = StreamKey.Root(1).Child(i);
            var recalled = await all.RecallAsync(memory, Asked);
            // learnt from, as the solver does, but never found: then the kind of question stays the same
            var episode = all.Episode(1000 + i, $"note {i}");
            await all.Store.AppendAsync(episode, CancellationToken.None);
            var luck = 2 * new StreamRandom(StreamKey.Root(2).Child(i)).NextDouble();
            var spent = costOf(recalled) * luck;
            await memory.ObserveAsync(SolutionOf(recalled, episode.Id), (decimal)spent, all, CancellationToken.None);
            used.Add(recalled.Choice!.Alternative is { IsUsed: true });
            cost += spent;
            usually += costOf(usual) * luck;
        }
        return new(used, (cost + (double)all.Spent) / usually - 1, all);
    }

    private static Solution SolutionOf(Recalled used, string id) =>
        new(Question.FromText(Asked), null, [], StopReason.Threshold, used, Bill.Empty, true, TimeSpan.Zero)
        {
            Id = id,
            Scope = new("tenant", null, null, "model", "prompts"),
            Stream = StreamKey.Root(1),
            At = Remembering.Start,
        };

    private static async Task<IReadOnlyList<string>> BandsAsync(Life life) =>
        [.. (await life.All.Watched.DocumentsAsync()).Where(d => d.Kind == GuardedBands.Kind).Select(d => d.Key).Order(StringComparer.Ordinal)];

    [Fact]
    public async Task Observe_MoreCasesThatCostLess_TakeThePlaceOfOne()
    {
        var options = new AutoOptions { Alternatives = [new(3)], AlternativeShare = 0.05 };
        var life = await LiveAsync(options, 1500, given => given.Hints.Count == 3 ? 100 : 400);
        Assert.Equal([Band, Band + ": 3 cases"], await BandsAsync(life));
        Assert.DoesNotContain(true, life.Used.Take(11));
        Assert.InRange(life.Used.Skip(1200).Count(u => u), 270, 300);
    }

    [Fact]
    public async Task Recall_AnAlternativeInUse_IsGivenAndSaysWhy()
    {
        var options = new AutoOptions { Alternatives = [new(3)], AlternativeShare = 0.05 };
        var life = await LiveAsync(options, 1500, given => given.Hints.Count == 3 ? 100 : 400);
        life.All.Stream = StreamKey.Root(7);
        var recalled = await life.All.RecallAsync(new Auto(options), Asked);
        Assert.Equal(3, recalled.Hints.Count);
        Assert.Matches(@"^3 cases in place of 1 case, S3, confidence 0\.\d\d: ", recalled.Choice!.Plan);
        Assert.Equal(("3 cases", true, GuardPhase.Admitted), (recalled.Choice.Alternative!.Plan, recalled.Choice.Alternative.IsUsed, recalled.Choice.Alternative.Phase));
        // an unusual prompt is scored, whatever is known of the usual ones
        Assert.Null(recalled.ExpectedScore);
    }

    [Theory]
    [InlineData(400)] // no better
    [InlineData(900)] // far worse
    public async Task Observe_MoreCasesThatDoNotHelp_CostNoMoreThanTheirShare(double costWith)
    {
        var life = await LiveAsync(new() { Alternatives = [new(3)] }, 3000, given => given.Hints.Count == 3 ? costWith : 400);
        Assert.InRange(life.Used.Count(u => u), 1, 1500);
        // the usual case's own controls cost nothing here, since they are as dear
        Assert.InRange(life.Extra, -0.02, 0.011);
    }

    [Fact]
    public async Task Observe_LessonsThatSaveMoreThanTheyCost_AreLearntFromEachQuestionInTheEnd()
    {
        var options = new AutoOptions { Alternatives = [new(0, new MultiReflect())], AlternativeShare = 0.05 };
        var life = await LiveAsync(options, 1500, given => given.Hints is [{ Kind: HintKind.Lesson }] ? 100 : 600, callCost: 100);
        Assert.Equal([Band, Band + ": multi-reflect"], await BandsAsync(life));
        Assert.InRange(life.Used.Skip(1200).Count(u => u), 270, 300);
        Assert.InRange(life.All.Asked.Count, 500, 1500);
    }

    [Fact]
    public async Task Observe_LessonsThatSaveLessThanTheyCost_AreNotUsed()
    {
        var options = new AutoOptions { Alternatives = [new(1, new MultiReflect())] };
        var life = await LiveAsync(options, 3000, given => given.Hints.Count == 2 ? 350 : 400, callCost: 300);
        Assert.InRange(life.All.Asked.Count, 1, 3000 / 20);
        Assert.InRange(life.Extra, -0.02, 0.011);
        Assert.InRange(life.Used.Skip(2000).Count(u => u), 0, 500);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Observe_NothingToGive_TheOthersHaveTheirTurn(bool trained)
    {
        var all = new Remembering();
        if (!trained)
            all.Trainer = null;
        var memory = new Auto();
        await all.LiveAsync(memory, all.Episode(1, Known(1)));
        var recalled = await all.RecallAsync(memory, Asked);
        for (var i = 0; i < 2100; i++)
            await memory.ObserveAsync(SolutionOf(recalled, "no such episode"), 100, all, CancellationToken.None);
        var keys = (await all.Watched.DocumentsAsync()).Where(d => d.Kind == GuardedBands.Kind && d.Key != Band).Select(d => d.Key[(Band.Length + 2)..]).Order(StringComparer.Ordinal);
        Assert.Equal(trained ? ["1 case + multi-reflect", "1 case + sft", "3 cases", "multi-reflect"] : (string[])["1 case + multi-reflect", "3 cases", "multi-reflect"], keys);
    }

    [Fact]
    public async Task Observe_BandThatWasMeasured_TriesNothingElse()
    {
        var prior = new AutoPrior("a world", [new("best-of-n", SimilarityLevel.S3, false, 10, 2, 6, 1, true, [])]) { ModelFingerprint = "model" };
        var life = await LiveAsync(new() { Measured = prior, Alternatives = [new(3)], AlternativeShare = 0.5 }, 200, _ => 400);
        Assert.DoesNotContain(true, life.Used);
        Assert.Equal([Band], await BandsAsync(life));
    }

    [Fact]
    public void Auto_PlansThatMakeNoSense_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => new Auto(new() { Alternatives = [new(0)] }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Auto(new() { Alternatives = [new(-1)] }));
        Assert.Throws<ArgumentException>(() => new Auto(new() { Alternatives = [new(1, new AnswerCache())] }));
        Assert.Throws<ArgumentException>(() => new Auto(new() { Alternatives = [new(2), new(2)] }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Auto(new() { AlternativeShare = 1 }));
    }
}
