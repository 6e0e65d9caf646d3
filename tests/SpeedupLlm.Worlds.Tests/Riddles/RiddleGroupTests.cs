using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Worlds.Riddles;

namespace SpeedupLlm.Worlds.Tests.Riddles;

public sealed class RiddleGroupTests
{
    private static readonly StreamKey Stream = StreamKey.Root(11);

    private static readonly Dictionary<string, List<RiddleGroup>> Groups = Books.All.ToDictionary(
        b => b.Name, b => Enumerable.Range(0, 40).Select(i => new RiddleGroup(b, i, Split.Development, Stream)).ToList(), StringComparer.Ordinal);

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void At_Levels_StandToTheBaseAsTheirSimilaritySays(string name) => Assert.All(Groups[name], g =>
    {
        for (var level = 1; level <= 5; level++)
        {
            var asked = g.Question(SimilarityLevel.S1, 0);
            Assert.Equal(g.Base, g.At(SimilarityLevel.S4, 0));
            Assert.Equal(asked.Text, g.Question(SimilarityLevel.S1, level).Text);
            var s2 = g.Question(SimilarityLevel.S2, level);
            Assert.NotEqual(asked.Text, s2.Text);
            Assert.Equal(asked, s2 with { ClueWording = asked.ClueWording, AskWording = asked.AskWording });
            var s3 = g.Question(SimilarityLevel.S3, level);
            Assert.Equal((asked.Name, asked.Rule, asked.Kind), (s3.Name, s3.Rule, s3.Kind));
            Assert.False(asked.Pose.Clues.SequenceEqual(s3.Pose.Clues) && asked.Pose.Asked.SequenceEqual(s3.Pose.Asked));
            var s4 = g.Question(SimilarityLevel.S4, level);
            Assert.Equal(asked.Name.Stem, s4.Name.Stem);
            Assert.NotEqual(asked.Name.Branch, s4.Name.Branch);
            Assert.NotEqual(asked.Kind, s4.Kind);
        }

        // a branch that comes again has kept its rule
        var branches = asked4().ToList();
        Assert.All(branches.GroupBy(q => q.Name), b => Assert.Single(b.Select(q => q.Rule).Distinct(StringComparer.Ordinal)));
        Assert.True(branches.Select(q => q.Rule).Distinct(StringComparer.Ordinal).Count() > 2);
        IEnumerable<Riddle> asked4() => Enumerable.Range(1, 16).Select(level => g.Question(SimilarityLevel.S4, level));
    });

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Verify_EveryWorkedSolution_IsRight(string name)
    {
        var (world, prompts) = (new RiddleWorld(Books.Of(name)), new CompactPrompts());
        Assert.All(Groups[name].SelectMany(g => from s in new[] { SimilarityLevel.S1, SimilarityLevel.S2, SimilarityLevel.S3, SimilarityLevel.S4 } from level in Enumerable.Range(0, 3) select g.At(s, level)), e =>
        {
            Assert.True(world.Verify(e, prompts.Final(e.WorkedSolution)), e.WorkedSolution);
            Assert.False(world.Verify(e, e.Expected + "1"));
            Assert.False(world.Verify(e, null));
            Assert.True(world.Understands(e.Question), e.Question);
            Assert.Contains(e.Lesson, e.WorkedSolution, StringComparison.Ordinal);
        });
    }

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void DistractorsStaleAndChanged_AreWhatTheySay(string name) => Assert.All(Groups[name], g =>
    {
        Riddle asked = g.Question(SimilarityLevel.S1, 0);
        Assert.DoesNotContain(asked.Name.Stem + " ", g.Distractor(1).Question, StringComparison.Ordinal);
        Assert.NotEqual(g.Distractor(1), g.Distractor(2));
        Assert.NotEqual(g.Base.Lesson, g.Stale(0).Lesson);
        Assert.StartsWith($"{asked.Name.Name} {asked.Book.Verb} ", g.Stale(0).Lesson, StringComparison.Ordinal);
        Assert.Equal(g.Subject, g.Changed.Subject);
        Assert.NotEqual(g.Base.Lesson, g.Changed.Base.Lesson);
    });

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Group_SameStream_IsTheSameAgainAndSplitsShareNoNames(string name)
    {
        var world = new RiddleWorld(Books.Of(name));
        Assert.Equal(Groups[name][5].At(SimilarityLevel.S3, 2), world.Group(5, Split.Development, Stream).At(SimilarityLevel.S3, 2));
        Assert.NotEqual(Groups[name][5].Base, world.Group(5, Split.Development, StreamKey.Root(12)).Base);
        var names = Enum.GetValues<Split>().Select(s => Enumerable.Range(0, 40).Select(i => world.Group(i, s, Stream).Subject).ToHashSet(StringComparer.Ordinal)).ToList();
        Assert.Equal(names.Sum(n => n.Count), names.SelectMany(n => n).Distinct(StringComparer.Ordinal).Count());
    }

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Understands_ItsOwnExamplesAndNoOtherWorlds(string name) => Assert.All(WorldCatalogue.All, w => Assert.All(w.HelpExamples, e =>
        Assert.True(WorldCatalogue.Find(name)!.Understands(e) == (w.Name == name), e)));
}
