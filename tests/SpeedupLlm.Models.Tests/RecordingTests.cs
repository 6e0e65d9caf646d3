using System.Text.Json;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using static System.FormattableString;

namespace SpeedupLlm.Models.Tests;

/// <summary>What is recorded is replayed, and nothing else is.</summary>
public sealed class RecordingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Replay_AnyCalls_AreWhatWasAnswered()
    {
        var file = _folder.File("run.jsonl");
        var random = new StreamRandom(StreamKey.Root(5));
        var calls = Enumerable.Range(0, 200).Select(_ => Call(random)).ToList();
        var model = new ChanceModel();
        var said = new List<ChatResponse>();
        using (var recorder = new Recorder(model, file))
        {
            foreach (var (messages, options) in calls)
                said.Add(random.Next(2) == 0 ? await recorder.GetResponseAsync(messages, options) : await recorder.GetStreamingResponseAsync(messages, options).ToChatResponseAsync());
        }
        var made = model.Calls;

        using var replay = RecordedCalls.Open(file);
        Assert.Equal(200, replay.Count);
        Assert.Equal(201, (await File.ReadAllLinesAsync(file)).Length);
        // in any order: what is said depends on what is asked
        var order = Enumerable.Range(0, calls.Count).ToArray();
        random.Shuffle(order);
        foreach (var i in order)
        {
            var again = random.Next(2) == 0
                ? await replay.GetResponseAsync(calls[i].Messages, calls[i].Options)
                : await replay.GetStreamingResponseAsync(calls[i].Messages, calls[i].Options).ToChatResponseAsync();
            Assert.Equal(Shape(said[i]), Shape(again));
        }
        Assert.Equal(made, model.Calls);
        Assert.Equal(new ModelTraits("chance-1", 512, true, true, false, "compact"), replay.GetService<ModelTraits>());
    }

    [Fact]
    public async Task Record_ManyAtOnce_LosesNothing()
    {
        var file = _folder.File("run.jsonl");
        using (var recorder = new Recorder(new ChanceModel(), file))
            await Task.WhenAll(Enumerable.Range(0, 500).Select(i => Task.Run(() => recorder.GetResponseAsync(Ask(Invariant($"q{i % 50}")), Options(i % 50, i / 50)))));

        using var replay = RecordedCalls.Open(file);
        Assert.Equal(500, replay.Count);
        for (var i = 0; i < 500; i++)
            Assert.StartsWith(Invariant($"q{i % 50} → "), (await replay.GetResponseAsync(Ask(Invariant($"q{i % 50}")), Options(i % 50, i / 50))).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_UnrecordedRequest_IsAnErrorThatNamesIt()
    {
        var file = _folder.File("run.jsonl");
        using (var recorder = new Recorder(new ChanceModel(), file))
        {
            await recorder.GetResponseAsync(Ask("known"), Options(1, 0));
            await recorder.GetResponseAsync(Ask("known"), Options(2, 1));
        }
        using var replay = RecordedCalls.Open(file);

        var draw = await Assert.ThrowsAsync<UnrecordedCallException>(() => replay.GetResponseAsync(Ask("known"), Options(1, 2)));
        var request = await Assert.ThrowsAsync<UnrecordedCallException>(() => replay.GetResponseAsync(Ask("un\nknown"), Options(1, 0)));
        var warmer = Options(1, 0);
        warmer.Temperature = 1;
        await Assert.ThrowsAsync<UnrecordedCallException>(() => replay.GetResponseAsync(Ask("known"), warmer));

        Assert.Matches($"^{System.Text.RegularExpressions.Regex.Escape(file)} has no answer for draw 2 of request [0-9a-f]{{32}} \\(“known”\\); it has 2 other draws of it\\.$", draw.Message);
        Assert.Contains("draw 0 of request", request.Message, StringComparison.Ordinal);
        Assert.Contains("“un known”", request.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_SameRequestInSeveralStreams_IsToldApartByTheStream()
    {
        var file = _folder.File("run.jsonl");
        var said = new Dictionary<int, string>();
        using (var recorder = new Recorder(new ChanceModel(), file))
        {
            foreach (var stream in new[] { 3, 1, 2 })
                said[stream] = (await recorder.GetResponseAsync(Ask("same"), Options(stream, 0))).Text;
        }
        using var replay = RecordedCalls.Open(file);

        foreach (var stream in new[] { 2, 1, 3, 1 })
            Assert.Equal(said[stream], (await replay.GetResponseAsync(Ask("same"), Options(stream, 0))).Text);
        // another seed has other streams: the first by name, whatever the order in the file
        var first = new[] { 1, 2, 3 }.MinBy(s => Key(s).ToString(), StringComparer.Ordinal);
        Assert.Equal(said[first], (await replay.GetResponseAsync(Ask("same"), Options(99, 0))).Text);
        Assert.Equal(said[first], (await replay.GetResponseAsync(Ask("same"))).Text);
    }

    [Fact]
    public async Task Replay_Failures_FailAgainInTheSameWay()
    {
        var file = _folder.File("run.jsonl");
        using (var recorder = new Recorder(new ChanceModel(), file))
        {
            await Assert.ThrowsAsync<RateLimitedException>(() => recorder.GetResponseAsync(Ask("fail"), Options(1, 0)));
            await Assert.ThrowsAsync<InvalidOperationException>(() => recorder.GetResponseAsync(Ask("die"), Options(1, 0)));
            await Assert.ThrowsAsync<UpstreamException>(() => recorder.GetStreamingResponseAsync(Ask("break"), Options(1, 0)).ToChatResponseAsync());
        }
        using var replay = RecordedCalls.Open(file);

        var limited = await Assert.ThrowsAsync<RateLimitedException>(() => replay.GetResponseAsync(Ask("fail"), Options(1, 0)));
        Assert.Equal(("asked too often", TimeSpan.FromSeconds(3)), (limited.Message, limited.RetryAfter));
        Assert.Equal("a bug of two lines", (await Assert.ThrowsAsync<UpstreamException>(() => replay.GetResponseAsync(Ask("die"), Options(1, 0)))).Message);
        await Assert.ThrowsAsync<UpstreamException>(() => replay.GetStreamingResponseAsync(Ask("break"), Options(1, 0)).ToChatResponseAsync());
    }

    [Fact]
    public async Task Record_CancelledOrAbandoned_IsNotRecorded()
    {
        var file = _folder.File("run.jsonl");
        using (var recorder = new Recorder(new ChanceModel(), file))
        {
            await foreach (var _ in recorder.GetStreamingResponseAsync(Ask("left"), Options(1, 0)))
                break;
        }
        Assert.Single(await File.ReadAllLinesAsync(file));
    }

    [Fact]
    public async Task Recorder_ExistingFile_IsContinuedAndATornLineIsCut()
    {
        var file = _folder.File("run.jsonl");
        using (var recorder = new Recorder(new ChanceModel(), file))
            await recorder.GetResponseAsync(Ask("one"), Options(1, 0));
        var whole = await File.ReadAllTextAsync(file);
        await File.AppendAllTextAsync(file, """{"key":"0123","dr""");
        using (var torn = RecordedCalls.Open(file))
            Assert.Equal(1, torn.Count);

        using (var recorder = new Recorder(new ChanceModel(), file))
            await recorder.GetResponseAsync(Ask("two"), Options(1, 0));

        Assert.StartsWith(whole, await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        using var replay = RecordedCalls.Open(file);
        Assert.Equal(2, replay.Count);
        var e = Assert.Throws<InvalidDataException>(() => new Recorder(new ChanceModel("other"), file));
        Assert.Equal($"{file}:1: model: this is a recording of chance-1, not of other", e.Message);
    }

    [Fact]
    public async Task Recorder_TornLineLongerThanAnyBuffer_IsCut()
    {
        var file = _folder.File("run.jsonl");
        using (var recorder = new Recorder(new ChanceModel(), file))
            await recorder.GetResponseAsync(Ask("one"), Options(1, 0));
        var whole = await File.ReadAllTextAsync(file);
        await File.AppendAllTextAsync(file, new string('x', 10_000));

        new Recorder(new ChanceModel(), file).Dispose();

        Assert.Equal(whole, await File.ReadAllTextAsync(file));
    }

    [Fact]
    public async Task Replay_Training_IsRecordedToo()
    {
        var file = _folder.File("run.jsonl");
        TrainingPair[] one = [new(new(PromptTask.Guess, Ask("q1"), null, null), "a1")], two = [.. one, new(new(PromptTask.Guess, Ask("q2"), null, null), "a2")];
        string answer;
        using (var recorder = new Recorder(new ChanceModel(), file))
        {
            var trainer = recorder.GetService<IAdapterTrainer>()!;
            var first = await trainer.TrainAsync(null, one, Key(1), default);
            var second = await trainer.TrainAsync(first.Adapter, two, Key(2), default);
            answer = (await recorder.GetResponseAsync(Ask("q"), Options(1, 0, second.Adapter))).Text;
            await recorder.GetResponseAsync(Ask("q"), Options(1, 0));
        }
        using var replay = RecordedCalls.Open(file);
        var replayed = replay.GetService<IAdapterTrainer>()!;

        var again = await replayed.TrainAsync(null, one, Key(1), default);
        again = await replayed.TrainAsync(again.Adapter, two, Key(2), default);
        var imported = await replayed.ImportAsync(await replayed.ExportAsync(again.Adapter, default), default);

        Assert.Equal(new(new("+1+2", "chance-1"), 200, 2, 0.5), again);
        Assert.Equal(again.Adapter, imported);
        Assert.Equal(answer, (await replay.GetResponseAsync(Ask("q"), Options(1, 0, imported))).Text);
        Assert.NotEqual(answer, (await replay.GetResponseAsync(Ask("q"), Options(1, 0))).Text);
        await Assert.ThrowsAsync<UnrecordedCallException>(() => replayed.TrainAsync(null, two, Key(1), default).AsTask());
        await Assert.ThrowsAsync<InvalidDataException>(() => replayed.ImportAsync(new byte[] { 1, 2 }, default).AsTask());
        Assert.True(replay.GetService<ModelTraits>()!.Adapters);
    }

    [Fact]
    public void Key_EqualTexts_AreEqualAndLeftOutIsNotZero()
    {
        string Of(string text, ChatOptions? options = null) => CanonicalRequest.Of(Ask(text), options).Key;

        Assert.Equal(Of("caf\u00e9"), Of("cafe\u0301"));
        Assert.Equal(Of("a", Options(1, 0)), Of("a", Options(2, 7)));
        var seeded = Options(1, 0);
        seeded.Seed = Key(1).ToSeed();
        Assert.Equal(Of("a", Options(1, 0)), Of("a", seeded));
        ChatOptions[] different =
        [
            new(), new() { Temperature = 0 }, new() { Temperature = 1 }, new() { TopP = 0 }, new() { TopK = 0 }, new() { MaxOutputTokens = 0 }, new() { Seed = 0 },
            new() { StopSequences = ["x"] }, new() { ModelId = "x" }, new() { Instructions = "x" }, new() { ResponseFormat = ChatResponseFormat.Json },
            new() { Reasoning = new() { Effort = ReasoningEffort.Low } }, new() { Tools = [AIFunctionFactory.Create(() => 1, "f")] },
            new() { Tools = [AIFunctionFactory.Create(() => 1, "f")], ToolMode = ChatToolMode.RequireAny }, new() { AdditionalProperties = new() { ["min_p"] = 0.1 } },
            Options(1, 0, new("a1", "m")), Options(1, 0, topLogProbs: 0), Options(1, 0, topLogProbs: 1),
        ];
        Assert.Equal(different.Length, different.Select(o => Of("a", o)).Distinct(StringComparer.Ordinal).Count());
        ChatMessage[][] messages =
        [
            [new(ChatRole.User, "a")], [new(ChatRole.System, "a")], [new(ChatRole.User, "a"), new(ChatRole.User, "a")], [new(ChatRole.User, "a") { AuthorName = "b" }],
            [new(ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")])], [new(ChatRole.User, [new DataContent(new byte[] { 2 }, "image/png")])],
            [new(ChatRole.User, [new TextReasoningContent("a")])], [new(ChatRole.Assistant, [new FunctionCallContent("1", "f")])], [new(ChatRole.Tool, [new FunctionResultContent("1", "a")])],
        ];
        Assert.Equal(messages.Length, messages.Select(m => CanonicalRequest.Of(m, null).Key).Distinct(StringComparer.Ordinal).Count());
    }

    [Theory]
    [InlineData("", 1, "the file is empty")]
    [InlineData("{", 1, "(byte")]
    [InlineData("{\"a\":1}\n", 1, "neither a recording")]
    [InlineData("{\"formatVersion\":9,\"recording\":\"calls\",\"model\":{\"fingerprint\":\"m\"}}\n", 1, "formatVersion: 9 was written by a newer version")]
    [InlineData("H\n{\"key\":\"k\",\"draw\":\"x\",\"stream\":\"\"}\n", 2, "draw: ")]
    [InlineData("H\n\n{\"key\":\"k\",\"draw\":1}\n", 3, "stream")]
    [InlineData("H\n{\"key\":\"k\",\"draw\":1,\"stream\":\"\"}\n", 2, "response: it is missing")]
    [InlineData("H\n{\"key\":\"k\",\"draw\":1,\"stream\":\"\",\"response\":{\"messages\":3}}\n", 2, "response.messages: it is no list")]
    [InlineData("H\nrubbish\nH\n", 2, "(byte")]
    public void Open_MalformedFile_NamesFileLineAndField(string content, int line, string expected)
    {
        const string header = """{"formatVersion":1,"recording":"calls","model":{"fingerprint":"m","contextTokens":1,"logProbs":true,"seed":true,"adapters":false}}""";
        var file = _folder.File("bad.jsonl", content.Replace("H", header, StringComparison.Ordinal));

        var e = Assert.Throws<InvalidDataException>(() => RecordedModel.Open(file, StreamKey.Root(1)));

        Assert.StartsWith(Invariant($"{file}:{line}: "), e.Message, StringComparison.Ordinal);
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    private static StreamKey Key(int stream) => StreamKey.Root(stream);

    private static ChatMessage[] Ask(string text) => [new(ChatRole.User, text)];

    private static ChatOptions Options(int stream, int draw, AdapterRef? adapter = null, int? topLogProbs = null) => new()
    {
        AdditionalProperties = new() { [CallInfo.Key] = new CallInfo(CallPurpose.Solve, Key(stream), draw, "q", adapter, topLogProbs) },
    };

    private static (ChatMessage[] Messages, ChatOptions Options) Call(StreamRandom random)
    {
        var options = Options(random.Next(1000), random.Next(4), random.Next(3) == 0 ? new(random.Pick(["a0", "a1"]), "chance-1") : null, random.Next(2) == 0 ? random.Next(3) : null);
        options.Temperature = random.Next(2) == 0 ? 0.1f * random.Next(10) : null;
        return (Ask(Invariant($"{random.Pick(["naïve", "漢字", "\"quoted\"\n", "a\tb"])} {random.Next(1000)}")), options);
    }

    private static string Shape(ChatResponse r) => JsonSerializer.Serialize(new
    {
        r.Text,
        Reasoning = r.Messages.SelectMany(m => m.Contents).OfType<TextReasoningContent>().Select(c => c.Text),
        Role = r.Messages.Select(m => m.Role.Value),
        r.FinishReason?.Value,
        r.ModelId,
        r.ResponseId,
        r.Usage?.InputTokenCount,
        r.Usage?.OutputTokenCount,
        r.Usage?.CachedInputTokenCount,
        r.Usage?.ReasoningTokenCount,
        LogProbs = ((r.AdditionalProperties ?? r.Messages[0].AdditionalProperties)?.GetValueOrDefault(TokenLogProb.Key) as IReadOnlyList<TokenLogProb>)?.Select(t => new { t.Text, t.LogProb, t.Top }),
    });
}
