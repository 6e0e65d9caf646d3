using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Transformer.Adapter;
using SpeedupLlm.Transformer.Decoding;
using SpeedupLlm.Transformer.Formats;

namespace SpeedupLlm.Transformer.Tests.Adapter;

public sealed class ApprenticeChatClientTests : IAsyncDisposable
{
    private readonly ApprenticeChatClient _client = new(TestModels.File(1), new() { Understands = q => q.Contains("Orpi", StringComparison.Ordinal), Help = "Ask about Orpi." });

    private static readonly IReadOnlyList<ChatMessage> s_prompt = new CompactPrompts().Solve(PromptTask.Guess, Question.FromText("Orpi charges 7."), []).Messages;

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private static ChatOptions Options(CallInfo? info = null, int? maximum = 40) => new()
    {
        MaxOutputTokens = maximum,
        AdditionalProperties = info is null ? null : new() { [CallInfo.Key] = info },
    };

    private static CallInfo Info(int stream, AdapterRef? adapter = null, int? top = null, string? scope = null) =>
        new(CallPurpose.Solve, StreamKey.Root(stream), 0, "q", adapter, top, scope);

    [Fact]
    public async Task GetResponseAsync_SameStream_GivesTheSameTextOnly()
    {
        var texts = new List<string>();
        foreach (var stream in new[] { 1, 1, 2 })
            texts.Add((await _client.GetResponseAsync(s_prompt, Options(Info(stream)))).Text);
        Assert.Equal(texts[0], texts[1]);
        Assert.NotEqual(texts[0], texts[2]);
        var seeds = new List<string>();
        foreach (var seed in new long?[] { 5, 5, 6, null, 0 })
            seeds.Add((await _client.GetResponseAsync(s_prompt, new() { Seed = seed, MaxOutputTokens = 40 })).Text);
        Assert.Equal(seeds[0], seeds[1]);
        Assert.NotEqual(seeds[0], seeds[2]);
        Assert.Equal(seeds[3], seeds[4]);
    }

    [Fact]
    public async Task GetStreamingResponseAsync_AddsUpToTheWholeResponse()
    {
        foreach (var stream in Enumerable.Range(0, 10))
        {
            var whole = await _client.GetResponseAsync(s_prompt, Options(Info(stream, top: 2)));
            var updates = new List<ChatResponseUpdate>();
            await foreach (var update in _client.GetStreamingResponseAsync(s_prompt, Options(Info(stream, top: 2))))
                updates.Add(update);
            var added = updates.ToChatResponse();
            Assert.Equal(whole.Text, added.Text);
            Assert.Equal(whole.FinishReason, added.FinishReason);
            Assert.Equal(whole.Usage!.OutputTokenCount, added.Usage!.OutputTokenCount);
            Assert.Equal(whole.Usage.InputTokenCount, added.Usage.InputTokenCount);
            Assert.True(updates.Count > 3);
            Assert.All(updates, u => Assert.Equal(u.Text, System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(u.Text))));
            var ours = (IReadOnlyList<TokenLogProb>)whole.AdditionalProperties![TokenLogProb.Key]!;
            var theirs = (IReadOnlyList<TokenLogProb>)updates[^1].AdditionalProperties![TokenLogProb.Key]!;
            Assert.Equal(ours.Select(t => (t.Text, t.LogProb)), theirs.Select(t => (t.Text, t.LogProb)));
            Assert.All(ours, t => Assert.Equal(2, t.Top.Count));
        }
    }

    [Fact]
    public async Task GetResponseAsync_NoLogProbabilitiesAsked_GivesNone() =>
        Assert.Null((await _client.GetResponseAsync(s_prompt, Options(Info(1)))).AdditionalProperties);

    [Fact]
    public async Task GetResponseAsync_StopString_CutsTheText()
    {
        var free = await _client.GetResponseAsync(s_prompt, Options(Info(3)));
        var stop = free.Text.Substring(free.Text.Length / 2, 2);
        var options = Options(Info(3));
        options.StopSequences = ["never in it", stop];
        var stopped = await _client.GetResponseAsync(s_prompt, options);
        Assert.Equal(free.Text[..free.Text.IndexOf(stop, StringComparison.Ordinal)], stopped.Text);
        Assert.Equal(ChatFinishReason.Stop, stopped.FinishReason);
        Assert.True(stopped.Usage!.OutputTokenCount < free.Usage!.OutputTokenCount);
    }

    [Fact]
    public async Task GetResponseAsync_MaximumReached_SaysLength()
    {
        var response = await _client.GetResponseAsync(s_prompt, Options(Info(1), maximum: 3));
        Assert.Equal((ChatFinishReason.Length, 3L), (response.FinishReason!.Value, response.Usage!.OutputTokenCount!.Value));
        Assert.Equal(response.Usage.InputTokenCount + 3, response.Usage.TotalTokenCount);
    }

    [Fact]
    public async Task GetResponseAsync_SameScope_CountsTheLogicalPrefix()
    {
        async Task<(long? Input, long? Cached)> Ask(string text, string? scope, int maximum = 5)
        {
            var usage = (await _client.GetResponseAsync(
                [new(ChatRole.System, "value"), new(ChatRole.User, text)], Options(Info(1, scope: scope), maximum))).Usage!;
            return (usage.InputTokenCount, usage.CachedInputTokenCount);
        }
        Assert.Equal((3, 0), await Ask("<question> 7", "a"));       // <question> 7 <value>
        Assert.Equal((3, 3), await Ask("<question> 7", "a"));
        Assert.Equal((4, 2), await Ask("<question> 77", "a"));      // <question> 7|7 <value>
        Assert.Equal((3, 0), await Ask("<question> 7", "b"));
        Assert.Equal((3, 0), await Ask("<question> 7", null));
        Assert.Equal((3, 0), await Ask("<question> 7", null));
    }

    [Fact]
    public async Task GetResponseAsync_OutsideItsWorlds_AnswersWithTheHelp()
    {
        var response = await _client.GetResponseAsync([new(ChatRole.User, "What is love?")]);
        Assert.Equal(("Ask about Orpi.", ChatFinishReason.Stop), (response.Text, response.FinishReason!.Value));
        Assert.Equal(true, response.AdditionalProperties![ApprenticeChatClient.OutsideKey]);
        Assert.Equal((0L, 0L), (response.Usage!.InputTokenCount!.Value, response.Usage.OutputTokenCount!.Value));
        var updates = new List<ChatResponseUpdate>();
        await foreach (var update in _client.GetStreamingResponseAsync([new(ChatRole.User, "What is love?")]))
            updates.Add(update);
        Assert.Equal("Ask about Orpi.", updates.ToChatResponse().Text);
        var solving = await _client.GetResponseAsync(new CompactPrompts().Solve(PromptTask.Think, Question.FromText("What is love?"), []).Messages);
        Assert.Equal("Ask about Orpi.", solving.Text);
        var inside = await _client.GetResponseAsync([new(ChatRole.User, "Orpi?")], Options());
        Assert.True(inside.Usage!.OutputTokenCount > 0);
        Assert.Null(inside.AdditionalProperties);
    }

    [Fact]
    public async Task GetStreamingResponseAsync_Abandoned_StopsTheEngine()
    {
        // a context that takes minutes to fill, and a model that never says its end: whoever is kept waiting on a busy machine still leaves long before
        var shape = TestModels.Shape with { Context = 200_000 };
        var weights = TestModels.Weights(1, shape);
        weights.Values.AsSpan(TestModels.Vocabulary.Specials.ToList().IndexOf(CompactPrompts.End) * shape.Width, shape.Width).Clear();
        await using var client = new ApprenticeChatClient(new(weights, TestModels.Vocabulary, ModelOrigin.Unknown));
        var options = new ChatOptions { Temperature = 0 };
        await foreach (var update in client.GetStreamingResponseAsync(s_prompt, options))
            if (update.Text.Length > 0)
                break;
        var engine = (DecodingEngine)typeof(ApprenticeChatClient).GetField("_engine", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!.GetValue(client)!;
        Assert.Equal(0, engine.Running);
        Assert.InRange(engine.BlocksCached, 0, shape.Context / 32 - 1);
    }

    [Fact]
    public async Task GetResponseAsync_Cancelled_Throws()
    {
        using var source = new CancellationTokenSource();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _client.GetResponseAsync(s_prompt, Options(), source.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in _client.GetStreamingResponseAsync(s_prompt, Options(), source.Token))
            {
            }
        });
    }

    [Fact]
    public async Task GetResponseAsync_BadInput_Throws()
    {
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => _client.GetResponseAsync(s_prompt, new() { Temperature = -1 }));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => _client.GetResponseAsync(s_prompt, new() { MaxOutputTokens = -1 }));
        await Assert.ThrowsAsync<ContextLengthException>(() => _client.GetResponseAsync([new(ChatRole.User, new string('O', 300) + "Orpi")]));
        await Assert.ThrowsAsync<AdapterNotFoundException>(() => _client.GetResponseAsync(s_prompt, Options(Info(1, new("none", _client.Traits.Fingerprint)))));
    }

    [Fact]
    public void GetService_GivesWhatTheLibraryAsksFor()
    {
        var traits = Assert.IsType<ModelTraits>(_client.GetService(typeof(ModelTraits)));
        Assert.Equal((TestModels.Shape.Context, true, true, true, "compact"), (traits.ContextTokens, traits.LogProbs, traits.Seed, traits.Adapters, traits.Prompts));
        Assert.IsAssignableFrom<IAdapterTrainer>(_client.GetService(typeof(IAdapterTrainer)));
        Assert.Equal(7, Assert.IsAssignableFrom<ITokenCounter>(_client.GetService(typeof(ITokenCounter))).Count(s_prompt)); // <question>| Or|pi| charges| 7|.|<guess>
        Assert.Same(_client, _client.GetService(typeof(IChatClient)));
        Assert.Null(_client.GetService(typeof(ModelTraits), "key"));
        Assert.Null(_client.GetService(typeof(string)));
        Assert.NotEqual(traits.Fingerprint, new ApprenticeChatClient(TestModels.File(2)).Traits.Fingerprint);
    }
}
