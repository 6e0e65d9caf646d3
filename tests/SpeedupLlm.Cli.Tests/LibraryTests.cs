using System.Text.Json;
using SpeedupLlm.Testing;
using SpeedupLlm.Testing.Endpoints;

namespace SpeedupLlm.Cli.Tests;

/// <summary><c>bench --library</c>: questions beside worked solutions of another set, as a process against an endpoint.</summary>
public sealed class LibraryTests : IDisposable
{
    private const string Apples = "Ann buys 3 apples at 2 dollars each. How much does she pay?", Pears = "Bob buys 5 pears at 4 dollars each. How much does he pay?";

    private static readonly string[] Library =
    [
        """{"question":"Cleo buys 7 plums at 3 dollars each. How much does she pay?","answer":"7 plums cost 7 * 3 = 21 dollars.\n#### 21"}""",
        // asked in the run: it must not be known beforehand
        "{\"question\":\"" + Apples + "\",\"answer\":\"LEAKED #### 6\"}",
    ];

    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Bench_StreamWithALibrary_RetrievesFromItFromTheFirstQuestionOn()
    {
        await using var server = await OpenAiServer.StartAsync(Shop(), "shop");
        var data = _folder.Write("plus.jsonl", [.. Variations(Apples, "6"), .. Variations(Pears, "20")]);
        var outcome = await RunAsync(server, "gsm-plus:" + data, "--stream", "--questions", "20", "--memory", "none,in-context");
        Assert.Equal(0, outcome.Status);

        var arms = Lines("stream.jsonl").ToLookup(t => t.GetProperty("memory").GetString());
        Assert.All(arms["none"], t => Assert.Equal(0, t.GetProperty("hints").GetInt32()));
        Assert.All(arms["in-context"], t => Assert.True(t.GetProperty("hints").GetInt32() > 0));
        // before anything is learnt only the library can help: the scripted model is right where it sees the worked plums
        Assert.True(arms["in-context"].Single(t => t.GetProperty("index").GetInt32() == 0).GetProperty("correct").GetBoolean());
        Assert.DoesNotContain(arms["none"], t => t.GetProperty("correct").GetBoolean());
        Assert.DoesNotContain(server.Requests, r => r.Text.Contains("LEAKED", StringComparison.Ordinal));
        using var manifest = JsonDocument.Parse(File.ReadAllText(_folder["run/manifest.json"]));
        Assert.Equal("gsm-plus:plus.jsonl with jsonl:library.jsonl", manifest.RootElement.GetProperty("parameters").GetProperty("data").GetString());
    }

    [Fact]
    public async Task Bench_QuestionsWithALibrary_RetrieveFromIt()
    {
        await using var server = await OpenAiServer.StartAsync(Shop(), "shop");
        var data = _folder.Write("questions.jsonl", Question(Apples, "6"), Question(Pears, "20"));
        var outcome = await RunAsync(server, "jsonl:" + data, "--scaling", "best-of-n", "--memory", "none,in-context");
        Assert.Equal(0, outcome.Status);
        Assert.Equal([true, true], Lines("trials.jsonl").Where(t => t.GetProperty("memory").GetString() == "in-context").Select(t => t.GetProperty("correct").GetBoolean()));
        Assert.DoesNotContain(server.Requests, r => r.Text.Contains("LEAKED", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Bench_ALibraryThatDoesNotFit_IsRefused()
    {
        var library = _folder.Write("library.jsonl", Library);
        (await Speedup.RunAsync("bench", "--quick", "--library", "jsonl:" + library, "--out", _folder["grid"])).AssertRefused(2, "--stream");
        (await Speedup.RunAsync("bench", "--stream", "--library", library, "--out", _folder["grid"])).AssertRefused(2, "jsonl:FILE");
        (await Speedup.RunAsync("bench", "--stream", "--library", "jsonl:nowhere", "--out", _folder["grid"])).AssertRefused(2, "nowhere");
    }

    [Fact]
    public async Task Bench_QuestionsThatTheEmbeddedModelCannotRead_SaysSoInsteadOfZeros()
    {
        var data = _folder.Write("plus.jsonl", [.. Variations(Apples, "6")]);
        (await Speedup.RunAsync("bench", "--stream", "--questions", "20", "--data", "gsm-plus:" + data, "--out", _folder["run"])).AssertRefused(2, "trained on tariff questions", "--model URL");
        data = _folder.Write("q.jsonl", Question(Apples, "6"));
        (await Speedup.RunAsync("bench", "--data", "jsonl:" + data, "--out", _folder["run"])).AssertRefused(2, "trained on tariff questions");
    }

    /// <summary>Reckons rightly if a worked case shows how, and is sure of itself whatever it answers.</summary>
    private static ScriptedChatClient Shop() => new(call =>
        call.Messages.Any(m => m.Text.Contains("SCORE: n", StringComparison.Ordinal)) ? "SCORE: 9"
        : !call.Text.Contains("7 * 3 = 21", StringComparison.Ordinal) ? "Answer: 1"
        : call.Text.LastIndexOf("pears", StringComparison.Ordinal) > call.Text.LastIndexOf("apples", StringComparison.Ordinal) ? "Answer: 20" : "Answer: 6");

    private Task<Outcome> RunAsync(FakeEndpoint server, string data, params string[] more) => Speedup.RunAsync(
        ["bench", "--model", server.Address.AbsoluteUri, "--model-name", "shop", "--data", data, "--library", "jsonl:" + _folder.Write("library.jsonl", Library), "--out", _folder["run"], .. more]);

    private IEnumerable<JsonElement> Lines(string file) => File.ReadAllLines(_folder["run/" + file]).Select(line => JsonDocument.Parse(line).RootElement);

    private static string Question(string text, string answer) => "{\"question\":\"" + text + "\",\"answer\":\"" + answer + "\"}";

    /// <summary>A seed with the variations that a group needs, all of one answer.</summary>
    private static IEnumerable<string> Variations(string seed, string answer) =>
        new[] { "problem understanding", "numerical substitution", "reversing operation" }.Select(type => JsonSerializer.Serialize(new
        {
            question = seed.Replace("How much", $"By {type}: how much", StringComparison.Ordinal),
            solution = $"It is {answer}.",
            answer,
            perturbation_type = type,
            seed_question = seed,
            seed_solution = $"It is {answer}.",
            seed_answer = answer,
        }));
}
