using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests.Experience;

public sealed class EpisodeAuditTests : StoreSamples, IAsyncDisposable
{
    private readonly InMemoryStore _store = new();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    /// <summary>The scorer passes nine in ten answers, and half of those that it passes are wrong: the audit must find the half, not the nine in ten.</summary>
    [Fact]
    public async Task AccuracyAsync_ScorerThatFlatters_IsCorrected()
    {
        for (var i = 0; i < 1000; i++)
        {
            var passes = i % 10 != 0;
            var verdict = i >= 100 ? Verdict.SelfJudged : passes && i % 2 == 0 ? Verdict.Verified : Verdict.Rejected;
            await _store.AppendAsync(EpisodeOf($"e{i}", verdict: verdict) with { Score = passes ? 1 : 0 }, None);
        }
        var accuracy = await _store.AccuracyAsync(Home, None);
        Assert.Equal((100, 900), (accuracy!.Audited, accuracy.JudgedOnly));
        Assert.InRange(accuracy.Estimate, 0.35, 0.45);
        Assert.InRange(0.4, accuracy.Low, accuracy.High);
    }

    [Fact]
    public async Task AccuracyAsync_TooFewMarked_IsUnknown()
    {
        for (var i = 0; i < 50; i++)
            await _store.AppendAsync(EpisodeOf($"e{i}", verdict: i < 19 ? Verdict.Verified : Verdict.SelfJudged), None);
        Assert.Null(await _store.AccuracyAsync(Home, None));
    }

    [Fact]
    public async Task PickAsync_EveryUnmarkedAnswer_HasTheSameChance()
    {
        for (var i = 0; i < 20; i++)
            await _store.AppendAsync(EpisodeOf($"e{i:00}", verdict: i < 10 ? Verdict.SelfJudged : Verdict.Rejected), None);
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var draw = 0; draw < 2000; draw++)
        {
            var picked = await _store.PickAsync(Home, 3, StreamKey.Root(1).Child(draw), None);
            Assert.Equal(3, picked.DistinctBy(e => e.Id).Count());
            foreach (var episode in picked)
                counts[episode.Id] = counts.GetValueOrDefault(episode.Id) + 1;
        }
        Assert.Equal(10, counts.Count);
        // 600 each; four standard deviations
        Assert.All(counts.Values, c => Assert.InRange(c, 518, 682));
        Assert.Equal(10, (await _store.PickAsync(Home, 50, StreamKey.Root(2), None)).Count);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await _store.PickAsync(Home, 0, StreamKey.Root(2), None));
    }
}
