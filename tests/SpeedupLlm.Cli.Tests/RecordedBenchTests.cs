using System.Text.Json;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Cli.Tests;

/// <summary><c>bench</c> on recorded answers.</summary>
public sealed class RecordedBenchTests : IDisposable
{
    private static readonly string Shared = Path.Combine(Repository.Root, "..", "shared", "data", "gsm8k-recorded.jsonl");
    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Bench_OwnAnswers_CountsVotesExactly()
    {
        var outcome = await Speedup.RunAsync("bench", "--model", "recorded:" + Recorded.Write(_folder, 8), "--stop", "none", "--samples", "6", "--out", _folder["run"]);
        Assert.Equal(0, outcome.Status);
        using var summary = JsonDocument.Parse(File.ReadAllText(_folder["run/summary.json"]));
        var cell = Assert.Single(summary.RootElement.GetProperty("cells").EnumerateArray());
        Assert.Equal("any", cell.GetProperty("similarity").GetString());
        Assert.Equal(8, cell.GetProperty("trials").GetInt32());
        Assert.Equal(6, cell.GetProperty("operations").GetProperty("baseline").GetDouble());
        // right answers agree and wrong ones differ, so two right ones of six are the majority
        Assert.Equal(1, cell.GetProperty("accuracy").GetProperty("baseline").GetDouble());
        Assert.Equal(8, summary.RootElement.GetProperty("findings").GetArrayLength());
        Assert.Contains("plain", outcome.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none", 12, 0.8855)]
    [InlineData("adaptive-consistency:0.95", 8.66, 0.8855)]
    [InlineData("esc:4", 9.38, 0.8855)]
    [InlineData("esc:3", 7.78, 0.8845)]
    public async Task Bench_SharedAnswers_ReproduceTheReferenceFigures(string stop, double answers, double accuracy)
    {
        if (!File.Exists(Shared))
        {
            // the data lives beside the repository, and is not part of it
            Assert.False(Directory.Exists(Path.GetDirectoryName(Shared)!) && Directory.EnumerateFiles(Path.GetDirectoryName(Shared)!, "gsm8k*").Any());
            return;
        }

        var outcome = await Speedup.RunAsync("bench", "--model", "recorded:" + Shared, "--scaling", "self-consistency", "--stop", stop, "--samples", "12", "--out", _folder["run"]);
        Assert.Equal(0, outcome.Status);
        using var summary = JsonDocument.Parse(File.ReadAllText(_folder["run/summary.json"]));
        var cell = summary.RootElement.GetProperty("cells")[0];
        Assert.Equal(660, cell.GetProperty("trials").GetInt32());
        // the reference is a mean of 5 seeds with a spread of 0.06 answers; better extraction of answers lets them agree sooner
        Assert.InRange(cell.GetProperty("operations").GetProperty("baseline").GetDouble(), answers - 0.25, answers + 0.12);
        Assert.InRange(cell.GetProperty("accuracy").GetProperty("baseline").GetDouble(), accuracy - 0.003, accuracy + 0.02);
        Assert.InRange(cell.GetProperty("plainCall").GetProperty("accuracy").GetDouble(), 0.613 - 0.03, 0.613 + 0.04);
    }

    [Fact]
    public async Task Bench_Interrupted_Exits130AndLeavesReadableFiles()
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
            return;
        var answers = Recorded.Write(_folder, 16_000);
        using var process = Speedup.Start("bench", "--model", "recorded:" + answers, "--samples", "6", "--out", _folder["run"]);
        // once trials are being written, and many are left
        while (!File.Exists(_folder["run/trials.jsonl"]) || new FileInfo(_folder["run/trials.jsonl"]).Length == 0)
            await Task.Delay(5);
        Speedup.Interrupt(process);
        var outcome = await Speedup.EndAsync(process);
        Assert.Equal(130, outcome.Status);
        using var manifest = JsonDocument.Parse(File.ReadAllText(_folder["run/manifest.json"]));
        Assert.Equal("interrupted", manifest.RootElement.GetProperty("status").GetString());
        using var summary = JsonDocument.Parse(File.ReadAllText(_folder["run/summary.json"]));
        Assert.Equal(
            manifest.RootElement.GetProperty("finishedTrials").GetInt32(),
            summary.RootElement.GetProperty("cells").EnumerateArray().Sum(c => c.GetProperty("trials").GetInt32()));
        Assert.True(File.Exists(_folder["run/report.html"]));

        Assert.Equal(0, (await Speedup.RunAsync("bench", "--model", "recorded:" + answers, "--samples", "6", "--out", _folder["run"], "--resume")).Status);
        Assert.Equal(16_000, File.ReadAllLines(_folder["run/trials.jsonl"]).Length);
    }
}
