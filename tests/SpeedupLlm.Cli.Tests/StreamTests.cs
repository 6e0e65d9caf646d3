using System.Text.Json;

namespace SpeedupLlm.Cli.Tests;

/// <summary><c>bench --stream</c>, <c>report --prices</c> and <c>theory</c> on an embedded reasoner.</summary>
public sealed class StreamTests(TinyModel model) : IClassFixture<TinyModel>, IDisposable
{
    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Bench_Stream_ShowsEachArmAndIsPricedAnew()
    {
        string[] stream = ["bench", "--stream", "--questions", "24", "--samples", "2", "--model", model.Name, "--feedback", "reference", "--memory", "none,in-context,vcache", "--out", _folder["run"]];
        var outcome = await Speedup.RunAsync(stream);
        Assert.Equal(0, outcome.Status);
        foreach (var part in new[] { "24 questions about", "in-context", "vcache", "Report: " })
            Assert.Contains(part, outcome.Output, StringComparison.Ordinal);
        Assert.Equal(3 * 24, File.ReadAllLines(_folder["run/stream.jsonl"]).Length);
        var before = Cost("none");

        (await Speedup.RunAsync(stream)).AssertRefused(2, "--resume");
        (await Speedup.RunAsync([.. stream.Select(word => word == "24" ? "25" : word), "--resume"])).AssertRefused(2, "stream: 24 questions", "now 25 questions");
        Assert.Equal(0, (await Speedup.RunAsync([.. stream, "--resume"])).Status);

        var prices = _folder.Write("prices.json", "{\"unit\":\"cents\",\"models\":{\"" + model.Name + "\":{\"input\":2,\"cachedInput\":0.2,\"output\":8,\"trained\":6}}}");
        Assert.Equal(0, (await Speedup.RunAsync("report", _folder["run"], "--prices", prices)).Status);
        Assert.Equal(2 * before, Cost("none"), 6);
        Assert.Contains("cents", File.ReadAllText(_folder["run/report.html"]), StringComparison.Ordinal);
        prices = _folder.Write("prices.json", """{"unit":"cents","models":{"other":{"input":2,"cachedInput":0.2,"output":8,"trained":6}}}""");
        (await Speedup.RunAsync("report", _folder["run"], "--prices", prices)).AssertRefused(2, "prices.json", model.Name, "other");
        prices = _folder.Write("prices.json", """{"unit":"cents","models":{"other":{"input":2}}}""");
        (await Speedup.RunAsync("report", _folder["run"], "--prices", prices)).AssertRefused(2, "prices.json", "cachedInput");
    }

    [Theory]
    [InlineData("bench --stream --questions 5", "at least 20")]
    [InlineData("bench --stream --mix S1:1", "mix")]
    [InlineData("bench --stream --zipf x", "not a number")]
    [InlineData("bench --stream --scaling best-of-n,long-cot", "one scaling method")]
    [InlineData("bench --stream --memory mem0", "fixed-threshold, vcache, dynamic-cheatsheet")]
    [InlineData("theory --memory auto --out x", "without a search")]
    [InlineData("theory --draws 3 --out x", "held-out")]
    public async Task Run_BadUsage_SaysSoInOneLine(string line, string says) =>
        (await Speedup.RunAsync([.. line.Split(' '), .. line.StartsWith("theory", StringComparison.Ordinal) ? ["--model", model.Name] : (string[])[]])).AssertRefused(2, says);

    [Fact]
    public async Task Theory_Quick_WritesTheFileAndPrintsBothParts()
    {
        var outcome = await Speedup.RunAsync("theory", "--quick", "--groups", "2", "--draws", "8", "--runs", "1", "--model", model.Name, "--out", _folder["theory"]);
        Assert.Equal(0, outcome.Status);
        Assert.Contains("E[answers]", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("of 16 cells", outcome.Output, StringComparison.Ordinal);
        using var theory = JsonDocument.Parse(File.ReadAllText(_folder["theory/theory.json"]));
        Assert.Equal(8, theory.RootElement.GetProperty("answers").GetArrayLength());
        Assert.Equal(16, theory.RootElement.GetProperty("premises").GetArrayLength());
    }

    private double Cost(string memory)
    {
        using var summary = JsonDocument.Parse(File.ReadAllText(_folder["run/stream.json"]));
        return summary.RootElement.GetProperty("arms").EnumerateArray().Single(a => a.GetProperty("memory").GetString() == memory).GetProperty("fullCost").GetProperty("withMemory").GetDouble();
    }
}
