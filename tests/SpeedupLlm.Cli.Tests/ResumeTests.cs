using System.Diagnostics;
using System.Text.Json;

namespace SpeedupLlm.Cli.Tests;

/// <summary><c>bench --resume</c> after the process was really killed.</summary>
public sealed class ResumeTests(TinyModel model) : IClassFixture<TinyModel>, IDisposable
{
    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Bench_KilledAgainAndAgain_EndsAsIfNothingHadHappened()
    {
        Assert.Equal(0, (await Speedup.RunAsync(Bench("whole"))).Status);
        var kept = new List<string>();
        var kills = 0;
        for (var most = 40; kills < 2; most += 40)
        {
            using var process = Speedup.Start(kills == 0 ? Bench("killed") : [.. Bench("killed"), "--resume"]);
            if (!await KilledAtAsync(process, "killed/trials.jsonl", most))
                break;
            kills++;
            var lines = WholeLines("killed/trials.jsonl");
            // nothing that was finished before is lost or made again: not even its time differs
            Assert.Empty(Lifelines(kept).Except(lines));
            kept = lines;
            if (kills == 1)
                await File.AppendAllTextAsync(_folder["killed/trials.jsonl"], "{\"formatVersion\":1,\"similarity\":\"S1\",\"sca");
        }

        Assert.True(kills > 0, "the run ended before it could be killed");
        Assert.Equal("running", Manifest("killed").GetProperty("status").GetString());
        var report = await Speedup.RunAsync("report", _folder["killed"]);
        Assert.Equal(0, report.Status);
        Assert.Contains("Not complete", report.Output, StringComparison.Ordinal);

        (await Speedup.RunAsync([.. Bench("killed"), "--resume", "--tau", "0.7"])).AssertRefused(2, "tau: 0.5, now 0.7");
        Assert.Equal(0, (await Speedup.RunAsync([.. Bench("killed"), "--resume"])).Status);
        Assert.Equal("complete", Manifest("killed").GetProperty("status").GetString());
        var end = File.ReadAllLines(_folder["killed/trials.jsonl"]);
        Assert.Empty(Lifelines(kept).Except(end));
        Assert.Equal(Files("whole"), Files("killed"));
        foreach (var file in Files("whole"))
            Assert.Equal(ResultFiles.WithoutTime(_folder["whole/" + file]), ResultFiles.WithoutTime(_folder["killed/" + file]));
    }

    [Fact]
    public async Task Stream_Killed_EndsAsIfNothingHadHappened()
    {
        Assert.Equal(0, (await Speedup.RunAsync(Stream("whole"))).Status);
        using (var process = Speedup.Start(Stream("killed")))
            Assert.True(await KilledAtAsync(process, "killed/stream.jsonl", 50), "the run ended before it could be killed");
        Assert.Equal("running", Manifest("killed").GetProperty("status").GetString());
        await File.AppendAllTextAsync(_folder["killed/stream.jsonl"], "{\"formatVersion\":1,\"memory\":\"no");
        (await Speedup.RunAsync([.. Stream("killed"), "--resume", "--zipf", "0.7"])).AssertRefused(2, "zipf");
        Assert.Equal(0, (await Speedup.RunAsync([.. Stream("killed"), "--resume"])).Status);
        Assert.Equal(Files("whole"), Files("killed"));
        foreach (var file in Files("whole"))
            Assert.Equal(ResultFiles.WithoutTime(_folder["whole/" + file]), ResultFiles.WithoutTime(_folder["killed/" + file]));
    }

    [Fact]
    public async Task Bench_WhileAnotherRunWritesThere_IsRefused()
    {
        using var process = Speedup.Start(Bench("busy"));
        await FileAsync(process, _folder["busy/run.lock"]);
        (await Speedup.RunAsync([.. Bench("busy"), "--resume"])).AssertRefused(1, "another run");
        process.Kill();
        await Speedup.EndAsync(process);
    }

    private string[] Bench(string folder) =>
    [
        "bench", "--model", model.Name, "--groups", "5", "--rounds", "3", "--samples", "2", "--scaling", "best-of-n,long-cot",
        "--memory", "none,in-context", "--feedback", "reference", "--out", _folder[folder],
    ];

    private string[] Stream(string folder) =>
    [
        "bench", "--stream", "--model", model.Name, "--questions", "60", "--samples", "2", "--memory", "none,in-context,auto", "--feedback", "reference", "--out", _folder[folder],
    ];

    /// <summary>Kills the process once so many trials are written; false if it ended before.</summary>
    private async Task<bool> KilledAtAsync(Process process, string file, int trials)
    {
        await FileAsync(process, _folder[file]);
        while (!process.HasExited && WholeLines(file).Count < trials)
            await Task.Delay(10);
        var killed = !process.HasExited;
        process.Kill(); // SIGKILL
        await Speedup.EndAsync(process);
        return killed && process.ExitCode != 0;
    }

    private static async Task FileAsync(Process process, string file)
    {
        while (!File.Exists(file) && !process.HasExited)
            await Task.Delay(5);
    }

    /// <summary>Lines that are whole and not yet sorted away, as a reader sees them.</summary>
    private List<string> WholeLines(string file)
    {
        var text = File.Exists(_folder[file]) ? File.ReadAllText(_folder[file]) : "";
        return [.. text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    /// <summary>The lines of lifelines that are finished: 4 levels each. Others are lived anew, since memory is not kept.</summary>
    private static IEnumerable<string> Lifelines(IEnumerable<string> lines) => lines.GroupBy(line =>
    {
        using var trial = JsonDocument.Parse(line);
        var t = trial.RootElement;
        return string.Join('/', new[] { "group", "similarity", "scaling", "memory" }.Select(name => t.GetProperty(name).ToString()));
    }).Where(l => l.Count() == 4).SelectMany(l => l);

    private List<string> Files(string folder) => [.. Directory.GetFiles(_folder[folder]).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    private JsonElement Manifest(string folder)
    {
        using var manifest = JsonDocument.Parse(File.ReadAllText(_folder[folder + "/manifest.json"]));
        return manifest.RootElement.Clone();
    }
}
