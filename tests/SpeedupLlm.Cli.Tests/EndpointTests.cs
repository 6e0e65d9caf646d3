using System.Text.Json;
using SpeedupLlm.Testing;
using SpeedupLlm.Testing.Endpoints;

namespace SpeedupLlm.Cli.Tests;

/// <summary><c>ask</c> as a process against an OpenAI-compatible server on a real socket.</summary>
public sealed class EndpointTests : IDisposable
{
    private const string First = "What is 40 + 2?", Second = "What is 41 + 2?";

    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Ask_AgainstAnEndpoint_SearchesFirstAndIsRemindedAfterwards()
    {
        var model = Arithmetic();
        await using var server = await OpenAiServer.StartAsync(model, "arithmetic");

        using var first = await AskAsync(server, First);
        Assert.Equal("42", first.RootElement.GetProperty("answer").GetString());
        Assert.Equal([0, 1], Scores(first));
        Assert.Equal("threshold", first.RootElement.GetProperty("stop").GetString());
        Assert.True(first.RootElement.GetProperty("learnt").GetBoolean());

        using var second = await AskAsync(server, Second);
        Assert.Equal("43", second.RootElement.GetProperty("answer").GetString());
        Assert.Equal([1], Scores(second));
        Assert.True(second.RootElement.GetProperty("fullCost").GetDecimal() < first.RootElement.GetProperty("fullCost").GetDecimal());
        Assert.Equal([First], second.RootElement.GetProperty("recalled").GetProperty("hints").EnumerateArray().Select(h => h.GetProperty("text").GetString()));
    }

    [Fact]
    public async Task Ask_OfAModelThatTheEndpointLacks_SaysSo()
    {
        await using var server = await OpenAiServer.StartAsync(Arithmetic(), "arithmetic");
        (await Speedup.RunAsync("ask", First, "--model", server.Address.AbsoluteUri, "--model-name", "other", "--store", _folder["e.db"])).AssertRefused(1, "no such model");
    }

    /// <summary>Wrong at first, unless the prompt holds a worked case; judges rightly.</summary>
    private static ScriptedChatClient Arithmetic() => new(call =>
    {
        if (call.Messages.Any(m => m.Text.Contains("SCORE: n", StringComparison.Ordinal)))
            return call.Text.Contains("Answer: 42", StringComparison.Ordinal) || call.Text.Contains("Answer: 43", StringComparison.Ordinal) ? "SCORE: 9" : "SCORE: 0";
        if (call.Text.Contains(Second, StringComparison.Ordinal))
            return call.Text.Contains(First, StringComparison.Ordinal) ? "As before, 41 + 2 = 43.\nAnswer: 43" : "Answer: 7";
        return call.Number == 0 ? "A guess.\nAnswer: 7" : "40 + 2 = 42.\nAnswer: 42";
    });

    private async Task<JsonDocument> AskAsync(FakeEndpoint server, string question)
    {
        var outcome = await Speedup.RunAsync("ask", question, "--model", server.Address.AbsoluteUri, "--model-name", "arithmetic", "--store", _folder["e.db"], "--json");
        Assert.Equal((0, ""), (outcome.Status, outcome.Error));
        return JsonDocument.Parse(outcome.Output);
    }

    private static double[] Scores(JsonDocument account) =>
        [.. account.RootElement.GetProperty("attempts").EnumerateArray().Select(a => a.GetProperty("score").GetDouble())];
}
