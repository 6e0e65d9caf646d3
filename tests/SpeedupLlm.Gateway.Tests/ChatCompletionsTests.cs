using System.Text.Json.Nodes;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Gateway.Tests;

public sealed class ChatCompletionsTests
{
    private const string Question = "Orpi North posts parcels. 4 km and 3 kg cost 22. What do 5 km and 5 kg cost?";

    [Fact]
    public async Task Question_OfAnyClient_IsSearchedAndAnswered()
    {
        await using var gateway = await Gateway.OverAsync(ScriptedApprentice.Create(1));

        var reply = await gateway.CompleteAsync(Gateway.Ask(Question, "gpt-whatever"));

        Assert.Equal(200, reply.Status);
        Assert.Contains("42", reply.Content, StringComparison.Ordinal);
        Assert.Equal("chat.completion", (string?)reply.Json["object"]);
        Assert.Equal("stop", (string?)reply.Json["choices"]![0]!["finish_reason"]);
        Assert.Equal("threshold", (string?)reply.Speedup["stop"]);
        Assert.Equal(1, (int)reply.Speedup["attempts"]!);
    }

    [Fact]
    public async Task Question_AskedAgain_CostsNothing()
    {
        var model = ScriptedApprentice.Create(1);
        await using var gateway = await Gateway.OverAsync(model);
        await gateway.CompleteAsync(Gateway.Ask(Question));
        await gateway.RecallAsync(Gateway.Ask(Question));
        var calls = model.Calls.Count;

        var again = await gateway.CompleteAsync(Gateway.Ask(Question));

        Assert.Equal(calls, model.Calls.Count);
        Assert.Contains("42", again.Content, StringComparison.Ordinal);
        Assert.Equal(0, (int)again.Json["usage"]!["total_tokens"]!);
        Assert.Equal("recalled", (string?)again.Speedup["stop"]);
    }

    [Fact]
    public async Task Usage_OfASearch_SumsAllHiddenCalls()
    {
        var model = ScriptedApprentice.Create(1);
        await using var gateway = await Gateway.OverAsync(model);

        var reply = await gateway.CompleteAsync(Gateway.Ask(Question));

        Assert.True(model.Calls.Count > 1);
        var cost = reply.Speedup["cost"]!.AsArray();
        Assert.Equal(["solve", "score"], cost.Select(c => (string?)c!["purpose"]));
        Assert.Equal(model.Calls.Count, cost.Sum(c => (int)c!["calls"]!));
        Assert.Equal(cost.Sum(c => (long)c!["input"]!), (long)reply.Json["usage"]!["prompt_tokens"]!);
        Assert.Equal(cost.Sum(c => (long)c!["output"]!), (long)reply.Json["usage"]!["completion_tokens"]!);
    }

    [Fact]
    public async Task Stream_OfASearch_EndsOnceAndInOrder()
    {
        await using var gateway = await Gateway.OverAsync(ScriptedApprentice.Create(1));
        var request = Gateway.Ask(Question);
        request["stream"] = true;

        var reply = await gateway.CompleteAsync(request);

        Assert.Equal("text/event-stream", reply.ContentType);
        Assert.Contains("42", reply.Streamed, StringComparison.Ordinal);
        Assert.Equal("[DONE]", reply.Events[^1]);
        Assert.Equal("assistant", (string?)reply.Chunks[0]["choices"]![0]!["delta"]!["role"]);
        Assert.Equal("stop", (string?)reply.Chunks[^1]["choices"]![0]!["finish_reason"]);
        Assert.All(reply.Chunks.SkipLast(1), c => Assert.Null(c["choices"]![0]!["finish_reason"]));
        Assert.Single(reply.Chunks.Select(c => (string?)c["id"]).Distinct());
        Assert.DoesNotContain(reply.Chunks, c => c.ContainsKey("usage"));
    }

    [Theory]
    [InlineData("speedup/self-refine/none/embedded", null, null)]
    [InlineData("embedded", "self-refine", null)]
    [InlineData("embedded", null, "self-refine")]
    [InlineData("speedup/tree-of-thoughts/none/embedded", "long-cot", "self-refine")]
    public async Task Treatment_IsChosenByNameHeaderOrBody_BodyFirst(string model, string? header, string? body)
    {
        await using var gateway = await Gateway.OverAsync(ScriptedApprentice.Create(1));
        var request = Gateway.Ask(Question, model);
        if (body is not null)
            request["speedup"] = new JsonObject { ["scaling"] = body };

        var reply = await gateway.CompleteAsync(request, null, header is null ? [] : [("X-Speedup-Scaling", header)]);

        Assert.Equal("self-refine", (string?)reply.Speedup["scaling"]);
    }

    [Theory]
    [InlineData("""{"model":" ","messages":[{"role":"user","content":"x"}]}""", "model")]
    [InlineData("""{"model":"speedup/off/","messages":[{"role":"user","content":"x"}]}""", "model")]
    [InlineData("""{"model":"m","speedup":{"\ud800":1},"messages":[{"role":"user","content":"x"}]}""", "speedup")]
    public async Task Request_ThatNamesNothing_IsTheCallersFault(string body, string parameter)
    {
        await using var upstream = await Testing.Endpoints.FakeEndpoint.StartAsync(200, "");
        await using var gateway = await Gateway.OverAsync(upstream);
        Assert.Equal(parameter, (string?)(await gateway.PostAsync("/v1/chat/completions", body)).AssertError(400)["param"]);
        Assert.Empty(upstream.Requests);
    }

    [Fact]
    public async Task Models_WithoutUpstreams_ListTheEmbeddedOne()
    {
        await using var gateway = await Gateway.OverAsync(ScriptedApprentice.Create(1));
        var models = await gateway.GetAsync("/v1/models");
        Assert.Equal("embedded", (string?)Assert.Single(models.Json["data"]!.AsArray())!["id"]);
    }

    [Fact]
    public async Task Health_OfARunningServer_IsGood()
    {
        await using var gateway = await Gateway.OverAsync(ScriptedApprentice.Create(1));
        Assert.Equal("ok", (string?)(await gateway.GetAsync("/healthz")).Json["status"]);
        Assert.Equal(200, (await gateway.GetAsync("/readyz")).Status);
    }
}
