using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Transformer.Adapter;
using SpeedupLlm.Transformer.Training;

namespace SpeedupLlm.Transformer.Tests.Adapter;

public sealed class ApprenticeTrainerTests : IAsyncDisposable
{
    private static readonly CompactPrompts s_prompts = new();
    private static readonly IReadOnlyList<TrainingPair> s_pairs = s_prompts.TrainingPairs(PromptTask.Guess, new("Orpi charges 7.", "Try 77. Answer 7."));
    private static readonly FineTuneRecipe s_low = new() { Rank = 4, Rate = 8e-3, Steps = 60 };
    private static readonly FineTuneRecipe s_full = new() { Rate = 3e-3, Steps = 25 };
    private readonly List<ApprenticeChatClient> _clients = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            await client.DisposeAsync();
    }

    private (ApprenticeChatClient Client, ApprenticeTrainer Trainer) Make(FineTuneRecipe recipe, int seed = 1, AdapterOptions? options = null)
    {
        var client = new ApprenticeChatClient(TestModels.File(seed), new() { Adapters = (options ?? new()) with { Recipe = recipe } });
        _clients.Add(client);
        return (client, (ApprenticeTrainer)client.GetService(typeof(IAdapterTrainer))!);
    }

    private static async Task<string> Ask(ApprenticeChatClient client, AdapterRef? adapter) => (await client.GetResponseAsync(s_pairs[0].Prompt.Messages, new()
    {
        Temperature = 0,
        MaxOutputTokens = 30,
        AdditionalProperties = new() { [CallInfo.Key] = new CallInfo(CallPurpose.Solve, default, 0, "q", adapter) },
    })).Text;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TrainAsync_OnePair_IsLearntAndLeavesTheModelAlone(bool low)
    {
        var (client, trainer) = Make(low ? s_low : s_full);
        var before = await Ask(client, null);
        var trained = await trainer.TrainAsync(null, s_pairs, StreamKey.Root(1), default);
        Assert.True(trained.LossAfter < 0.1 && trained.LossBefore > 1, FormattableString.Invariant($"{trained}"));
        Assert.True(trained.Tokens > 0);
        Assert.Equal("Try 77. Answer 7.", await Ask(client, trained.Adapter));
        Assert.Equal(before, await Ask(client, null));
        var again = await trainer.TrainAsync(null, s_pairs, StreamKey.Root(1), default);
        Assert.Equal(trained, again);
        Assert.Equal(client.Traits.Fingerprint, trained.Adapter.ModelFingerprint);
        Assert.Equal(trained.LossBefore, (await trainer.MeasureAsync(null, s_pairs, default))!.Loss);
        Assert.Equal(trained.LossAfter, (await trainer.MeasureAsync(trained.Adapter, s_pairs, default))!.Loss);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ImportAsync_OfExported_AnswersAlikeInAnotherProcess(bool low)
    {
        var (client, trainer) = Make(low ? s_low : s_full);
        var trained = (await trainer.TrainAsync(null, s_pairs, StreamKey.Root(1), default)).Adapter;
        var bytes = await trainer.ExportAsync(trained, default);
        var (other, otherTrainer) = Make(s_low);
        var imported = await otherTrainer.ImportAsync(bytes, default);
        Assert.Equal(trained, imported);
        Assert.Equal(imported, await otherTrainer.ImportAsync(bytes, default));
        Assert.Equal(await Ask(client, trained), await Ask(other, imported));
        Assert.Equal(bytes.ToArray(), (await otherTrainer.ExportAsync(imported, default)).ToArray());
        if (low)
            Assert.True(bytes.Length < 4 * TestModels.Shape.Parameters / 3);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task TrainAsync_FromAnAdapter_KeepsWhatItLearnt(bool firstLow, bool secondLow)
    {
        var (_, trainer) = Make(firstLow ? s_low : s_full);
        var first = (await trainer.TrainAsync(null, s_pairs, StreamKey.Root(1), default)).Adapter;
        var (client, second) = Make(secondLow ? s_low with { Steps = 12 } : s_full with { Steps = 12 });
        first = await second.ImportAsync(await trainer.ExportAsync(first, default), default);
        var pairs = s_prompts.TrainingPairs(PromptTask.Guess, new("Orpi charges 77 bill.", "Try 7. Answer 77."));
        var both = await second.TrainAsync(first, [.. s_pairs, .. pairs], StreamKey.Root(2), default);
        Assert.NotEqual(first, both.Adapter);
        Assert.Equal("Try 77. Answer 7.", await Ask(client, both.Adapter));
        Assert.True(both.LossAfter < both.LossBefore);
    }

    [Fact]
    public async Task ImportAsync_Unusable_SaysWhatIsWrong()
    {
        var (_, trainer) = Make(s_low);
        var (_, other) = Make(s_low, seed: 2);
        var bytes = await trainer.ExportAsync((await trainer.TrainAsync(null, s_pairs, default, default)).Adapter, default);
        Assert.Contains("adapts the model", (await Assert.ThrowsAsync<InvalidDataException>(async () => await other.ImportAsync(bytes, default))).Message, StringComparison.Ordinal);
        Assert.Contains("cut short", (await Assert.ThrowsAsync<InvalidDataException>(async () => await trainer.ImportAsync(bytes[..^4], default))).Message, StringComparison.Ordinal);
        var model = new MemoryStream();
        TestModels.File(1).Write(model);
        Assert.Contains("no adapter", (await Assert.ThrowsAsync<InvalidDataException>(async () => await trainer.ImportAsync(model.ToArray(), default))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ExportAsync_Evicted_SaysImportAgain()
    {
        var (client, trainer) = Make(s_low, options: new() { KeptBytes = 1, ReadyBytes = 1 });
        var one = (await trainer.TrainAsync(null, s_pairs, StreamKey.Root(1), default)).Adapter;
        var bytes = await trainer.ExportAsync(one, default);
        var text = await Ask(client, one);
        var two = (await trainer.TrainAsync(null, s_pairs, StreamKey.Root(2), default)).Adapter;
        Assert.NotEqual(one, two);
        var error = await Assert.ThrowsAsync<AdapterNotFoundException>(async () => await trainer.ExportAsync(one, default));
        Assert.Equal(one, error.Adapter);
        await Assert.ThrowsAsync<AdapterNotFoundException>(() => Ask(client, one));
        await trainer.ImportAsync(bytes, default);
        Assert.Equal(text, await Ask(client, one));
        trainer.Evict(one);
        await Assert.ThrowsAsync<AdapterNotFoundException>(() => Ask(client, one));
    }

    [Fact]
    public async Task TrainAsync_ManyAtOnce_GivesWhatEachGivesAlone()
    {
        var (client, trainer) = Make(s_low);
        var keys = Enumerable.Range(0, 6).Select(i => StreamKey.Root(i)).ToList();
        var together = await Task.WhenAll(keys.Select(k => trainer.TrainAsync(null, s_pairs, k, default).AsTask()));
        var texts = await Task.WhenAll(together.Select(t => Ask(client, t.Adapter)));
        var (alone, second) = Make(s_low);
        for (var i = 0; i < keys.Count; i++)
        {
            Assert.Equal(together[i], await second.TrainAsync(null, s_pairs, keys[i], default));
            Assert.Equal(texts[i], await Ask(alone, together[i].Adapter));
        }
    }

    [Fact]
    public async Task TrainAsync_BadInput_Throws()
    {
        var (_, trainer) = Make(s_low);
        await Assert.ThrowsAsync<ArgumentException>(async () => await trainer.TrainAsync(null, [], default, default));
        await Assert.ThrowsAsync<ArgumentException>(async () => await trainer.TrainAsync(null, s_prompts.TrainingPairs(PromptTask.Guess, new(new string('x', 500), "7")), default, default));
        await Assert.ThrowsAsync<AdapterNotFoundException>(async () => await trainer.TrainAsync(new("x", "another"), s_pairs, default, default));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await trainer.TrainAsync(null, s_pairs, default, new(true)));
    }
}
