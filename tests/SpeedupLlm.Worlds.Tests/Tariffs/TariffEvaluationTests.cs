using Microsoft.Extensions.AI;
using SpeedupLlm.Worlds.Tariffs;

namespace SpeedupLlm.Worlds.Tests.Tariffs;

public sealed class TariffEvaluationTests
{
    private static readonly EvaluationOptions Few = new() { N = 25 };

    [Fact]
    public async Task RunAsync_PerfectReasoner_DoesAllTasks()
    {
        var figures = await TariffEvaluation.RunAsync(new PerfectReasoner(), Few, null, CancellationToken.None);
        double Value(string part, string condition, string measure) => figures.Single(f => (f.Part, f.Condition, f.Measure) == (part, condition, measure)).Value;
        Assert.All(figures.Where(f => f.Measure is "exact" or "holds"), f => Assert.True(f.Value == 1, f.ToString()));
        foreach (var condition in new[] { "S1", "S2", "S3", "lesson", "S3 + 2 others", "S3, held-out tariffs", "S3, held-out wordings", "S3, held-out names" })
            Assert.Equal(1, Value("guess", condition, "right"));
        Assert.Equal(1, Value("propose", "S3", "right"));
        // of several tariffs that fit, only one is true
        Assert.InRange(Value("guess", "none", "right"), .5, .99);
        foreach (var good in new[] { "sound", "harmless slip" })
            Assert.Equal(1, Value("judge", good, "says good"));
        foreach (var bad in new[] { "slip", "other answer", "forged", "forged and bent", "forged and misquoted", "failed" })
            Assert.Equal(0, Value("judge", bad, "says good"));
        Assert.DoesNotContain(figures, f => f.Part == "tuning");
        Assert.Equal(10, Value("guess", "none", "tokens"));
    }

    [Fact]
    public async Task RunAsync_Parrot_DoesNothingRight()
    {
        var parrot = new Parrot("Try Orpi charge 1 x + 1 y. ok. ok. Answer 100.");
        var figures = await TariffEvaluation.RunAsync(parrot, Few with { N = 5, Parts = ["guess", "judge", "lessons"] }, null, CancellationToken.None);
        Assert.All(figures.Where(f => f.Measure is "right" or "sound" or "exact" or "says good"), f => Assert.Equal(0, f.Value));
        Assert.All(figures.Where(f => f.Measure == "holds"), f => Assert.Equal(1, f.Value));
        Assert.All(figures.Where(f => f.Measure == "unscored"), f => Assert.Equal(1, f.Value));
        Assert.All(figures, f => Assert.True(f.N > 0 && double.IsFinite(f.Value), f.ToString()));
    }

    [Fact]
    public async Task RunAsync_AnyConcurrency_GivesTheSameFigures()
    {
        var options = Few with { N = 8, Parts = ["guess", "tasks"] };
        var one = await TariffEvaluation.RunAsync(new PerfectReasoner(), options with { Concurrency = 1 }, null, CancellationToken.None);
        var many = await TariffEvaluation.RunAsync(new PerfectReasoner(), options with { Concurrency = 32 }, null, CancellationToken.None);
        Assert.Equal(one, many);
    }

    [Fact]
    public async Task RunAsync_UnknownPart_NamesTheParts()
    {
        var thrown = await Assert.ThrowsAsync<ArgumentException>(() => TariffEvaluation.RunAsync(new PerfectReasoner(), Few with { Parts = ["gues"] }, null, CancellationToken.None));
        Assert.Contains("guess, think", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_Cancelled_Throws() => await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
        TariffEvaluation.RunAsync(new PerfectReasoner(), Few, null, new CancellationToken(canceled: true)));

    private sealed class Parrot(string text) : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, text)));

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
