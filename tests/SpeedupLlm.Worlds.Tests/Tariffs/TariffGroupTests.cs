using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Worlds.Tariffs;

namespace SpeedupLlm.Worlds.Tests.Tariffs;

public sealed class TariffGroupTests
{
    private static readonly IWorld World = WorldCatalogue.Find("tariff")!;
    private static readonly StreamKey Stream = StreamKey.Root(11);
    private static readonly List<TariffGroup> Groups = [.. Enumerable.Range(0, 60).Select(i => new TariffGroup(i, Split.Development, Stream))];

    [Fact]
    public void Base_IsLevelZeroOfEveryLifeline() => Assert.All(Groups, g =>
        Assert.All(Enum.GetValues<SimilarityLevel>(), s => Assert.Equal(g.Base, g.At(s, 0))));

    [Fact]
    public void S1_IsTheSameQuestion() => Each(SimilarityLevel.S1, (q, b) => Assert.Equal(b.Text, q.Text));

    [Fact]
    public void S2_IsOtherWordsOfTheSameNumbers() => Each(SimilarityLevel.S2, (q, b) =>
    {
        Assert.NotEqual(b.Text, q.Text);
        Assert.Equal(b with { BillWording = 0, AskWording = 0 }, q with { BillWording = 0, AskWording = 0 });
    });

    [Fact]
    public void S3_IsTheSameFirmAndKindWithOtherNumbers() => Each(SimilarityLevel.S3, (q, b) =>
    {
        Assert.Equal((b.Firm, b.Service, b.Tariff, b.Kind), (q.Firm, q.Service, q.Tariff, q.Kind));
        Assert.False(b.Bills.SequenceEqual(q.Bills) && b.Orders.SequenceEqual(q.Orders));
    });

    [Fact]
    public void S4_IsAnotherBranchWithItsRatesAndAnotherKind()
    {
        Each(SimilarityLevel.S4, (q, b) =>
        {
            Assert.Equal(b.Firm.Stem, q.Firm.Stem);
            Assert.NotEqual(b.Firm.Branch, q.Firm.Branch);
            Assert.NotEqual(b.Kind, q.Kind);
            Assert.Equal((b.Tariff.Product, b.Tariff.RateX, b.Tariff.RateY, b.Service), (q.Tariff.Product, q.Tariff.RateX, q.Tariff.RateY, q.Service));
        });
        Assert.All(Groups, g =>
        {
            var branches = Enumerable.Range(1, 7).Select(level => g.Question(SimilarityLevel.S4, level)).ToList();
            Assert.Equal(7, branches.Select(q => q.Firm.Branch).Distinct(StringComparer.Ordinal).Count());
            // a branch that comes again has kept its tariff
            var all = g.Question(SimilarityLevel.S4, 0).Firm.Branch is null ? 8 : 7;
            Assert.Equal((branches[0].Firm, branches[0].Tariff), (g.Question(SimilarityLevel.S4, 1 + all).Firm, g.Question(SimilarityLevel.S4, 1 + all).Tariff));
        });
        Assert.Contains(Groups, g => g.Question(SimilarityLevel.S4, 1).Tariff != g.Question(SimilarityLevel.S4, 0).Tariff);
    }

    [Fact]
    public void Verify_EveryWorkedSolution_IsRight()
    {
        var prompts = new CompactPrompts();
        Assert.All(Groups.SelectMany(Everything), e =>
        {
            Assert.True(World.Verify(e, prompts.Final(e.WorkedSolution)), e.WorkedSolution);
            Assert.False(World.Verify(e, e.Expected + "1"));
            Assert.False(World.Verify(e, null));
            Assert.True(World.Understands(e.Question), e.Question);
            Assert.Contains(e.Lesson[..^1], e.WorkedSolution, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Ids_NameTheQuestion()
    {
        var all = Groups.SelectMany(Everything).DistinctBy(e => e.Id).ToList();
        Assert.Equal(Groups.SelectMany(Everything).Select(e => (e.Id, e.Question)).Distinct().Count(), all.Count);
        Assert.Equal("tariff/development/3/S4/2", Groups[3].At(SimilarityLevel.S4, 2).Id);
    }

    [Fact]
    public void Distractors_AreOtherFirmsOfTheSplitWithTheSameService() => Assert.All(Groups, g =>
    {
        var (distractor, mine) = (Wordings.Read(g.Distractor(1).Question)!, Wordings.Read(g.Base.Question)!);
        Assert.Equal(mine.Service, distractor.Service);
        Assert.NotEqual(mine.Firm.Split(' ')[0], distractor.Firm.Split(' ')[0]);
        Assert.NotEqual(g.Distractor(1), g.Distractor(2));
    });

    [Fact]
    public void Stale_IsTheSameFirmWithAnotherTariff() => Assert.All(Groups, g =>
    {
        Assert.NotEqual(g.Base.Lesson, g.Stale(0).Lesson);
        Assert.Equal(Wordings.Read(g.Base.Question)!.Firm, Wordings.Read(g.Stale(0).Question)!.Firm);
    });

    [Fact]
    public void Splits_DoNotShareNames()
    {
        string Stem(Split split, int i) => Wordings.Read(World.Group(i, split, Stream).Base.Question)!.Firm.Split(' ')[0];
        var names = Enum.GetValues<Split>().Select(s => Enumerable.Range(0, 60).Select(i => Stem(s, i)).ToHashSet(StringComparer.Ordinal)).ToList();
        Assert.Empty(names[0].Intersect(names[1], StringComparer.Ordinal));
        Assert.Empty(names[0].Intersect(names[2], StringComparer.Ordinal));
        Assert.Empty(names[1].Intersect(names[2], StringComparer.Ordinal));
    }

    [Fact]
    public void Group_SameStream_IsTheSameAgain()
    {
        Assert.Equal(Groups[5].At(SimilarityLevel.S3, 2), World.Group(5, Split.Development, Stream).At(SimilarityLevel.S3, 2));
        Assert.NotEqual(Groups[5].Base, World.Group(5, Split.Development, StreamKey.Root(12)).Base);
        Assert.NotEqual(Groups[5].Base, World.Group(5, Split.Sealed, Stream).Base);
    }

    [Theory]
    [InlineData("What is the capital of France?")]
    [InlineData("")]
    [InlineData("A parcel of 4 km and 3 kg costs 22. What do 5 km and 5 kg cost?")]
    [InlineData("1 2 3 4 5 6 7 8 9")]
    public void Understands_OtherTexts_No(string text) => Assert.False(World.Understands(text));

    [Fact]
    public void Understands_ItsOwnExamples() => Assert.All(World.HelpExamples, e =>
    {
        Assert.True(World.Understands(e));
        Assert.NotNull(Wordings.Read(e));
    });

    private static IEnumerable<Example> Everything(TariffGroup g) =>
        from s in new[] { SimilarityLevel.S1, SimilarityLevel.S2, SimilarityLevel.S3, SimilarityLevel.S4 }
        from level in Enumerable.Range(0, 5)
        select g.At(s, level);

    private static void Each(SimilarityLevel similarity, Action<TariffQuestion, TariffQuestion> law) => Assert.All(Groups, g =>
    {
        for (var level = 1; level <= 5; level++)
            law(g.Question(similarity, level), g.Question(similarity, 0));
    });
}
