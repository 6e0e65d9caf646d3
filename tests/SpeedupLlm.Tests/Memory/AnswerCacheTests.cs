using System.Globalization;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Guard;
using SpeedupLlm.Memory;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests.Memory;

public sealed class AnswerCacheTests
{
    private const string Asked = "Orpi North posts parcels. 4 km and 3 kg cost 22. What do 5 km and 5 kg cost?";
    private const string Reworded = "At Orpi North, posting parcels of 4 km and 3 kg would be 22 in total. Find the sum for parcels of 5 km, 5 kg.";

    private static readonly AnswerCache Cache = new();

    [Theory]
    [InlineData(Asked)]
    [InlineData("orpi north posts parcels;  four km and 3.0 kg cost 22!  What do ５ km and 5 kg cost")]
    public async Task Recall_TheSameQuestion_IsAnsweredWithoutTheModel(string again)
    {
        var all = Cached();
        await all.LiveAsync(Cache, all.Episode(7, Asked));
        var recalled = await all.RecallAsync(Cache, again);
        Assert.Equal(new("Try mark7. Answer 7.", "7", "episode-007", Verdict.SelfJudged), recalled.Answer);
        Assert.Equal(new(SimilarityLevel.S1, 1, 1), recalled.Relevance);
        Assert.Empty(all.Asked);
    }

    [Theory]
    [InlineData("Orpi North posts parcels. 3 km and 4 kg cost 22. What do 5 km and 5 kg cost?")] // swapped numbers
    [InlineData("Orpi North posts parcels. 4 miles and 3 kg cost 22. What do 5 miles and 5 kg cost?")]
    [InlineData("Orpi North posts parcels. 4 km and 3 kg cost 22. What do 5 km and 5 kg not cost?")]
    [InlineData("Orpi North posts parcels. 4 km and 3 kg cost 22. What do 5 km cost?")] // a premise less
    [InlineData("Orpi South posts parcels. 4 km and 3 kg cost 22. What do 5 km and 5 kg cost?")]
    [InlineData("Orpi North posts parcels. 4 km and 3 kg cost 22. What do 6 km and 5 kg cost?")]
    public async Task Recall_NearlyTheSameQuestion_IsNeverAnswered(string other)
    {
        var all = Cached();
        await all.LiveAsync(Cache, all.Episode(7, Asked));
        // not even with evidence without end
        for (var i = 0; i < 500; i++)
            await new StoredEvidence("S2/judged", AnswerCache.CatalogueName, ReuseEvidence.None(0.02, 0.05)).AddAsync(1, wrong: false, all, CancellationToken.None);
        Assert.Null((await all.RecallAsync(Cache, other)).Answer);
    }

    [Fact]
    public async Task Recall_AnotherContext_IsAnotherQuestion()
    {
        var all = Cached();
        string[] contexts =
        [
            "", QuestionKey.ContextOf([new(ChatRole.System, "Be brief.")], null), QuestionKey.ContextOf([new(ChatRole.System, "Be long.")], null),
            QuestionKey.ContextOf([], new()), QuestionKey.ContextOf([], new() { Temperature = 0 }), QuestionKey.ContextOf([], new() { Temperature = 1 }),
            QuestionKey.ContextOf([], new() { Seed = 1 }), QuestionKey.ContextOf([], new() { StopSequences = ["\n"] }), QuestionKey.ContextOf([], new() { ModelId = "m" }),
            QuestionKey.ContextOf([], new() { Tools = [AIFunctionFactory.CreateDeclaration("add", "adds", default)] }),
            QuestionKey.ContextOf([], new() { Tools = [AIFunctionFactory.CreateDeclaration("sub", "adds", default)] }),
            QuestionKey.ContextOf([], new() { ToolMode = ChatToolMode.RequireAny }), QuestionKey.ContextOf([], new() { AdditionalProperties = new() { ["n"] = 2 } }),
        ];
        Assert.Equal(contexts.Length, contexts.Distinct(StringComparer.Ordinal).Count());
        for (var i = 0; i < contexts.Length; i++)
            await all.LiveAsync(Cache, all.Episode(i, Asked) with { Context = contexts[i] is { Length: > 0 } context ? context : null });
        for (var i = 0; i < contexts.Length; i++)
        {
            var recalled = await Cache.RecallAsync(Question.FromText(Asked) with { Context = contexts[i] }, all, CancellationToken.None);
            Assert.Equal(i.ToString(CultureInfo.InvariantCulture), recalled.Answer?.Final);
        }
        Assert.Null((await Cache.RecallAsync(Question.FromText(Asked) with { Context = "another" }, all, CancellationToken.None)).Answer);
    }

    [Fact]
    public async Task Recall_Rewording_IsSearchedUntilThereIsEvidence()
    {
        var all = Cached();
        var evidence = new StoredEvidence("S2/judged", AnswerCache.CatalogueName, ReuseEvidence.None(0.02, 0.05));
        await all.LiveAsync(Cache, all.Episode(7, Asked));
        var first = await all.RecallAsync(Cache, Reworded);
        Assert.Null(first.Answer);
        Assert.Equal(SimilarityLevel.S2, first.Relevance.Level);
        var checks = 0;
        for (; (await all.RecallAsync(Cache, Reworded)).Answer is null && checks < 1000; checks += 10)
        {
            for (var i = 0; i < 10; i++)
                await evidence.AddAsync(1, wrong: false, all, CancellationToken.None);
        }
        // (1 − δ)^n ≤ α / 2 needs 183 at least; a mixture of bets that need not know δ's neighbourhood takes more
        Assert.InRange(checks, 183, 350);
        Assert.Contains("answers rewordings from confidence", (await evidence.ReadAsync(all, CancellationToken.None)).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Recall_RewordingWithAPrior_IsAnsweredAtOnceAndTakenBackIfWrong()
    {
        var all = Cached();
        var cache = new AnswerCache(new() { Prior = Proven });
        await all.LiveAsync(cache, all.Episode(7, Asked, Verdict.Verified));
        var recalled = await all.RecallAsync(cache, Reworded);
        Assert.Equal("7", recalled.Answer!.Final);
        Assert.Equal(SimilarityLevel.S2, recalled.Relevance.Level);
        for (var i = 0; i < 12; i++)
            await new StoredEvidence("S2", AnswerCache.CatalogueName, Proven).AddAsync(1, wrong: true, all, CancellationToken.None);
        Assert.Null((await all.RecallAsync(cache, Reworded)).Answer);
    }

    [Fact]
    public async Task Recall_RewordingOfWhatOnlyTheScorerAccepted_IsNotCoveredByThePrior()
    {
        var all = Cached();
        var cache = new AnswerCache(new() { Prior = Proven });
        var episode = await all.LiveAsync(cache, all.Episode(7, Asked));
        Assert.Null((await all.RecallAsync(cache, Reworded)).Answer);
        // the very question is answered as well as it was accepted; its rewordings once somebody says that it is right
        Assert.NotNull((await all.RecallAsync(cache, Asked)).Answer);
        await all.Store.UpdateEpisodeAsync("tenant", episode.Id, e => e with { Verdict = Verdict.Verified }, CancellationToken.None);
        Assert.Equal("7", (await all.RecallAsync(cache, Reworded)).Answer?.Final);
    }

    [Fact]
    public async Task Recall_RewordingsThatContradictEachOther_GivesNoneUntilOneIsVerified()
    {
        var all = Cached();
        for (var i = 0; i < 350; i++)
            await new StoredEvidence("S2/judged", AnswerCache.CatalogueName, ReuseEvidence.None(0.02, 0.05)).AddAsync(1, wrong: false, all, CancellationToken.None);
        var cache = new AnswerCache(new() { Prior = Proven });
        await all.LiveAsync(cache, all.Episode(7, Asked));
        Assert.NotNull((await all.RecallAsync(cache, Reworded)).Answer);
        const string other = "Someone must pay 22 to Orpi North if parcels go 4 km and weigh 3 kg; how much is to be paid for 5 km with 5 kg of parcels?";
        await all.LiveAsync(cache, all.Episode(8, other));
        Assert.Null((await all.RecallAsync(cache, Reworded)).Answer);
        await all.LiveAsync(cache, all.Episode(9, other, Verdict.Verified));
        Assert.Equal("9", (await all.RecallAsync(cache, Reworded)).Answer?.Final);
    }

    [Fact]
    public async Task Learn_RewordingThatWasSearched_IsACheckUnlessItSawACase()
    {
        var all = Cached();
        var evidence = new StoredEvidence("S2/judged", AnswerCache.CatalogueName, ReuseEvidence.None(0.02, 0.05));
        await all.LiveAsync(Cache, all.Episode(7, Asked));
        // an answer that leant on the remembered one repeats it, and says nothing about it
        await all.LiveAsync(Cache, all.Episode(6, Reworded.Replace("Find", "Give", StringComparison.Ordinal), answer: "Answer 7.") with { Final = "7", Hints = ["episode-007"] });
        Assert.StartsWith("0 checks", (await evidence.ReadAsync(all, CancellationToken.None)).ToString(), StringComparison.Ordinal);
        await all.LiveAsync(Cache, all.Episode(8, Reworded, answer: "Answer 7.") with { Final = "7.0" });
        Assert.StartsWith("1 checks, 0 wrong", (await evidence.ReadAsync(all, CancellationToken.None)).ToString(), StringComparison.Ordinal);
        await all.LiveAsync(Cache, all.Episode(9, Reworded.Replace("Find", "Calculate", StringComparison.Ordinal)));
        Assert.StartsWith("2 checks, 1 wrong", (await evidence.ReadAsync(all, CancellationToken.None)).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hear_FeedbackOnAGivenRewording_CountsForTheStandingThatItHad()
    {
        var all = Cached();
        var cache = new AnswerCache(new() { Prior = Proven });
        await all.LiveAsync(cache, all.Episode(7, Asked, Verdict.Verified));
        var given = await all.RecallAsync(cache, Reworded);
        var solution = new Solution(Question.FromText(Reworded), null, [], StopReason.Recalled, given, Bill.Empty, true, TimeSpan.Zero)
        {
            Id = "s",
            Scope = all.Scope,
            Stream = all.Stream,
            At = all.Now,
        };
        await cache.HearAsync(solution, isRight: false, all, CancellationToken.None);
        var verified = await new StoredEvidence("S2", AnswerCache.CatalogueName, Proven).ReadAsync(all, CancellationToken.None);
        Assert.StartsWith("351 checks, 1 wrong", verified.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Recall_TwoAnswersToOneQuestion_GivesNeitherUntilOneIsVerified()
    {
        var all = Cached();
        await all.LiveAsync(Cache, all.Episode(7, Asked));
        await all.LiveAsync(Cache, all.Episode(8, Asked));
        Assert.Null((await all.RecallAsync(Cache, Asked)).Answer);
        await all.LiveAsync(Cache, all.Episode(9, Asked, Verdict.Verified));
        Assert.Equal("9", (await all.RecallAsync(Cache, Asked)).Answer!.Final);
        // a later guess of its own does not shake what was verified
        await all.LiveAsync(Cache, all.Episode(10, Asked));
        Assert.Equal("9", (await all.RecallAsync(Cache, Asked)).Answer!.Final);
    }

    [Fact]
    public async Task Recall_OlderThanItMayBe_IsSearchedAnewAndRenewed()
    {
        var all = Cached();
        var cache = new AnswerCache(new() { MaximumAge = TimeSpan.FromDays(30) });
        await all.LiveAsync(cache, all.Episode(7, Asked));
        all.Now = Remembering.Start.AddDays(20);
        Assert.NotNull((await all.RecallAsync(cache, Asked)).Answer);
        all.Now = Remembering.Start.AddDays(40);
        Assert.Null((await all.RecallAsync(cache, Asked)).Answer);
        await all.LiveAsync(cache, all.Episode(8, Asked, answer: "Answer 7.") with { Final = "7", At = all.Now });
        Assert.Equal("episode-008", (await all.RecallAsync(cache, Asked)).Answer!.Source);
    }

    [Fact]
    public async Task Solver_AskedAgain_AnswersWithoutACallAndListensToFeedback()
    {
        var model = ScriptedApprentice.Create(1);
        await using var solver = new Solver(model, new() { Memory = Cache, Scorer = new JudgeScorer() });
        var question = Question.FromText("What is 40 + 2?");
        var (first, _) = await solver.SolveAndLearnAsync(question, null, null, CancellationToken.None);
        Assert.True(first.Accepted);
        var calls = model.Calls.Count;
        var (again, _) = await solver.SolveAndLearnAsync(question, null, null, CancellationToken.None);
        Assert.Equal((StopReason.Recalled, "42", 0m, calls), (again.Stop, again.Best!.Final, again.Bill.Operations, model.Calls.Count));
        await solver.LearnAsync(again, Feedback.Wrong, CancellationToken.None);
        var (third, _) = await solver.SolveAndLearnAsync(question, null, null, CancellationToken.None);
        Assert.NotEqual(StopReason.Recalled, third.Stop);
    }

    [Theory]
    [InlineData(0, 0.05, 0.05, 1)]
    [InlineData(1, 0.05, 0.05, 1)]
    [InlineData(0.02, double.NaN, 0.05, 1)]
    [InlineData(0.02, 0.05, 1, 1)]
    [InlineData(0.02, 0.05, 0.05, 0)]
    public void New_OptionOutOfRange_IsRefused(double delta, double alpha, double share, int harm) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new AnswerCache(new() { Delta = delta, Alpha = alpha, CheckShare = share, HarmLimit = harm }));

    [Fact]
    public void New_AgeOutOfRange_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => new AnswerCache(new() { MaximumAge = TimeSpan.Zero }));

    private static ReuseEvidence Proven { get; } = Enumerable.Range(0, 350).Aggregate(ReuseEvidence.None(0.02, 0.05), (evidence, _) => evidence.After(1, wrong: false));

    private static Remembering Cached() => new() { Embedder = new HashedNgramEmbedder() };
}
