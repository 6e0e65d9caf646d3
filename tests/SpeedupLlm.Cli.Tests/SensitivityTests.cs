using System.Text.Json;

namespace SpeedupLlm.Cli.Tests;

/// <summary><c>sensitivity</c> and its <c>report</c> on an embedded reasoner.</summary>
public sealed class SensitivityTests(TinyModel model) : IClassFixture<TinyModel>, IDisposable
{
    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Sensitivity_Quick_ShowsTheSweepsAndGoesOnWithMore()
    {
        string[] study = ["sensitivity", "--quick", "--groups", "2", "--model", model.Name, "--out", _folder["study"], "--sweep"];
        var outcome = await Speedup.RunAsync([.. study, "judge-error"]);
        Assert.Equal(0, outcome.Status);
        foreach (var part in new[] { "judge-error", "0 to 30", "in-context", "30 % were turned round on purpose", "indicative", "Report: " })
            Assert.Contains(part, outcome.Output, StringComparison.Ordinal);
        Assert.Equal(["judge-error"], Names());

        Assert.Equal(0, (await Speedup.RunAsync([.. study, "minimum-similarity"])).Status);
        Assert.Equal(["judge-error", "minimum-similarity"], Names());
        // without memory nothing depends on what memory leaves out, nor on the runs before
        Assert.Equal(Baseline("minimum-similarity-0"), Baseline("minimum-similarity-0.95"));
        (await Speedup.RunAsync([.. study, "minimum-similarity", "--seed", "3"])).AssertRefused(2, _folder["study"], "seed: 1, now 3");
        (await Speedup.RunAsync("report", _folder["study"], "--prices", "x")).AssertRefused(2, "--prices");

        // the picture is made anew from the runs
        var page = await File.ReadAllTextAsync(_folder["study/report.html"]);
        File.Delete(_folder["study/report.html"]);
        Assert.Equal(0, (await Speedup.RunAsync("report", _folder["study"])).Status);
        Assert.Equal(page, await File.ReadAllTextAsync(_folder["study/report.html"]));
    }

    private List<string> Baseline(string part) =>
        [.. ResultFiles.WithoutTime(_folder[$"study/parts/{part}/trials.jsonl"]).Split('\n').Where(line => line.Contains("\"memory\":\"none\"", StringComparison.Ordinal))];

    private List<string?> Names()
    {
        using var study = JsonDocument.Parse(File.ReadAllText(_folder["study/sensitivity.json"]));
        Assert.Equal("complete", study.RootElement.GetProperty("status").GetString());
        return [.. study.RootElement.GetProperty("sweeps").EnumerateArray().Select(s => s.GetProperty("name").GetString())];
    }
}
