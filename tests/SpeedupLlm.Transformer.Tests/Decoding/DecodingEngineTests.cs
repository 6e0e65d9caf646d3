using SpeedupLlm.Compute;
using SpeedupLlm.Transformer.Decoding;

namespace SpeedupLlm.Transformer.Tests.Decoding;

public sealed class DecodingEngineTests
{
    private static readonly DecoderWeights s_model = new(TestModels.Weights(1));
    private static readonly DecoderWeights s_adapted = new(TestModels.Weights(2));
    private static readonly DecoderWeights[] s_models = [s_model, s_model, s_adapted, new(s_model, TestModels.Change(1, 4)), new(s_model, TestModels.Change(2, 3))];

    private static int[] Tokens(StreamRandom random, int length) => [.. Enumerable.Range(0, length).Select(_ => random.Next(TestModels.Shape.Vocabulary))];

    /// <summary>Requests of every kind; many begin alike.</summary>
    private static List<GenerationRequest> Mixed(int seed, int count)
    {
        var random = new StreamRandom(StreamKey.Root(seed));
        var beginning = Tokens(random, 80);
        return [.. Enumerable.Range(0, count).Select(i => new GenerationRequest(
            s_models[random.Next(5)],
            [.. beginning[..random.Next(80)], .. Tokens(random, random.Between(1, 60))])
        {
            Sampling = new() { Temperature = random.Next(3) * 0.6f, TopP = random.Next(2) == 0 ? 1 : 0.8f, TopK = random.Next(2) * 20 },
            Stream = StreamKey.Root(seed).Child(i),
            StopTokens = [random.Next(TestModels.Shape.Vocabulary)],
            MaximumTokens = random.Between(1, 70),
            TopLogProbabilities = random.Next(2) == 0 ? null : random.Next(4),
        })];
    }

    /// <summary>Everything about a result, log-probabilities to the bit.</summary>
    private static string Show(Generation g) => FormattableString.Invariant($"{g.End} {g.Drawn} ") + string.Join(' ', g.Tokens.Select(t =>
        Show(new TokenProbability(t.Token, t.LogProbability)) + "[" + string.Join(',', t.Top.Select(Show)) + "]"));

    private static string Show(TokenProbability p) =>
        FormattableString.Invariant($"{p.Token}:{BitConverter.DoubleToInt64Bits(p.LogProbability):x}");

    /// <summary>Each in an engine that does nothing else before or after.</summary>
    private static readonly Lazy<Task<List<string>>> s_alone = new(async () =>
    {
        var alone = new List<string>();
        foreach (var request in Mixed(7, 40))
        {
            await using var one = new DecodingEngine(TestModels.Shape, new() { Workers = 1, SequencesPerWorker = 1, PrefixCacheBlocks = 0 });
            alone.Add(Show(await one.GenerateAsync(request, default)));
        }
        return alone;
    });

    [Theory]
    [InlineData(1, 64, 256, 1024)]
    [InlineData(2, 3, 5, 1024)]
    [InlineData(2, 64, 64, 2)]
    [InlineData(3, 16, 100, 0)]
    public async Task GenerateAsync_ManyTogether_HaveTheBitsOfEachAlone(int workers, int sequences, int tokens, int cached)
    {
        var requests = Mixed(7, 40);
        var alone = await s_alone.Value;
        Assert.True(alone.Distinct().Count() > 30, "requests that all end alike would show nothing");

        await using var engine = new DecodingEngine(TestModels.Shape,
            new() { Workers = workers, SequencesPerWorker = sequences, TokensPerStep = tokens, PrefixCacheBlocks = cached });
        var first = await Task.WhenAll(requests.Select(r => engine.GenerateAsync(r, default)));
        Assert.Equal(alone, first.Select(Show));
        var again = await Task.WhenAll(requests.AsEnumerable().Reverse().Select(r => engine.GenerateAsync(r, default)));
        Assert.Equal(alone, again.Reverse().Select(Show));
        Assert.True(engine.BlocksCached <= cached);
        Assert.Equal(engine.BlocksCached, engine.BlocksInUse);
        Assert.Equal(0, engine.Running);
    }

    [Fact]
    public async Task GenerateAsync_SamePromptAgain_ReusesAllButTheLastBlock()
    {
        await using var engine = new DecodingEngine(TestModels.Shape, new() { Workers = 1 });
        var prompt = Tokens(new(StreamKey.Root(1)), 100);
        var request = new GenerationRequest(s_model, prompt) { MaximumTokens = 5 };
        var first = await engine.GenerateAsync(request, default);
        var second = await engine.GenerateAsync(request, default);
        var adapted = await engine.GenerateAsync(request with { Model = s_adapted }, default);
        Assert.Equal((0, 96, 0), (first.Reused, second.Reused, adapted.Reused));
        Assert.Equal(Show(first), Show(second));
        Assert.NotEqual(Show(first), Show(adapted));
    }

    [Fact]
    public async Task GenerateAsync_PromptThatGoesOn_ReusesWhatWasGenerated()
    {
        await using var engine = new DecodingEngine(TestModels.Shape, new() { Workers = 1 });
        var prompt = Tokens(new(StreamKey.Root(1)), 40);
        var first = await engine.GenerateAsync(new(s_model, prompt) { MaximumTokens = 60 }, default);
        var next = await engine.GenerateAsync(new(s_model, [.. prompt, .. first.Tokens.Select(t => t.Token), 1, 2, 3]) { MaximumTokens = 1 }, default);
        Assert.Equal(96, next.Reused); // 40 + 59 positions were computed: three full blocks
    }

    [Fact]
    public async Task GenerateAsync_WaveOfOnePrompt_ComputesItOnce()
    {
        await using var engine = new DecodingEngine(TestModels.Shape, new() { Workers = 1 });
        var prompt = Tokens(new(StreamKey.Root(1)), 100);
        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => engine.GenerateAsync(
            new(s_model, prompt) { Stream = StreamKey.Root(i), MaximumTokens = 20 }, default)));
        Assert.Equal(7, all.Count(g => g.Reused == 96));
    }

    [Fact]
    public async Task GenerateAsync_StopTokenDrawn_EndsWithoutIt()
    {
        await using var engine = new DecodingEngine(TestModels.Shape);
        var free = await engine.GenerateAsync(new(s_model, [1, 2, 3]) { MaximumTokens = 30 }, default);
        Assert.Equal((30, 30, GenerationEnd.Length), (free.Tokens.Count, free.Drawn, free.End));
        var stop = free.Tokens[9].Token;
        var at = free.Tokens.Select(t => t.Token).ToList().IndexOf(stop);
        var stopped = await engine.GenerateAsync(new(s_model, [1, 2, 3]) { MaximumTokens = 30, StopTokens = [stop] }, default);
        Assert.Equal((at, at + 1, GenerationEnd.Stop), (stopped.Tokens.Count, stopped.Drawn, stopped.End));
        Assert.Equal(free.Tokens.Take(at), stopped.Tokens);
    }

    [Fact]
    public async Task GenerateAsync_ObserverSaysNo_EndsAfterThatToken()
    {
        await using var engine = new DecodingEngine(TestModels.Shape);
        var seen = new List<int>();
        var result = await engine.GenerateAsync(new(s_model, [1, 2, 3])
        {
            Observer = t =>
            {
                seen.Add(t.Token);
                return seen.Count < 4;
            },
        }, default);
        Assert.Equal((4, 4, GenerationEnd.Stop), (result.Tokens.Count, result.Drawn, result.End));
        Assert.Equal(seen, result.Tokens.Select(t => t.Token));
    }

    [Fact]
    public async Task GenerateAsync_ObserverThrows_FailsThatRequestOnly()
    {
        await using var engine = new DecodingEngine(TestModels.Shape, new() { Workers = 1 });
        var bad = engine.GenerateAsync(new(s_model, [1, 2, 3]) { Observer = _ => throw new InvalidTimeZoneException() }, default);
        var good = engine.GenerateAsync(new(s_model, [1, 2, 3]) { MaximumTokens = 50 }, default);
        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => bad);
        Assert.Equal(50, (await good).Tokens.Count);
        Assert.Equal(engine.BlocksCached, engine.BlocksInUse);
    }

    [Fact]
    public async Task GenerateAsync_NoLimit_EndsWhenTheContextIsFull()
    {
        await using var engine = new DecodingEngine(TestModels.Shape);
        var result = await engine.GenerateAsync(new(s_model, Tokens(new(StreamKey.Root(1)), 150)), default);
        Assert.Equal((TestModels.Shape.Context - 150, GenerationEnd.Length), (result.Tokens.Count, result.End));
        var none = await engine.GenerateAsync(new(s_model, [1]) { MaximumTokens = 0 }, default);
        Assert.Equal((0, 0, GenerationEnd.Length), (none.Tokens.Count, none.Drawn, none.End));
    }

    [Fact]
    public async Task GenerateAsync_BadRequest_Throws()
    {
        await using var engine = new DecodingEngine(TestModels.Shape);
        var error = await Assert.ThrowsAsync<ContextLengthException>(() => engine.GenerateAsync(new(s_model, new int[TestModels.Shape.Context]), default));
        Assert.Equal((TestModels.Shape.Context, TestModels.Shape.Context), (error.Needed, error.Limit));
        await Assert.ThrowsAsync<ArgumentException>(() => engine.GenerateAsync(new(s_model, []), default));
        await Assert.ThrowsAsync<ArgumentException>(() => engine.GenerateAsync(new(s_model, [-1]), default));
        await Assert.ThrowsAsync<ArgumentException>(() => engine.GenerateAsync(new(s_model, [TestModels.Shape.Vocabulary]), default));
        await Assert.ThrowsAsync<ArgumentException>(() => engine.GenerateAsync(
            new(new DecoderWeights(new(TestModels.Shape with { Layers = 1 })), [1]), default));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => engine.GenerateAsync(new(s_model, [1]) { MaximumTokens = -1 }, default));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => engine.GenerateAsync(new(s_model, [1]) { TopLogProbabilities = -1 }, default));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => engine.GenerateAsync(new(s_model, [1]) { Sampling = new() { TopP = 0 } }, default));
        Assert.Equal((0, 0), (engine.Running, engine.BlocksInUse));
    }

    [Fact]
    public async Task GenerateAsync_Cancelled_LeavesNothingBehind()
    {
        await using var engine = new DecodingEngine(TestModels.Shape, new() { Workers = 2, SequencesPerWorker = 4 });
        var requests = Mixed(9, 60);
        var calm = await Task.WhenAll(requests.Select(r => engine.GenerateAsync(r, default)));
        var random = new StreamRandom(StreamKey.Root(5));
        var sources = requests.Select(_ => new CancellationTokenSource()).ToList();
        var tasks = requests.Select((request, i) =>
        {
            var (tokens, last) = (0, random.Next(10));
            return engine.GenerateAsync(request with
            {
                Observer = _ =>
                {
                    if (i % 2 == 0 && ++tokens > last)
                        sources[i].Cancel(); // in the middle of its text
                    return true;
                },
            }, sources[i].Token);
        }).ToList();
        for (var i = 0; i < tasks.Count; i += 3)
            await sources[i].CancelAsync(); // while it waits
        for (var i = 0; i < tasks.Count; i++)
        {
            try
            {
                Assert.Equal(Show(calm[i]), Show(await tasks[i]));
            }
            catch (OperationCanceledException e)
            {
                Assert.Equal(sources[i].Token, e.CancellationToken);
            }
            sources[i].Dispose();
        }
        Assert.True(tasks.Count(t => t.IsCanceled) >= 20);
        Assert.Equal((0, engine.BlocksCached), (engine.Running, engine.BlocksInUse));
    }

    [Fact]
    public async Task GenerateAsync_AlreadyCancelled_IsNotRun()
    {
        await using var engine = new DecodingEngine(TestModels.Shape);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => engine.GenerateAsync(new(s_model, [1]), new CancellationToken(true)));
        Assert.Equal(0, engine.BlocksInUse);
    }

    [Fact]
    public async Task DisposeAsync_WhileRunning_FailsWhatIsLeft()
    {
        var engine = new DecodingEngine(TestModels.Shape, new() { Workers = 2 });
        var tasks = Enumerable.Range(0, 200).Select(_ => engine.GenerateAsync(new(s_model, [1, 2]), default)).ToList();
        await engine.DisposeAsync();
        var all = await Task.WhenAll(tasks.Select(t => t.ContinueWith(d => d.Exception?.InnerException, TaskScheduler.Default)));
        Assert.All(all, e => Assert.True(e is null or ObjectDisposedException));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => engine.GenerateAsync(new(s_model, [1]), default));
        await engine.DisposeAsync();
    }

    [Fact]
    public async Task GenerateAsync_LogProbabilities_AreThoseOfTheDefinition()
    {
        await using var engine = new DecodingEngine(TestModels.Shape);
        var result = await engine.GenerateAsync(new(s_model, [1, 2, 3]) { MaximumTokens = 20, TopLogProbabilities = 3, Sampling = new() { Temperature = 0.5f } }, default);
        int[] tokens = [1, 2, 3, .. result.Tokens.Select(t => t.Token)];
        var logits = ReferenceDecoder.Logits(TestModels.Weights(1), tokens);
        for (var i = 0; i < 20; i++)
        {
            var row = logits[i + 2];
            var sum = Math.Log(row.Sum(Math.Exp));
            Assert.Equal(row[tokens[i + 3]] - sum, result.Tokens[i].LogProbability, 1e-3);
            Assert.Equal(3, result.Tokens[i].Top.Count);
            Assert.All(result.Tokens[i].Top, t => Assert.Equal(row[t.Token] - sum, t.LogProbability, 1e-3));
        }
    }
}
