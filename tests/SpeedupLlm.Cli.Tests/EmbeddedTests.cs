using System.Text.Json;
using System.Text.RegularExpressions;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Cli.Tests;

/// <summary>The commands on an embedded reasoner: training, asking, remembering, the grid.</summary>
public sealed partial class EmbeddedTests(TinyModel model) : IClassFixture<TinyModel>, IDisposable
{
    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Model_TrainedTwice_IsTheSameAndSaysWhatItIs()
    {
        Assert.Equal(0, model.Training.Status);
        Assert.Equal(0, (await Speedup.RunAsync("model", "train", "--recipe", model.Recipe, "--out", _folder["again.safetensors"], "--threads", "2")).Status);
        Assert.Equal(File.ReadAllBytes(model.File), File.ReadAllBytes(_folder["again.safetensors"]));
        var info = await Speedup.RunAsync("model", "info", "--model", model.Name);
        Assert.Equal(0, info.Status);
        Assert.Contains("tiny", info.Output, StringComparison.Ordinal);
        Assert.Contains("1 layers, width 32", info.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Model_Exported_HasTheFormatItsNameSays()
    {
        Assert.Equal(0, (await Speedup.RunAsync("model", "export", _folder["m.gguf"], "--model", model.Name)).Status);
        Assert.Equal("GGUF"u8.ToArray(), File.ReadAllBytes(_folder["m.gguf"])[..4]);
        Assert.Equal(0, (await Speedup.RunAsync("model", "export", _folder["m.safetensors"], "--model", model.Name)).Status);
        Assert.Equal(File.ReadAllBytes(model.File), File.ReadAllBytes(_folder["m.safetensors"]));
        (await Speedup.RunAsync("model", "export", _folder["m.bin"], "--model", model.Name)).AssertRefused(2, ".gguf");
    }

    [Fact]
    public async Task Model_CutShort_IsRefused()
    {
        File.WriteAllBytes(_folder["cut.safetensors"], File.ReadAllBytes(model.File)[..^100]);
        (await Speedup.RunAsync("model", "info", "--model", "embedded:" + _folder["cut.safetensors"])).AssertRefused(2, "cut.safetensors");
        (await Speedup.RunAsync("ask", TinyModel.Question, "--model", "embedded:" + _folder["cut.safetensors"], "--store", _folder["e.db"])).AssertRefused(2, "cut.safetensors");
    }

    [Fact]
    public async Task Ask_OutsideItsWorlds_SaysWhatItCanAnswer() =>
        (await Speedup.RunAsync("ask", "Who wrote Faust?", "--model", model.Name, "--store", _folder["e.db"])).AssertRefused(2, "worlds", "cost");

    public static TheoryData<string> OtherWorlds() => [.. WorldCatalogue.Names.Skip(1)];

    /// <summary>Weights know one world: of another's question they would write nonsense.</summary>
    [Theory]
    [MemberData(nameof(OtherWorlds))]
    public async Task Ask_AboutAnotherWorldThanTheWeights_SaysWhatTheyCanAnswer(string world) =>
        (await Speedup.RunAsync("ask", WorldCatalogue.Find(world)!.HelpExamples[0], "--model", model.Name, "--store", _folder["e.db"])).AssertRefused(2, TinyModel.Question);

    [Theory]
    [MemberData(nameof(OtherWorlds))]
    public async Task Bench_OfAnotherWorldThanTheWeights_IsRefused(string world) =>
        (await Speedup.RunAsync("bench", "--quick", "--data", world, "--model", model.Name, "--out", _folder["run"])).AssertRefused(2, "trained on tariff questions", world);

    [Theory]
    [MemberData(nameof(OtherWorlds))]
    public async Task Model_OfAnotherWorld_HasWeightsOfItsOwn(string world) =>
        (await Speedup.RunAsync("model", "info", "--data", world, "--checkpoint", "98")).AssertRefused(2, $"for {world} questions");

    [Fact]
    public async Task Ask_AnswersAndKeepsTheEpisode()
    {
        var outcome = await AskAsync("--seed", "3");
        Assert.Equal(0, outcome.Status);
        foreach (var part in new[] { "1. ", "best-of-n: ", "auto: nothing is known", "solve", "one plain call would cost about", "kept as " })
            Assert.Contains(part, outcome.Output, StringComparison.Ordinal);
        Assert.Equal(outcome.Output.Split("how ")[0], (await AskAsync("--seed", "3", "--store", _folder["other.db"])).Output.Split("how ")[0]);

        var json = await AskAsync("--json", "--scaling", "long-cot");
        using var account = JsonDocument.Parse(json.Output);
        Assert.Equal("long-cot", account.RootElement.GetProperty("scaling").GetString());
        var bill = account.RootElement.GetProperty("bill").EnumerateArray().Single(b => b.GetProperty("purpose").GetString() == "solve");
        Assert.Equal(1, bill.GetProperty("calls").GetInt32());
        Assert.True(account.RootElement.GetProperty("fullCost").GetDecimal() >= 4 * bill.GetProperty("output").GetDecimal());

        var list = await Speedup.RunAsync("memory", "list", "--store", _folder["e.db"]);
        Assert.Contains("2 episodes", list.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Memory_ShowForgetFeedbackExportImport_WorkOnOneStore()
    {
        await AskAsync("--seed", "1");
        await AskAsync("--seed", "2");
        string[] store = ["--store", _folder["e.db"]];
        var ids = Ids().Matches((await Speedup.RunAsync(["memory", "list", .. store])).Output).Select(m => m.Value).ToList();
        Assert.Equal(2, ids.Count);
        Assert.Contains(TinyModel.Question, (await Speedup.RunAsync(["memory", "show", ids[0], .. store])).Output, StringComparison.Ordinal);

        Assert.Equal(0, (await Speedup.RunAsync(["memory", "feedback", ids[0], "wrong", .. store])).Status);
        Assert.Contains("rejected", (await Speedup.RunAsync(["memory", "show", ids[0], .. store])).Output, StringComparison.Ordinal);
        (await Speedup.RunAsync(["memory", "feedback", ids[0], "maybe", .. store])).AssertRefused(2, "right, wrong");
        (await Speedup.RunAsync(["memory", "feedback", ids[0], .. store])).AssertRefused(2, "right, wrong");
        (await Speedup.RunAsync(["memory", "feedback", ids[0], "right", "--answer", "7", .. store])).AssertRefused(2, "--answer");
        Assert.Contains("corrected", (await Speedup.RunAsync(["memory", "feedback", ids[0], "--answer", "6 + 1 = 7. answer 7.", .. store])).Output, StringComparison.Ordinal);
        Assert.Contains("6 + 1 = 7", (await Speedup.RunAsync(["memory", "show", ids[0], .. store])).Output, StringComparison.Ordinal);

        // two episodes, and what the guard counts of questions that were searched in vain
        Assert.Contains("wrote 3 records", (await Speedup.RunAsync(["memory", "export", _folder["all.jsonl"], .. store])).Output, StringComparison.Ordinal);
        Assert.Contains("forgot 1 record", (await Speedup.RunAsync(["memory", "forget", ids[1], .. store])).Output, StringComparison.Ordinal);
        (await Speedup.RunAsync(["memory", "forget", ids[1], .. store])).AssertRefused(2, ids[1]);
        (await Speedup.RunAsync(["memory", "show", ids[1], .. store])).AssertRefused(2, ids[1]);
        Assert.Equal(0, (await Speedup.RunAsync("memory", "import", _folder["all.jsonl"], "--store", _folder["new.db"])).Status);
        Assert.Contains("2 episodes", (await Speedup.RunAsync("memory", "list", "--store", _folder["new.db"])).Output, StringComparison.Ordinal);
        (await Speedup.RunAsync("memory", "import", _folder.Write("bad.jsonl", "{}"), "--store", _folder["new.db"])).AssertRefused(2, "1");
        (await Speedup.RunAsync("memory", "list", "--store", _folder["none.db"])).AssertRefused(2, "none.db");
    }

    [Fact]
    public async Task Bench_QuickGrid_Has96CellsAndRepeatsToTheByte()
    {
        string[] bench = ["bench", "--quick", "--model", model.Name, "--groups", "1", "--rounds", "1", "--samples", "2"];
        var outcome = await Speedup.RunAsync([.. bench, "--out", _folder["one"]]);
        Assert.Equal(0, outcome.Status);
        Assert.Contains("indicative", outcome.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await Speedup.RunAsync([.. bench, "--out", _folder["two"]])).Status);
        using var summary = JsonDocument.Parse(File.ReadAllText(_folder["one/summary.json"]));
        Assert.Equal(96, summary.RootElement.GetProperty("cells").GetArrayLength());
        Assert.Equal(80, summary.RootElement.GetProperty("overall").GetProperty("cells").GetInt32());
        foreach (var file in Directory.GetFiles(_folder["one"]))
        {
            Assert.Equal(
                Time().Replace(await File.ReadAllTextAsync(file), ""),
                Time().Replace(await File.ReadAllTextAsync(Path.Combine(_folder["two"], Path.GetFileName(file))), ""));
        }
    }

    private Task<Outcome> AskAsync(params string[] more) =>
        Speedup.RunAsync([.. (string[])["ask", TinyModel.Question, "--model", model.Name, "--samples", "2"], .. more, .. more.Contains("--store") ? (string[])[] : ["--store", _folder["e.db"]]]);

    [GeneratedRegex("[0-9a-f]{32}(?=  )")]
    private static partial Regex Ids();

    [GeneratedRegex("\"time\":\\s*\\{[^{}]*\\}|<!-- time -->.*?<!-- /time -->", RegexOptions.Singleline)]
    private static partial Regex Time();
}
