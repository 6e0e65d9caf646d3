using Microsoft.Extensions.AI;
using SpeedupLlm.Prompts;
using SpeedupLlm.Worlds.Riddles;

namespace SpeedupLlm.Worlds.Tests.Riddles;

public sealed class RiddleEvaluationTests
{
    private static readonly EvaluationOptions Few = new() { N = 8 };

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public async Task RunAsync_PerfectReasoner_DoesAllTasks(string name)
    {
        var figures = await RiddleEvaluation.RunAsync(Books.Of(name), new PerfectReasoner(Books.Of(name)), Few, null, CancellationToken.None);
        Assert.All(figures.Where(f => f.Measure is "exact" or "holds" or "sound" or "right"), f => Assert.True(f.Value == 1, f.ToString()));
        Assert.All(figures.Where(f => f.Part == "judge" && f.Measure == "says good"), f =>
            Assert.Equal(f.Condition is "sound" or "harmless slip" || f.Condition.StartsWith("own sound", StringComparison.Ordinal) ? 1 : 0, f.Value));
        Assert.Equal(RiddleEvaluation.Parts.Except(["tuning"]).Order(), figures.Select(f => f.Part).Except(["value", "feedback", "refine"]).Select(p => p == "lesson" ? "lessons" : p).Append("tasks").Distinct().Order());
    }

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public async Task RunAsync_AnyConcurrency_GivesTheSameFigures(string name)
    {
        var (book, options) = (Books.Of(name), Few with { Parts = ["guess", "tasks"] });
        var one = await RiddleEvaluation.RunAsync(book, new PerfectReasoner(book), options with { Concurrency = 1 }, null, CancellationToken.None);
        Assert.Equal(one, await RiddleEvaluation.RunAsync(book, new PerfectReasoner(book), options with { Concurrency = 32 }, null, CancellationToken.None));
    }

    [Fact]
    public async Task RunAsync_UnknownPart_NamesTheParts()
    {
        var thrown = await Assert.ThrowsAsync<ArgumentException>(() =>
            RiddleEvaluation.RunAsync(Books.All[0], new PerfectReasoner(Books.All[0]), Few with { Parts = ["gues"] }, null, CancellationToken.None));
        Assert.Contains("guess, think", thrown.Message, StringComparison.Ordinal);
    }
}
