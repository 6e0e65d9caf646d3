using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Benchmark.Statistics;
using SpeedupLlm.Benchmark.Tests.Experiments;

namespace SpeedupLlm.Benchmark.Tests.Statistics;

public sealed class OverCheckpointsTests : IDisposable
{
    private readonly Runs _runs = new();

    public void Dispose() => _runs.Dispose();

    [Fact]
    public async Task Of_RunsOfTwoCheckpoints_SetsEveryFigureAndFindingSideBySide()
    {
        var (first, second) = (await LiveAsync("1", Runs.Quick with { Groups = 2 }), await LiveAsync("2", Runs.Quick with { Groups = 3, Checkpoint = 2 }));
        var study = OverCheckpoints.Of([first, second]);
        Assert.Equal(["embedded 1, 2 groups", "embedded 2, 3 groups"], study.Runs);
        var saved = study.Figures.Single(f => f.Name.StartsWith("operations saved, mean", StringComparison.Ordinal));
        Assert.Equal([first.ReadSummary().Overall.MeanReduction!.Value, second.ReadSummary().Overall.MeanReduction!.Value], saved.Values.Select(v => Math.Round(v!.Value, 12)), (a, b) => Math.Abs(a - b) < 1e-9);
        Assert.Equal(saved.Values.Average(), saved.Mean);
        Assert.True(saved.Ci![0] < saved.Mean && saved.Mean < saved.Ci[1]);
        Assert.Equal(first.ReadSummary().Findings.Sum(f => f.Parts!.Count), study.Findings.Count);
        Assert.All(study.Findings, f => Assert.Equal(2, f.Verdicts.Count));
        var page = study.ToHtml();
        Assert.All(study.Findings, f => Assert.Contains(System.Net.WebUtility.HtmlEncode(f.Claim), page, StringComparison.Ordinal));
    }

    [Fact]
    public void Of_KnownValues_IsTheMeanWithT()
    {
        var figure = ComparedFigure.Of("x", [0.1, 0.2, 0.3]);
        // t(2) at 0.975 is 4.3027; the standard error is 0.1 / √3
        Assert.Equal((0.2, -0.0484, 0.4484), (Math.Round(figure.Mean!.Value, 4), Math.Round(figure.Ci![0], 4), Math.Round(figure.Ci[1], 4)));
        Assert.Null(ComparedFigure.Of("x", [0.1, null]).Mean);
        Assert.Null(ComparedFigure.Of("x", [0.1]).Ci);
    }

    [Fact]
    public async Task Of_RunsOfOtherStudies_SaysWhatDiffers()
    {
        var first = await LiveAsync("none", Runs.Quick with { Groups = 2, Memory = ["none"] });
        var other = await LiveAsync("verdict", Runs.Quick with { Groups = 2, Memory = ["none"], Feedback = FeedbackMode.Verdict });
        Assert.Contains("feedback: none, now verdict", Assert.Throws<ArgumentException>(() => OverCheckpoints.Of([first, other])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => OverCheckpoints.Of([first]));
    }

    private async Task<ResultsFolder> LiveAsync(string name, ExperimentSettings settings)
    {
        var folder = _runs.Folder(name);
        await Runs.Make(settings, folder).RunAsync(false, CancellationToken.None);
        return folder;
    }
}
