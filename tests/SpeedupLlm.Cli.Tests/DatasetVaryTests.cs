using System.Globalization;
using System.Text.RegularExpressions;
using SpeedupLlm.Testing;
using SpeedupLlm.Testing.Endpoints;

namespace SpeedupLlm.Cli.Tests;

/// <summary><c>dataset vary</c> as a process against an OpenAI-compatible server on a real socket.</summary>
public sealed partial class DatasetVaryTests : IDisposable
{
    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Vary_ModelThatWritesAndReckons_MakesAFileThatTheStudyReads()
    {
        await using var server = await OpenAiServer.StartAsync(Author(), "author");
        var outcome = await VaryAsync(server, """{"id":"q","text":"What are 40 and 2?","answer":"42","kind":"number"}""");
        Assert.Equal((0, ""), (outcome.Status, outcome.Error));
        Assert.Contains("1 of 1 questions have all their variants", outcome.Output, StringComparison.Ordinal);
        // the first draft of a rewording changes a number, and is dropped
        Assert.Contains("1 other numbers", outcome.Output, StringComparison.Ordinal);
        var lines = File.ReadAllLines(_folder["varied.jsonl"]);
        Assert.Equal(4, lines.Length);
        Assert.Contains("\"answer\":\"50\",\"group\":\"q\",\"similarity\":\"S3\"", lines[2], StringComparison.Ordinal);
        Assert.Contains("1 groups", (await Speedup.RunAsync("dataset", "validate", "jsonl:" + _folder["varied.jsonl"])).Output, StringComparison.Ordinal);
        (await VaryAsync(server, "{}")).AssertRefused(2, "line 1");
    }

    [Fact]
    public async Task Vary_AnswersThatDisagree_KeepsNothing()
    {
        var calls = 0;
        await using var server = await OpenAiServer.StartAsync(new ScriptedChatClient(call => IsWriting(call) ? "What are 40 and 2, once more?" : $"Answer: {Interlocked.Increment(ref calls)}"), "author");
        var outcome = await VaryAsync(server, """{"id":"q","text":"What are 40 and 2?","answer":"42"}""", "--similarity", "S2");
        Assert.Equal(1, outcome.Status);
        Assert.Contains("0 of 1", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("1 the answers do not agree", outcome.Output, StringComparison.Ordinal);
        Assert.Empty(File.ReadAllText(_folder["varied.jsonl"]));
    }

    [Fact]
    public async Task Vary_WithoutAModelThatWrites_IsRefused()
    {
        var file = _folder.Write("q.jsonl", """{"text":"q","answer":"1"}""");
        (await Speedup.RunAsync("dataset", "vary", "jsonl:" + file, "--model", "embedded", "--out", _folder["v.jsonl"])).AssertRefused(2, "endpoint");
        (await Speedup.RunAsync("dataset", "vary", "jsonl:" + file, "--model", "embedded", "--out", file)).AssertRefused(2, "there already");
        (await Speedup.RunAsync("dataset", "vary", "jsonl:" + file, "--model", "embedded", "--out", _folder["v.jsonl"], "--similarity", "S1")).AssertRefused(2, "S2, S3, S4");
        (await Speedup.RunAsync("dataset", "vary", "tariff", "--model", "embedded", "--out", _folder["v.jsonl"])).AssertRefused(2, "jsonl:FILE");
    }

    private Task<Outcome> VaryAsync(FakeEndpoint server, string question, params string[] more)
    {
        File.Delete(_folder["varied.jsonl"]);
        return Speedup.RunAsync(["dataset", "vary", "jsonl:" + _folder.Write("q.jsonl", question), "--model", server.Address.AbsoluteUri, "--model-name", "author", "--out", _folder["varied.jsonl"], .. more]);
    }

    private static bool IsWriting(ScriptedCall call) => call.Messages.Any(m => m.Text.Contains("You write test questions", StringComparison.Ordinal));

    /// <summary>Writes a rewording (wrongly at first), other numbers, and another story; adds whatever two numbers it is asked about.</summary>
    private static ScriptedChatClient Author()
    {
        var rewordings = 0;
        return new(call => !IsWriting(call) ? $"Answer: {Numbers().Matches(call.Text).TakeLast(2).Sum(m => int.Parse(m.Value, CultureInfo.InvariantCulture))}"
            : call.Text.Contains("entirely other words", StringComparison.Ordinal) ? (Interlocked.Increment(ref rewordings) == 1 ? "How much do 41 and 2 make?" : "How much do 40 and 2 make?")
            : call.Text.Contains("other numbers, such that", StringComparison.Ordinal) ? "What are 45 and 5?"
            : "A shop sells 12 pears and 13 apples. How many fruits?");
    }

    [GeneratedRegex(@"\d+")]
    private static partial Regex Numbers();
}
