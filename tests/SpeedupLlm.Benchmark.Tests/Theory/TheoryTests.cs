using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Benchmark.Tests.Experiments;
using SpeedupLlm.Benchmark.Tests.Results;
using SpeedupLlm.Benchmark.Tests.Statistics;
using SpeedupLlm.Benchmark.Theory;
using SpeedupLlm.Compute;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Tests.Theory;

public sealed class TheoryTests
{
    private const int N = 8;

    [Fact]
    public void ExpectedAnswers_OverAllOutcomesOfTheDraws_IsTheFormulaExactly()
    {
        foreach (var p in new[] { 0.05, 0.3, 0.9 })
        {
            foreach (var draws in new[] { N, 20 })
            {
                var mean = Enumerable.Range(0, draws + 1).Sum(x => MathNet.Numerics.Distributions.Binomial.PMF(p, draws, x) * new HeldOutDraws(draws, x).ExpectedAnswers(N));
                Assert.Equal(Formula(p), mean, 9);
            }
        }

        Assert.Equal(N, new HeldOutDraws(N, 0).ExpectedAnswers(N));
        Assert.Equal(1, new HeldOutDraws(N, N).ExpectedAnswers(N));
        Assert.Throws<ArgumentOutOfRangeException>(() => new HeldOutDraws(6, 1).ExpectedAnswers(N));
    }

    [Fact]
    public async Task Run_ModelWithKnownChance_PredictsWhatIsMeasured()
    {
        const double p = 0.25, withMemory = 0.6;
        var settings = new ExperimentSettings { Memory = ["none", "in-context"], Similarity = ["S1", "S3"], Groups = 8 };
        var options = new TheoryOptions { Draws = 40, Runs = 10 };
        var rows = await Study(settings, options, p, withMemory).RunAsync(CancellationToken.None);
        Assert.Equal(4, rows.Count);
        foreach (var row in rows)
        {
            var chance = row.Memory == "none" ? p : withMemory;
            // 320 held-out attempts; accepted is what is right, since the scripted judge never errs
            var accepted = (int)Math.Round(row.P * 320);
            CoverageBound.AssertAtLeast(accepted, 320, chance);
            CoverageBound.AssertAtMost(accepted, 320, chance);
            Assert.InRange(row.Measured, 0.75 * Formula(chance), 1.25 * Formula(chance));
            Assert.True(row.Agrees, row.ToString());
        }
    }

    [Fact]
    public void Check_SimulatedQuestions_AgreesAtItsLevelThoughTheMeanWouldNot()
    {
        const int runs = 400, groups = 40, cells = 1;
        int disagrees = 0, lies = 0;
        for (var run = 0; run < runs; run++)
        {
            var random = new StreamRandom(StreamKey.Root(run).Child("theory"));
            double truth = 0;
            var questions = Enumerable.Range(0, groups).Select(_ =>
            {
                var p = random.NextDouble() < 0.5 ? 0.05 : 0.7;
                truth += Formula(p) / groups;
                var accepted = Enumerable.Range(0, 32).Count(_ => random.NextDouble() < p);
                var measured = Enumerable.Range(0, 4).Average(_ => Search(random, p));
                return new TheoryStudy.Question(new(32, accepted), measured);
            }).ToList();
            var row = TheoryStudy.Check("S1", "none", questions, N, cells);
            disagrees += row.Agrees == false ? 1 : 0;
            lies += Math.Abs(row.PredictedFromMean!.Value - truth) > 0.1 * truth ? 1 : 0;
        }

        CoverageBound.AssertAtMost(disagrees, runs, 0.05);
        // Jensen: the formula at the mean of p misses by more than a tenth nearly always
        Assert.True(lies > 0.95 * runs);

        static double Search(StreamRandom random, double p)
        {
            var answers = 1;
            while (answers < N && random.NextDouble() >= p)
                answers++;
            return answers;
        }
    }

    [Fact]
    public async Task Premises_OfKnownModels_NameWhatFails()
    {
        using var runs = new Runs();
        var settings = Runs.Quick with { Groups = 8, Rounds = 4, Scaling = ["best-of-n", "long-cot"], Memory = ["in-context"], Similarity = ["S1", "S3"], Feedback = FeedbackMode.Reference };
        ResultsFolder helped = runs.Folder("helped"), misled = runs.Folder("misled");
        await Runs.Make(settings, helped, Runs.Model(0.2, 0.95)).RunAsync(false, CancellationToken.None);
        await Runs.Make(settings, misled, Runs.Model(0.7, 0.02)).RunAsync(false, CancellationToken.None);
        Assert.Equal(4, helped.Premises().Count);
        Assert.DoesNotContain(helped.Premises(), c => c.Verdict == Premises.Fails);
        Assert.All(misled.Premises(), c => Assert.Equal(Premises.Fails, c.Verdict));
        Assert.All(misled.Premises(), c => Assert.True(c.Accepted.Change < 0 && c.Cost.Reduction < 0));
        var page = await File.ReadAllTextAsync(misled.ReportPath);
        Assert.Contains("4 fail: S1 best-of-n in-context", page, StringComparison.Ordinal);
        var report = new TheoryReport(1, "scripted", "f", "tariff", 1, 8, N, 32, 4, [TheoryStudy.Check("S1", "none", [new(new(32, 8), 3), new(new(32, 4), 5)], N, 1)], misled.Premises());
        await Schemas.AssertValidAsync("theory", report.ToJson());
        Assert.Contains("fails: S3 long-cot in-context", TheoryText.Of(report), StringComparison.Ordinal);
    }

    [Fact]
    public void Premises_WithoutDifference_FailInNoMoreThanOneGridOfTwenty()
    {
        const int grids = 120;
        var failed = Enumerable.Range(0, grids).Count(grid =>
        {
            var random = new StreamRandom(StreamKey.Root(grid).Child("premises"));
            var trials = from memory in new[] { "none", "in-context", "reflect" } from @group in Enumerable.Range(0, 20) from level in new[] { 1, 2, 3 } select Trial(memory, @group, level, random);
            return Premises.Of(new(), [.. trials]).Any(c => c.Verdict == Premises.Fails);
        });
        CoverageBound.AssertAtMost(failed, grids, 0.05);
    }

    [Theory]
    [InlineData("auto", 32, "without a search")]
    [InlineData("none", 7, "held-out")]
    public void Study_WhatTheTheoryIsNotAbout_IsRefused(string memory, int draws, string says) =>
        Assert.Contains(says, Assert.Throws<ArgumentException>(() => Study(new() { Memory = [memory] }, new() { Draws = draws }, 0.5, 0.5)).Message, StringComparison.Ordinal);

    private static double Formula(double p) => (1 - Math.Pow(1 - p, N)) / p;

    private static TheoryStudy Study(ExperimentSettings settings, TheoryOptions options, double p, double withMemory)
    {
        var client = Runs.Model(p, withMemory);
        return new(settings, options, new(client, (ModelTraits)client.GetService(typeof(ModelTraits))!), new WorldExamples(WorldCatalogue.Find("tariff")!, settings.Seed), TimeProvider.System);
    }

    private static Trial Trial(string memory, int group, int level, StreamRandom random)
    {
        var answers = 1;
        while (answers <= N && random.NextDouble() >= 0.25)
            answers++;
        return new()
        {
            Similarity = "S1",
            Scaling = "best-of-n",
            Memory = memory,
            Checkpoint = 1,
            Group = group,
            Level = level,
            Question = "q",
            Expected = "1",
            Correct = answers <= N,
            Accepted = answers <= N,
            Stop = answers <= N ? "threshold" : "cap",
            Operations = Math.Min(answers, N),
            InputTokens = 1,
            CachedInputTokens = 0,
            OutputTokens = 1,
            FullCost = 1,
            Bill = [],
            Recalled = [],
            Time = new(DateTimeOffset.UnixEpoch, 1, 1),
        };
    }
}
