using System.ClientModel;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OpenAI.Chat;
using SpeedupLlm.Testing.Endpoints;

namespace SpeedupLlm.Gateway.Tests;

/// <summary>Real clients, each through chat, streaming, tools and structured output.</summary>
public sealed class ClientTests
{
    private const string Structured = """{"answer":42}""";
    private const string ToolCall = """[{"index":0,"id":"call-1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Oslo\"}"}}]""";

    private static Task AnswerAsync(FakeRequest request, HttpContext http)
    {
        if (request.Body["tools"] is JsonArray)
            return http.AnswerAsync(200, FakeAnswers.Completion("", "tool_calls", message: "\"tool_calls\":" + ToolCall));
        return FakeModel.AnswerAsync(request, http, request.Body["response_format"] is null ? FakeModel.Text : Structured);
    }

    [Theory]
    [InlineData(ExperienceMode.On)]
    [InlineData(ExperienceMode.Off)]
    public async Task NpmClients_CompleteEverything(ExperienceMode mode)
    {
        var installed = await InstallAsync();
        await using var upstream = await FakeEndpoint.StartAsync(AnswerAsync);
        await using var gateway = await Gateway.OverAsync(upstream, o => o with { Mode = mode });

        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(installed);
        start.ArgumentList.Add(gateway.Address.AbsoluteUri.TrimEnd('/') + "/v1");
        start.ArgumentList.Add("sk-any");
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();

        Assert.True(process.ExitCode == 0, await output + await error);
        var checks = (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!).ToList();
        Assert.Equal(12, checks.Count);
        foreach (var check in checks)
        {
            var value = check["value"]!.ToString();
            switch ((string?)check["check"])
            {
                case "tools": Assert.Equal("weather", value); break;
                case "structured": Assert.Equal("42", value); break;
                default: Assert.StartsWith(FakeModel.Text, value, StringComparison.Ordinal); break;
            }
        }
        Assert.Contains(checks, c => c["value"]!.ToString().EndsWith("ends 1", StringComparison.Ordinal));
    }

    /// <summary>Installs the clients, if they are not there yet.</summary>
    private static async Task<string> InstallAsync()
    {
        using var install = Process.Start(new ProcessStartInfo(Path.Combine(Testing.Repository.Root, "tests", "install-npm.sh"), "clients") { RedirectStandardError = true })!;
        var said = await install.StandardError.ReadToEndAsync();
        await install.WaitForExitAsync();
        Assert.True(install.ExitCode == 0, said);
        return Path.Combine(Testing.Repository.Root, ".cache", "clients", "clients.mjs");
    }

    [Fact]
    public async Task OfficialDotNetClient_CompletesEverything()
    {
        await using var upstream = await FakeEndpoint.StartAsync(AnswerAsync);
        await using var gateway = await Gateway.OverAsync(upstream);
        var client = new ChatClient("m", new ApiKeyCredential("sk-any"), new() { Endpoint = new(gateway.Address, "/v1") });
        const string question = "How much are 40 and 2?";

        ChatCompletion whole = await client.CompleteChatAsync(question);
        var streamed = "";
        await foreach (var update in client.CompleteChatStreamingAsync(question))
            streamed += string.Concat(update.ContentUpdate.Select(c => c.Text));
        ChatCompletion called = await client.CompleteChatAsync([question], new ChatCompletionOptions { Tools = { ChatTool.CreateFunctionTool("weather") } });
        ChatCompletion formed = await client.CompleteChatAsync([question],
            new ChatCompletionOptions { ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat("a", BinaryData.FromString("""{"type":"object"}""")) });

        Assert.Equal(FakeModel.Text, whole.Content[0].Text);
        Assert.Equal(FakeModel.Text, streamed);
        Assert.Equal("weather", called.ToolCalls.Single().FunctionName);
        Assert.Equal(Structured, formed.Content[0].Text);
    }
}
