using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Benchmark.Statistics;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Tests.Statistics;

/// <summary>The whole analysis on simulated grids whose truth is known.</summary>
public sealed class AnalysisTests
{
    [Fact]
    public void Of_MemoryThatHelpsWhereAlike_FindsThePapersPattern()
    {
        double Gain(string similarity, string memory, int level) => similarity switch
        {
            "S1" => 0.4,
            "S2" => 0.33,
            "S3" => 0.2,
            _ => memory == "sft" ? -0.12 : 0.05,
        } * (memory is "sft" ? 0.9 : memory is "in-context" ? 1.1 : memory is "reflect-update" ? 0.6 : 0.25);

        var summary = Analyse(60, 4, Gain).Summary;
        Assert.Equal(80, summary.Overall.Cells);
        Assert.InRange(summary.Overall.Cheaper, 64, 80);
        Assert.True(summary.Overall.SignificantlyCheaper > 40);
        Assert.True(summary.Overall.Pearson.R < 0 && summary.Overall.Pearson.P < 0.05);
        Assert.Equal(["agrees", "agrees", "agrees", "agrees", "agrees", "agrees", "undecided", "agrees"], summary.Findings.Select(f => f.Verdict));
        Assert.Contains(summary.Cells, c => c.Verdict == "harmless" && c.Memory != "none");
        Assert.Contains(summary.Cells, c => c.Verdict == "harmful" && c is { Similarity: "S4", Memory: "sft" });
    }

    [Fact]
    public void Of_MemoryThatDoesNothing_ClaimsNothing()
    {
        var analysis = Analyse(20, 2, (_, _, _) => 0);
        var summary = analysis.Summary;
        Assert.True(summary.Overall.SignificantlyCheaper + summary.Overall.SignificantlyDearer <= 4);
        Assert.DoesNotContain(summary.Findings, f => f.Id is 1 or 7 && f.Verdict == "agrees");
        Assert.DoesNotContain(summary.Cells, c => c.Verdict == "harmful");
        // an undecided cell says about how many groups would decide it
        Assert.Contains(analysis.Cells, c => c.GroupsNeeded > 20);
    }

    [Fact]
    public void Of_SavingsKeepGrowingForSftOnly_DecidesSaturation()
    {
        var findings = Analyse(40, 8, (_, memory, level) => memory == "sft" ? 0.05 * level : 0.3).Summary.Findings;
        Assert.Equal("agrees", findings.Single(f => f.Id == 7).Verdict);
        Assert.Equal("agrees", findings.Single(f => f.Id == 6).Verdict);
    }

    [Fact]
    public void Of_OneMemoryOnly_LeavesTheRestUndecided()
    {
        var summary = Analyse(10, 2, (_, _, _) => 0.3, ["none", "in-context"]).Summary;
        Assert.Equal(16, summary.Overall.Cells);
        Assert.All(summary.Findings.Where(f => f.Id is 1 or 5 or 6 or 7 or 8), f => Assert.Equal("undecided", f.Verdict));
    }

    [Fact]
    public void Of_NoTrials_IsNullEverywhereAndNeverNaN()
    {
        var summary = Analyse(0, 2, (_, _, _) => 0).Summary;
        Assert.Empty(summary.Cells);
        Assert.Equal(8, summary.Findings.Count);
        Assert.Null(summary.Overall.MeanReduction);
        Assert.Null(summary.Overall.Pearson.R);
    }

    [Fact]
    public void RankTrend_OrdersTiesAndReversals()
    {
        Assert.Equal(-1, FindingsTable.RankTrend([4, 3, 2, 1]), 12);
        Assert.Equal(1, FindingsTable.RankTrend([1, 2, 3, 4]), 12);
        Assert.Equal(0, FindingsTable.RankTrend([2, 2, 2, 2]), 12);
        Assert.Equal(-2 / Math.Sqrt(5), FindingsTable.RankTrend([2, 2, 1, 1]), 12);
    }

    private static Analysis Analyse(int groups, int rounds, Func<string, string, int, double> gain, IReadOnlyList<string>? memories = null)
    {
        var random = new StreamRandom(StreamKey.Root(5));
        var trials = new List<Trial>();
        foreach (var similarity in GridOrder.Similarities)
        {
            foreach (var scaling in GridOrder.ScalingMethods)
            {
                foreach (var memory in memories ?? ["none", .. GridOrder.Memories])
                {
                    for (var group = 0; group < groups; group++)
                    {
                        for (var level = 0; level <= rounds; level++)
                        {
                            var p = 0.25 + (memory == "none" || level == 0 ? 0 : gain(similarity, memory, level));
                            var draws = 1;
                            var solved = random.NextDouble() < p;
                            while (!solved && draws < 8)
                            {
                                draws++;
                                solved = random.NextDouble() < p;
                            }

                            trials.Add(Line(similarity, scaling, memory, group, level, draws, solved));
                        }
                    }
                }
            }
        }

        var settings = new ExperimentSettings { Groups = Math.Max(1, groups), Rounds = rounds };
        return Analysis.Of(ManifestOf(settings), trials, []);
    }

    private static Trial Line(string similarity, string scaling, string memory, int group, int level, int draws, bool solved) => new()
    {
        Similarity = similarity,
        Scaling = scaling,
        Memory = memory,
        Checkpoint = 1,
        Group = group,
        Level = level,
        Question = "q",
        Expected = "1",
        Correct = solved,
        Accepted = solved,
        Stop = solved ? "threshold" : "cap",
        Operations = draws,
        InputTokens = 50 * draws,
        CachedInputTokens = 0,
        OutputTokens = 30 * draws,
        FullCost = 170 * draws,
        Bill = [],
        Recalled = [],
        Time = new(DateTimeOffset.UnixEpoch, 1, null),
    };

    private static Manifest ManifestOf(ExperimentSettings settings) => new()
    {
        Version = "0",
        Status = "complete",
        Indicative = false,
        Caveats = [],
        Parameters = settings,
        ModelFingerprint = "m",
        PromptFingerprint = "p",
        DataFingerprint = "d",
        ProtocolSha256 = Resources.ProtocolSha256,
        Prices = PriceSheet.Relative,
        PlannedTrials = 0,
        FinishedTrials = 0,
        Time = new(DateTimeOffset.UnixEpoch, 0, 1, "", "", 1),
    };
}
