using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Benchmark.Streaming;
using SpeedupLlm.Benchmark.Tests.Experiments;
using SpeedupLlm.Benchmark.Tests.Results;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using SpeedupLlm.Testing;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Tests.Streaming;

public sealed class StreamExperimentTests : IDisposable
{
    private static readonly ExperimentSettings Settings = new()
    {
        Scaling = ["best-of-n"],
        Memory = ["none", "in-context", "auto", "fixed-threshold", "vcache", "dynamic-cheatsheet", "sft"],
        Stream = new() { Questions = 120 },
    };

    private readonly Runs _runs = new();

    public void Dispose() => _runs.Dispose();

    [Fact]
    public async Task Run_AllArms_AnswerTheSameQuestionsAndFilesAreValid()
    {
        var folder = _runs.Folder("stream");
        await Make(Settings, folder).RunAsync(false, CancellationToken.None);
        var trials = StreamFile.Read(folder.StreamPath);
        Assert.Equal(7 * 120, trials.Count);
        Assert.All(trials, t => Assert.Null(t.Error));
        Assert.All(trials.GroupBy(t => t.Index), q => Assert.Single(q.Select(t => (t.Question, t.Kind, t.Topic)).Distinct()));
        foreach (var line in File.ReadLines(folder.StreamPath))
            await Schemas.AssertValidAsync("stream-trial", line);
        await Schemas.AssertValidAsync("stream", await File.ReadAllTextAsync(folder.StreamSummaryPath));
        await Schemas.AssertValidAsync("manifest", await File.ReadAllTextAsync(folder.ManifestPath));

        var summary = folder.ReadStreamSummary();
        Assert.Equal(120, summary.Questions);
        Assert.Equal(60, summary.ChangedAt);
        foreach (var arm in summary.Arms)
        {
            var own = trials.Where(t => t.Memory == arm.Memory).ToList();
            var none = trials.Where(t => t.Memory == "none").ToList();
            Assert.Equal((double)own.Average(t => t.FullCost), arm.FullCost.WithMemory!.Value, 9);
            Assert.Equal(1 - (double)own.Sum(t => t.FullCost) / (double)none.Sum(t => t.FullCost), arm.FullCost.Reduction!.Value, 9);
            Assert.Equal(own.Average(t => t.Correct ? 1.0 : 0), arm.Accuracy.WithMemory!.Value, 9);
            Assert.Equal(own.Count(t => t.Stop == "recalled"), arm.Given);
            Assert.Equal(120, arm.Windows.Sum(w => w.Questions));
            Assert.Equal(120, arm.ByKind.Sum(k => k.Questions));
            Assert.Equal(arm.FullCost.WithMemory.Value, arm.Bill.Sum(b => b.FullCost), 9);
        }

        StreamArm Arm(string name) => summary.Arms.Single(a => a.Memory == name);
        Assert.Equal([0.0, 0.0], Arm("none").FullCost.Ci!);
        Assert.Equal(0, Arm("none").Windows[^1].Stored);
        Assert.True(Arm("fixed-threshold").Given > 0);
        // similar words around other numbers: what a fixed threshold falls for, and auto does not
        Assert.True(Arm("fixed-threshold").GivenWrong!.Value > 0.1);
        Assert.True(Arm("auto").Given > 0);
        Assert.Equal(0, Arm("auto").GivenWrong!.Value);
        // a call of the curator for every question but the last
        Assert.Equal(119, trials.Where(t => t.Memory == "dynamic-cheatsheet").Sum(t => t.Bill.Where(b => b.Purpose == "learn").Sum(b => b.Calls)));
        Assert.Contains(trials, t => t.Memory == "sft" && t.Bill.Any(b => b.Trained > 0));

        var page = await File.ReadAllTextAsync(folder.ReportPath);
        foreach (var arm in summary.Arms)
            Assert.Contains(arm.Memory, page, StringComparison.Ordinal);
        foreach (var heading in new[] { "Over all questions", "Over time", "By kind of question", "The power law of practice", "Latency and growth" })
            Assert.Contains(heading, page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_InterruptedAndResumed_KeepsFinishedArmsAndEndsTheSame()
    {
        ResultsFolder whole = _runs.Folder("whole"), broken = _runs.Folder("broken");
        var settings = Settings with { Memory = ["none", "in-context", "vcache"], Stream = new() { Questions = 40 } };
        await Make(settings, whole).RunAsync(false, CancellationToken.None);
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Make(settings, broken, p => { if (p.Done >= 50) stop.Cancel(); }).RunAsync(false, stop.Token));
        Assert.Equal("interrupted", broken.ReadManifest().Status);
        await File.AppendAllTextAsync(broken.StreamPath, "{\"formatVersion\":1,\"mem");
        var refused = await Assert.ThrowsAsync<ResumeRefusedException>(() => Make(settings with { Stream = new() { Questions = 41 } }, broken).RunAsync(true, CancellationToken.None));
        Assert.Contains(refused.Differences, d => d.StartsWith("stream: 40 questions", StringComparison.Ordinal));
        await Make(settings, broken).RunAsync(true, CancellationToken.None);
        foreach (var name in Directory.GetFiles(whole.Path).Select(Path.GetFileName))
            Assert.Equal(WithoutTime(Path.Combine(whole.Path, name!)), WithoutTime(Path.Combine(broken.Path, name!)));
    }

    [Fact]
    public async Task Run_ModelIsDown_FailsAtOnce()
    {
        var client = new ScriptedChatClient(_ => ScriptedReply.Failing("nobody answers")).With<IAdapterTrainer>(new TinyTrainer());
        var error = await Assert.ThrowsAsync<ModelUnusableException>(() => Make(Settings, _runs.Folder("down"), client: client).RunAsync(false, CancellationToken.None));
        Assert.Contains("nobody answers", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Experiment_TwoScalingMethods_IsRefused() =>
        Assert.Throws<ArgumentException>(() => Make(Settings with { Scaling = ["best-of-n", "long-cot"] }, _runs.Folder("x")));

    private static StreamExperiment Make(ExperimentSettings settings, ResultsFolder folder, Action<ExperimentProgress>? progress = null, ScriptedChatClient? client = null)
    {
        var data = new WorldExamples(WorldCatalogue.Find("tariff")!, settings.Seed);
        var answers = Workload.Draw(data, settings.Stream!, StreamKey.Root(settings.Seed).Child("stream").Child("workload"))
            .DistinctBy(q => q.Example.Question).ToDictionary(q => q.Example.Question, q => q.Example.Expected);
        client ??= ScriptedApprentice.Create(0.3, 0.7, q => answers.GetValueOrDefault(q, "42")).With<IAdapterTrainer>(new TinyTrainer());
        return new(settings, new(client, (ModelTraits)client.GetService(typeof(ModelTraits))!), data, folder, TimeProvider.System) { Progress = progress };
    }

    private static string WithoutTime(string file) => Schemas.WithoutTime(File.ReadAllText(file));
}
