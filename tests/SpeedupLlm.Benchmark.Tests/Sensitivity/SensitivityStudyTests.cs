using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Benchmark.Sensitivity;
using SpeedupLlm.Benchmark.Tests.Experiments;
using SpeedupLlm.Benchmark.Tests.Results;
using SpeedupLlm.Compute;
using SpeedupLlm.Testing;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Tests.Sensitivity;

public sealed class SensitivityStudyTests : IDisposable
{
    private readonly Runs _runs = new();

    public void Dispose() => _runs.Dispose();

    [Fact]
    public async Task Run_AllSweeps_FilesAreValidAndAgreeWithTheRuns()
    {
        var folder = new SensitivityFolder(_runs.Folder("all").Path);
        var report = await Make(folder, Sweeps.Names).RunAsync(CancellationToken.None);
        Assert.Equal("complete", report.Status);
        Assert.Equal(Sweeps.Names, report.Sweeps.Select(s => s.Name));
        await Schemas.AssertValidAsync("sensitivity", await File.ReadAllTextAsync(Path.Combine(folder.Path, "sensitivity.json")));

        // a point is what the summary of its run says
        foreach (var point in report.Sweeps.Where(s => s.Name is not ("experience" or "cases")).SelectMany(s => s.Points))
        {
            var summary = folder.Part(point.Part).ReadSummary();
            Assert.Equal(summary.Cells.Count, point.Cells.Count);
            foreach (var (cell, of) in point.Cells.Zip(summary.Cells))
            {
                Assert.Equal((of.Similarity, of.Scaling, of.Memory, of.Trials, of.Failed), (cell.Similarity, cell.Scaling, cell.Memory, cell.Trials, cell.Failed));
                Assert.Equal(of.Operations.WithMemory!.Value, cell.Operations.Value!.Value, 9);
                Assert.Equal(of.Accuracy.WithMemory!.Value, cell.Accuracy.Value!.Value, 9);
                Assert.Equal(of.Accepted / (double)of.Trials, cell.Accepted.Value!.Value, 9);
                Assert.InRange(cell.Operations.Value.Value, cell.Operations.Ci![0], cell.Operations.Ci[1]);
                if (of.Memory == "none")
                {
                    Assert.Null(cell.FullCostSaved);
                    continue;
                }

                Assert.Equal(of.FullCost.Reduction!.Value, cell.FullCostSaved!.Value!.Value, 9);
                Assert.Equal(of.Operations.Ci!, cell.OperationsSaved!.Ci!);
                Assert.Equal(of.Accuracy.Change!.Value, cell.AccuracyGained!.Value!.Value, 9);
            }
        }

        Assert.Contains(Point(report, "judge-error", "30").Caveats, c => c.Contains("30 % were turned round on purpose", StringComparison.Ordinal));
        var page = await File.ReadAllTextAsync(folder.ReportPath);
        Assert.Contains("30 % were turned round on purpose", page, StringComparison.Ordinal);
        Assert.Contains("indicative", page, StringComparison.Ordinal);
        // a picture for each sweep over numbers, and a table for each
        Assert.Equal(Sweeps.Names.Count - 1, page.Split("<svg ").Length - 1);
        Assert.Equal(Sweeps.Names.Count, page.Split("<table>").Length - 1);
    }

    [Fact]
    public async Task Run_Factors_AreWhatTheirRunsDo()
    {
        var folder = new SensitivityFolder(_runs.Folder("factors").Path);
        var report = await Make(folder, ["samples", "cases", "experience", "judge-error"]).RunAsync(CancellationToken.None);
        var samples = report.Sweeps.Single(s => s.Name == "samples").Points;
        Assert.Equal([1, 8, 32], samples.Select(p => (int)p.X!.Value));
        Assert.All(samples[0].Cells, c => Assert.Equal(1, c.Operations.Value));
        Assert.All(samples[^1].Cells, c => Assert.InRange(c.Operations.Value!.Value, 1.01, 32));

        // the last questions of each lifeline, with as many cases as asked for
        foreach (var (label, most) in new[] { ("1", 1), ("3", 3) })
        {
            var trials = TrialFile.Read(folder.Part("cases-" + label).TrialsPath).Where(t => t.Memory == "in-context" && t.Level >= 3).ToList();
            Assert.All(trials, t => Assert.Equal(most, t.Recalled.Count));
            Assert.Equal(trials.Count / 2, Point(report, "cases", label).Cells.First(c => c.Memory == "in-context").Trials);
        }

        Assert.All(Point(report, "cases", "0").Cells, c => Assert.Equal("none", c.Memory));
        var experience = report.Sweeps.Single(s => s.Name == "experience");
        Assert.Equal(["0", "1", "2", "3–4", "5–6"], experience.Points.Select(p => p.Label));
        Assert.Equal([3, 3, 3, 6, 6], experience.Points.Select(p => p.Cells[0].Trials));
        Assert.Single(experience.Points.Select(p => p.Part).Distinct());
        // nothing was learnt before the first question
        Assert.All(experience.Points[0].Cells.Where(c => c.Memory != "none"), c => Assert.Equal(0, c.OperationsSaved!.Value!.Value, 12));
        Assert.Equal(7, experience.Finding!.Id);
        // six questions are too few to say anything of saturation
        Assert.Equal(["undecided", "undecided", "undecided"], experience.Finding.Parts!.Select(p => p.Verdict));

        // a judge that errs accepts what is wrong
        int Wrong(string part) => TrialFile.Read(folder.Part(part).TrialsPath).Count(t => t.Memory == "none" && t.Accepted != t.Correct);
        Assert.Equal(0, Wrong("judge-error-0"));
        Assert.InRange(Wrong("judge-error-30"), 1, 18);
    }

    [Fact]
    public async Task Run_Interrupted_GoesOnAndEndsTheSame()
    {
        SensitivityFolder whole = new(_runs.Folder("whole").Path), broken = new(_runs.Folder("broken").Path);
        string[] sweeps = ["samples", "judge-error"];
        await Make(whole, sweeps).RunAsync(CancellationToken.None);
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Make(broken, sweeps, p => { if (p.Done > p.Planned / 3) stop.Cancel(); }).RunAsync(stop.Token));
        var partly = broken.Read();
        Assert.Equal("interrupted", partly.Status);
        Assert.Contains("not complete", await File.ReadAllTextAsync(broken.ReportPath), StringComparison.Ordinal);
        var kept = await File.ReadAllTextAsync(broken.Part("samples-1").TrialsPath);
        await Make(broken, sweeps).RunAsync(CancellationToken.None);
        // not even the time of what was finished differs
        Assert.Equal(kept, await File.ReadAllTextAsync(broken.Part("samples-1").TrialsPath));
        foreach (var file in new[] { "sensitivity.json", "report.html" })
            Assert.Equal(Schemas.WithoutTime(await File.ReadAllTextAsync(Path.Combine(whole.Path, file))), Schemas.WithoutTime(await File.ReadAllTextAsync(Path.Combine(broken.Path, file))));

        await Assert.ThrowsAsync<ResumeRefusedException>(() => Make(broken, sweeps, settings: Settings with { Seed = 2 }).RunAsync(CancellationToken.None));
        // more sweeps join those that are there, and one run of another is not made again
        var more = await Make(broken, ["refinements"]).RunAsync(CancellationToken.None);
        Assert.Equal(["samples", "refinements", "judge-error"], more.Sweeps.Select(s => s.Name));
        Assert.Equal(kept, await File.ReadAllTextAsync(broken.Part("samples-1").TrialsPath));
    }

    [Fact]
    public void Sweeps_InFull_AreOfTheWidthThatTheStudyPromises()
    {
        var all = Sweeps.All(new() { Groups = 20 });
        Assert.Equal((0, 10), Ends("cases"));
        Assert.Equal((0, 30), (all.Single(s => s.Name == "experience").Values[0].From, all.Single(s => s.Name == "experience").Values[^1].To));
        Assert.Equal((0, 30), Ends("judge-error"));
        Assert.Equal(2, all.Single(s => s.Name == "budget").Values.Count);
        // the protocol's value is among the values, but for τ, whose scorer differs
        foreach (var (name, protocol) in new[] { ("samples", 8), ("width", 3), ("depth", 6), ("nodes", 16), ("refinements", 6), ("thinking", 480), ("waves", 1), ("cases", 3), ("judge-error", 0), ("minimum-similarity", 0) })
            Assert.Contains(all.Single(s => s.Name == name).Values, v => v.X == protocol);
        Assert.All(all, s => Assert.Equal(s.Values.Count, s.Values.Select(v => v.Label).Distinct().Count()));

        (int, int) Ends(string name) => ((int)all.Single(s => s.Name == name).Values[0].X!.Value, (int)all.Single(s => s.Name == name).Values[^1].X!.Value);
    }

    private static ExperimentSettings Settings { get; } = Runs.Quick;

    private static SweepPoint Point(SensitivityReport report, string sweep, string label) => report.Sweeps.Single(s => s.Name == sweep).Points.Single(p => p.Label == label);

    private static SensitivityStudy Make(SensitivityFolder folder, IReadOnlyList<string> sweeps, Action<ExperimentProgress>? progress = null, ExperimentSettings? settings = null)
    {
        var client = Runs.Model();
        settings ??= Settings;
        return new(settings, sweeps, new(client, (ModelTraits)client.GetService(typeof(ModelTraits))!), new WorldExamples(WorldCatalogue.Find("tariff")!, settings.Seed), folder, TimeProvider.System)
        {
            Progress = progress,
        };
    }
}
