namespace SpeedupLlm.Cli.Tests;

/// <summary>Bad input: one clear line, the right exit status, no stack trace.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("bench --scaling best-of-m", "best-of-n, tree-of-thoughts, self-refine, long-cot, self-consistency")]
    [InlineData("bench --memory in-contest", "none, sft, in-context, reflect, multi-reflect, reflect-update, answer-cache, placebo, auto")]
    [InlineData("bench --similarity S5", "S1, S2, S3, S4")]
    [InlineData("bench --scorer jury", "judge, p-true, agreement, equations, oracle")]
    [InlineData("bench --feedback some", "none, verdict, reference")]
    [InlineData("bench --model gpt", "embedded, novice, recorded:FILE, URL")]
    [InlineData("bench --stop never", "adaptive-consistency")]
    [InlineData("bench --scaling best-of-n,best-of-n", "twice")]
    [InlineData("bench --tau NaN", "not a number")]
    [InlineData("bench --tau -1", "τ")]
    [InlineData("bench --samples 0", "samples is at least 1, not 0")]
    [InlineData("bench --width 0", "width is at least 1, not 0")]
    [InlineData("bench --depth -2", "depth is at least 1, not -2")]
    [InlineData("bench --nodes 0", "nodes is at least 1, not 0")]
    [InlineData("bench --waves 0", "waves is at least 1, not 0")]
    [InlineData("bench --refinements 0", "refinements is at least 1, not 0")]
    [InlineData("bench --thinking 0", "thinking is at least 1, not 0")]
    [InlineData("bench --thinking long", "long")]
    [InlineData("bench --cases 0", "cases is at least 1, not 0")]
    [InlineData("bench --minimum-similarity 1.5", "minimum-similarity is a cosine in [-1, 1], not 1.5")]
    [InlineData("bench --minimum-similarity near", "not a number")]
    [InlineData("bench --judge-error 1.2", "judge-error is a share in [0, 1], not 1.2")]
    [InlineData("bench --judge-error NaN", "not a number")]
    [InlineData("bench --groups 0", "group")]
    [InlineData("bench --rounds -1", "rounds")]
    [InlineData("bench --checkpoint 0", "Checkpoints")]
    [InlineData("bench --seed x", "x")]
    [InlineData("bench --resume", "--out")]
    [InlineData("bench --quickly", "unknown option '--quickly'")]
    [InlineData("bench --model http://127.0.0.1:9", "--model-name")]
    [InlineData("bench --model recorded:/nowhere/at/all.jsonl", "/nowhere/at/all.jsonl")]
    [InlineData("sensitivity --sweep sample --out x", "tau, samples, width, depth, nodes, refinements, thinking, waves, cases, experience, judge-error, minimum-similarity, strangers, budget")]
    [InlineData("sensitivity --sweep samples", "--out")]
    [InlineData("sensitivity --groups 2 --out x", "ask for more groups")]
    [InlineData("brew", "unknown argument 'brew'. Valid: bench, ask, memory, model, report, dataset")]
    [InlineData("report /nowhere/at/all", "/nowhere/at/all")]
    [InlineData("dataset validate csv:x", "gsm-plus:FILE, jsonl:FILE")]
    [InlineData("calibrate --data mars", "tariff, fact, club, robot")]
    [InlineData("calibrate --groups 1", "--groups")]
    [InlineData("calibrate --data gsm-plus:none.jsonl", "none.jsonl")]
    [InlineData("memory audit --count 0", "--count")]
    [InlineData("calibrate tau --delta 1", "--delta")]
    [InlineData("calibrate tau --alpha 0", "--alpha")]
    [InlineData("calibrate tau --scorer oracles", "oracles")]
    [InlineData("calibrate tau --data mars", "tariff, fact, club, robot")]
    [InlineData("calibrate prior x.json --groups 1", "--groups")]
    [InlineData("calibrate prior x.json --model gpt", "gpt")]
    [InlineData("dataset validate jsonl:/nowhere", "/nowhere")]
    [InlineData("model info --model embedded:/nowhere", "/nowhere")]
    [InlineData("model train --recipe /nowhere --out x", "/nowhere")]
    [InlineData("memory list --store postgres://ann:secret@127.0.0.1:1/mem", "--store postgres://127.0.0.1:1/mem: the database cannot be reached")]
    [InlineData("memory list --store postgres://ann:secret@127.0.0.1:x/mem", "postgres://user:password@host:port/database")]
    public async Task Run_BadUsage_SaysSoInOneLine(string line, string says) =>
        (await Speedup.RunAsync(line.Split(' '))).AssertRefused(2, says);

    [Fact]
    public async Task Bench_QuestionsThatAskForPrograms_AreRefusedUnlessRunningThemIsAllowed()
    {
        var file = _folder["code.jsonl"];
        await File.WriteAllTextAsync(file, """{"id":"add","text":"Write add(a, b).","answer":"def add(a, b): return a","kind":"code","tests":"assert add(40, 2) == 42"}""");
        (await Speedup.RunAsync("bench", "--quick", "--data", "jsonl:" + file, "--out", _folder["out"])).AssertRefused(2, "--run-code");
        Assert.False(Directory.Exists(_folder["out"]));
        // the reference program is wrong: that is said before anybody is measured by it
        var checkedAll = await Speedup.RunAsync("dataset", "validate", "jsonl:" + file, "--run-code");
        Assert.Equal(1, checkedAll.Status);
        Assert.True(checkedAll.Output.Contains("add: the reference program does not pass its tests", StringComparison.Ordinal) || checkedAll.Error.Contains("bubblewrap", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Bench_EndpointNobodyAnswers_FailsWithOne()
    {
        var outcome = await Speedup.RunAsync("bench", "--quick", "--model", "http://127.0.0.1:9/v1", "--model-name", "m", "--memory", "none", "--out", _folder["out"]);
        outcome.AssertRefused(1, "127.0.0.1:9");
    }

    [Fact]
    public async Task Dataset_MalformedLine_NamesFileAndLine()
    {
        var file = _folder.Write("q.jsonl", """{"question":"1 + 1?","answer":"2"}""", """{"question":"1 + 2?"}""");
        (await Speedup.RunAsync("dataset", "validate", "jsonl:" + file)).AssertRefused(2, file + " line 2", "answer");
        file = _folder.Write("r.jsonl", """{"question":"1 + 1?","answer":"2"}""", "", "{");
        (await Speedup.RunAsync("dataset", "validate", "jsonl:" + file)).AssertRefused(2, file + " line 3");
    }

    [Fact]
    public async Task Model_FileCutShort_IsRefused()
    {
        var file = _folder.Write("m.safetensors", "not a model");
        (await Speedup.RunAsync("model", "info", "--model", "embedded:" + file)).AssertRefused(2, file);
    }

    [Fact]
    public async Task Report_MalformedTrials_NamesFileAndLine()
    {
        var answers = Recorded.Write(_folder, questions: 3);
        Assert.Equal(0, (await Speedup.RunAsync("bench", "--model", "recorded:" + answers, "--out", _folder["run"])).Status);
        var trials = _folder["run/trials.jsonl"];
        var lines = File.ReadAllLines(trials);
        File.WriteAllLines(trials, [lines[0], "{\"formatVersion\":", lines[2]]);
        (await Speedup.RunAsync("report", _folder["run"])).AssertRefused(2, "trials.jsonl line 2");
        (await Speedup.RunAsync("report", _folder["run"], _folder["other"])).AssertRefused(2, "--out FILE.html");
    }

    [Fact]
    public async Task Bench_MemoryOverRecordedAnswers_IsRefused() =>
        (await Speedup.RunAsync("bench", "--model", "recorded:" + Recorded.Write(_folder, 3), "--memory", "in-context", "--out", _folder["run"]))
            .AssertRefused(2, "in-context", "without memory");

    [Fact]
    public async Task Bench_SecondRunInTheSameFolder_IsRefusedUnlessResumed()
    {
        var answers = Recorded.Write(_folder, 3);
        string[] run = ["bench", "--model", "recorded:" + answers, "--out", _folder["run"]];
        Assert.Equal(0, (await Speedup.RunAsync(run)).Status);
        (await Speedup.RunAsync(run)).AssertRefused(2, "--resume");
        Assert.Equal(0, (await Speedup.RunAsync([.. run, "--resume"])).Status);
        (await Speedup.RunAsync([.. run, "--resume", "--tau", "0.7"])).AssertRefused(2, "tau: 0.5, now 0.7");
    }

    [Fact]
    public async Task Memory_OfAFileThatIsNoStore_SaysSoAndLeavesIt()
    {
        using var folder = new Folder();
        var file = folder.Write("notes.db", [.. Enumerable.Range(0, 200).Select(i => FormattableString.Invariant($"line {i} of something else"))]);
        var before = File.ReadAllBytes(file);
        (await Speedup.RunAsync("memory", "list", "--store", file)).AssertRefused(2, "notes.db");
        (await Speedup.RunAsync("ask", TinyModel.Question, "--store", file)).AssertRefused(2, "notes.db");
        Assert.Equal(before, File.ReadAllBytes(file));
    }

    [Fact]
    public async Task Help_ListsWhatThereIs()
    {
        var outcome = await Speedup.RunAsync("--help");
        Assert.Equal(0, outcome.Status);
        foreach (var command in new[] { "bench", "ask", "memory", "model", "report", "dataset", "calibrate", "theory", "sensitivity", "serve" })
            Assert.Contains(command, outcome.Output, StringComparison.Ordinal);
    }
}
