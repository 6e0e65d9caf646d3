using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Streaming;
using SpeedupLlm.Benchmark.Tests.Statistics;
using SpeedupLlm.Compute;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Tests.Streaming;

public sealed class WorkloadTests
{
    private static readonly WorldExamples Tariffs = new(WorldCatalogue.Find("tariff")!, 1);

    [Fact]
    public void Draw_Shares_AreTheStatedOnes()
    {
        var options = new WorkloadOptions { Questions = 3000 };
        var questions = Workload.Draw(Tariffs, options, StreamKey.Root(1));
        Assert.Equal(Enumerable.Range(0, 3000), questions.Select(q => q.Index));
        foreach (var (kind, share) in new[] { ("new", 0.2), ("S1", 0.1), ("S2", 0.2), ("S3", 0.3), ("S4", 0.2) })
        {
            // the changed ones stand in for another kind
            var count = questions.Count(q => q.Kind == kind);
            CoverageBound.AssertAtMost(count, 3000, share);
            CoverageBound.AssertAtLeast(count + questions.Count(q => q.Kind == "changed"), 3000, share);
        }

        Assert.Equal(questions.Count(q => q.Kind == "new"), questions.Select(q => q.Topic).Distinct().Count());
        // Zipf: the first topic is asked about most, the first ten more than the next ten
        var asked = questions.CountBy(q => q.Topic).ToDictionary();
        Assert.Equal(0, asked.MaxBy(a => a.Value).Key);
        Assert.True(Enumerable.Range(0, 10).Sum(t => asked[t]) > 1.5 * Enumerable.Range(10, 10).Sum(t => asked[t]));
    }

    [Fact]
    public void Draw_Topics_HaveNamesOfTheirOwn()
    {
        var questions = Workload.Draw(Tariffs, new() { Questions = 1500 }, StreamKey.Root(1));
        var names = questions.GroupBy(q => q.Topic).Select(t => t.Select(q => Stem(q.Example)).Distinct().Single()).ToList();
        Assert.Equal(names.Count, names.Distinct().Count());

        // a lesson begins with the firm's name, whose first word all branches share
        static string Stem(Example example) => example.Lesson.Split(' ')[0];
    }

    [Fact]
    public void Draw_Halfway_EverySecondTopicChangesItsRule()
    {
        var questions = Workload.Draw(Tariffs, new() { Questions = 1000 }, StreamKey.Root(1));
        Assert.All(questions.Where(q => q.Kind == "changed"), q => Assert.True(q.Index >= 500 && q.Topic % 2 == 0 && q.Visit == 0));
        Assert.All(questions.GroupBy(q => q.Topic), topic =>
        {
            var open = topic.Any(q => q.Index < 500) && topic.Key % 2 == 0;
            Assert.Equal(open && topic.Any(q => q.Index >= 500) ? 1 : 0, topic.Count(q => q.Kind == "changed"));
            // the same question about one firm before and after the change has another answer, since it shows other bills
            Assert.Equal(topic.Count(q => q.Visit == 0), topic.Where(q => q.Kind is "new" or "changed").Select(q => q.Example.Question).Distinct().Count());
        });
        Assert.DoesNotContain(Workload.Draw(Tariffs, new() { Questions = 1000, ChangeAfter = 1 }, StreamKey.Root(1)), q => q.Kind == "changed");
    }

    [Fact]
    public void Draw_Twice_IsTheSame() =>
        Assert.Equal(Workload.Draw(Tariffs, new() { Questions = 200 }, StreamKey.Root(1)), Workload.Draw(Tariffs, new() { Questions = 200 }, StreamKey.Root(1)));

    [Fact]
    public void AfterChange_OfAFirm_IsTheSameFirmWithAnotherTariff()
    {
        for (var group = 0; group < 40; group++)
        {
            Example before = Tariffs.At(group, SimilarityLevel.S1, 0), after = Tariffs.AfterChange(group, SimilarityLevel.S1, 0)!;
            Assert.Equal(before.Lesson.Split(" charge ")[0], after.Lesson.Split(" charge ")[0]);
            Assert.NotEqual(before.Lesson, after.Lesson);
            Assert.NotEqual(before.Id, after.Id);
        }
    }

    [Fact]
    public void Draw_DataWithoutGroups_IsRefused() =>
        Assert.Contains("no groups", Assert.Throws<ArgumentException>(() => Workload.Draw(
            new QuestionList("list", "f", [new("a", "1 + 1?", "2", "", "", "", false)]), new(), StreamKey.Root(1))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("new:1,S1:1", "new:50,S1:50,S2:0,S3:0,S4:0")]
    [InlineData("new:20,S1:10,S2:20,S3:30,S4:20", "new:20,S1:10,S2:20,S3:30,S4:20")]
    public void Parse_Weights_BecomeShares(string text, string shares) => Assert.Equal(shares, WorkloadMix.Parse(text).ToString());

    [Theory]
    [InlineData("S1:1")]
    [InlineData("new:1,new:2")]
    [InlineData("new:-1")]
    [InlineData("new:1,S5:2")]
    [InlineData("new:NaN")]
    [InlineData("")]
    public void Parse_Malformed_IsRefused(string text) => Assert.Throws<FormatException>(() => WorkloadMix.Parse(text));
}
