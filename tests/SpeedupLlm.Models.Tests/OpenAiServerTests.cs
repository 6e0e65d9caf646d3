using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Testing.Endpoints;
using static SpeedupLlm.Models.Tests.OpenAiChatClientTests;

namespace SpeedupLlm.Models.Tests;

/// <summary>A model behind a real socket answers as it does in process.</summary>
public sealed class OpenAiServerTests
{
    [Fact]
    public async Task GetResponseAsync_ThroughTheServer_IsTheModelsOwnAnswer()
    {
        using var model = new ChanceModel();
        await using var server = await OpenAiServer.StartAsync(model, "chance");
        using var client = await OpenAiChatClient.ConnectAsync(server.Address.AbsoluteUri, null, o => o with { KeyVariable = "SPEEDUP_TEST_NO_KEY" }, CancellationToken.None);
        var options = Options(topLogProbs: 2);
        var seed = (long)(CallInfo.Of(options)!.Stream.Hi >> 33);
        var info = new CallInfo(CallPurpose.Solve, StreamKey.Root(seed), 0, "", null, 2);
        var own = await model.GetResponseAsync([new(ChatRole.User, "a 漢😀")], new() { AdditionalProperties = new() { [CallInfo.Key] = info } });

        var plain = await client.GetResponseAsync([new(ChatRole.User, "a 漢😀")], options);
        var streamed = await client.GetStreamingResponseAsync([new(ChatRole.User, "a 漢😀")], options).ToChatResponseAsync();

        Assert.All([plain, streamed], r =>
        {
            Assert.Equal(own.Text, r.Text);
            Assert.Equal(own.FinishReason, r.FinishReason);
            Assert.Equal(own.Usage!.OutputTokenCount, r.Usage!.OutputTokenCount);
            Assert.Equal(own.Usage.CachedInputTokenCount, r.Usage.CachedInputTokenCount);
            Assert.Equal(own.Usage.ReasoningTokenCount, r.Usage.ReasoningTokenCount);
            Assert.Equal("hm", Assert.Single(r.Messages[0].Contents.OfType<TextReasoningContent>()).Text);
            var (expected, actual) = (LogProbs(own), LogProbs(r));
            Assert.Equal(expected.Text, actual.Text);
            Assert.Equal(expected.LogProb, actual.LogProb);
            Assert.Equal(expected.Top, actual.Top);
        });
    }

    [Fact]
    public async Task ConnectAsync_NoOrSeveralModels_SaysWhatToDo()
    {
        await using var several = await FakeEndpoint.StartAsync(200, """{"data":[{"id":"b"},{"id":"a"}]}""");
        await using var none = await FakeEndpoint.StartAsync(200, """{"data":[]}""");
        await using var page = await FakeEndpoint.StartAsync(200, "<html>", "text/html");
        Task<OpenAiChatClient> Connect(FakeEndpoint endpoint) => OpenAiChatClient.ConnectAsync(endpoint.Address.AbsoluteUri, null, null, CancellationToken.None);

        Assert.StartsWith($"{several.Address} has several models, name one: a, b.", (await Assert.ThrowsAsync<ArgumentException>(() => Connect(several))).Message, StringComparison.Ordinal);
        Assert.StartsWith($"{none.Address} lists no models: name one.", (await Assert.ThrowsAsync<ArgumentException>(() => Connect(none))).Message, StringComparison.Ordinal);
        Assert.Equal($"{page.Address} answered 200 with something that is not JSON.", (await Assert.ThrowsAsync<UpstreamException>(() => Connect(page))).Message);
        await Assert.ThrowsAsync<ArgumentException>(() => OpenAiChatClient.ConnectAsync("nonsense", null, null, CancellationToken.None));
        using var named = await OpenAiChatClient.ConnectAsync(several.Address.AbsoluteUri, "b", null, CancellationToken.None);
        Assert.Single(several.Requests);
    }

    private static TokenLogProb LogProbs(ChatResponse response) => Assert.Single((IReadOnlyList<TokenLogProb>)response.AdditionalProperties![TokenLogProb.Key]!);
}
