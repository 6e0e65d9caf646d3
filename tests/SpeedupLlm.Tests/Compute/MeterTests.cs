using System.Collections.Concurrent;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests.Compute;

public sealed class MeterTests
{
    private static readonly Prompt Prompt = new(PromptTask.Guess, [new(ChatRole.User, "one two three")], 10, null);

    private static CallInfo Info(CallPurpose purpose = CallPurpose.Solve) => new(purpose, StreamKey.Root(1), 0, "q");

    private static Meter MeterOf(IChatClient model, Budget? budget = null, TimeProvider? clock = null) =>
        new(model, budget ?? Budget.Unlimited, PriceSheet.Relative, clock ?? TimeProvider.System);

    private static ScriptedReply Used(long input, long output, long? cached = null, long? reasoning = null) => new("word")
    {
        Usage = new() { InputTokenCount = input, OutputTokenCount = output, CachedInputTokenCount = cached, ReasoningTokenCount = reasoning },
    };

    [Fact]
    public async Task AskAsync_UsageGiven_IsBookedAsSaid()
    {
        var clock = new FakeTime();
        var model = new ScriptedChatClient(_ => Used(100, 20, 60, 5) with { Takes = TimeSpan.FromSeconds(3) }) { Clock = clock };
        var meter = MeterOf(model, clock: clock);
        await meter.AskAsync(Prompt, Info(CallPurpose.Recall), null, default);
        Assert.Equal(new(CallPurpose.Recall, 100, 60, 20, 5, 0, false, TimeSpan.FromSeconds(3)), Assert.Single(meter.Charges));
    }

    [Fact]
    public async Task AskAsync_NoUsage_IsEstimatedAndFlagged()
    {
        var model = new ScriptedChatClient(_ => new("12345678") { NoUsage = true, Reasoning = "1234" });
        var meter = MeterOf(model);
        var reply = await meter.AskAsync(Prompt, Info(), null, default);
        var charge = Assert.Single(meter.Charges);
        Assert.Equal((4L, 3L, 1L, true), (charge.Input, charge.Output, charge.Reasoning, charge.Estimated)); // 13, 8 and 4 characters
        Assert.Equal("1234", reply.Reasoning);
    }

    [Fact]
    public async Task AskAsync_ImpossibleUsage_StaysConsistent()
    {
        var meter = MeterOf(new ScriptedChatClient(_ => Used(10, 5, cached: 50, reasoning: 30)));
        await meter.AskAsync(Prompt, Info(), null, default);
        var charge = Assert.Single(meter.Charges);
        Assert.True(charge.CachedInput <= charge.Input && charge.Reasoning <= charge.Output);
    }

    [Fact]
    public async Task AskAsync_Streamed_GivesTheSameReplyAndCharge()
    {
        var logProbs = new List<TokenLogProb> { new("word", -0.5, []) };
        var model = new ScriptedChatClient(_ => new("some words here") { LogProbs = logProbs, Reasoning = "hm", Finish = ChatFinishReason.Length });
        var (plain, streamed) = (MeterOf(model), MeterOf(model));
        var pieces = new List<string>();
        var one = await plain.AskAsync(Prompt, Info(), null, default);
        var other = await streamed.AskAsync(Prompt, Info(), new(pieces.Add, null), default);
        Assert.Equal(["some", " words", " here"], pieces);
        Assert.Equal(one with { LogProbs = null }, other with { LogProbs = null });
        Assert.Equal(logProbs, other.LogProbs);
        Assert.Equal(plain.Charges[0] with { Elapsed = default }, streamed.Charges[0] with { Elapsed = default });
        Assert.Equal([false, true], model.Calls.Select(c => c.Streamed));
    }

    [Fact]
    public async Task AskAsync_FailureBeforeAWord_CostsACallAndNoTokens()
    {
        var meter = MeterOf(new ScriptedChatClient(_ => ScriptedReply.Failing("down")));
        var failure = await Assert.ThrowsAsync<ModelFailedException>(async () => await meter.AskAsync(Prompt, Info(), null, default));
        Assert.IsType<HttpRequestException>(failure.InnerException);
        Assert.Equal((0L, 0L, true), (meter.Charges[0].Input, meter.Charges[0].Output, meter.Charges[0].Estimated));
        Assert.Same(failure, Assert.Single(meter.Failures));
    }

    [Fact]
    public async Task AskAsync_FailureMidStream_CostsWhatCame()
    {
        var meter = MeterOf(new ScriptedChatClient(_ => new("12345678") { Error = new IOException("cut") }));
        await Assert.ThrowsAsync<ModelFailedException>(async () => await meter.AskAsync(Prompt, Info(), new(_ => { }, null), default));
        Assert.Equal((4L, 2L, true), (meter.Charges[0].Input, meter.Charges[0].Output, meter.Charges[0].Estimated));
    }

    /// <summary>A client's own timeout looks like a cancellation; nobody cancelled.</summary>
    [Fact]
    public async Task AskAsync_ClientTimesOut_IsAFailure()
    {
        var meter = MeterOf(new ScriptedChatClient(_ => new("") { Error = new TaskCanceledException("timeout") }));
        await Assert.ThrowsAsync<ModelFailedException>(async () => await meter.AskAsync(Prompt, Info(), null, default));
    }

    [Fact]
    public async Task AskAsync_CancelledMidStream_KeepsTheBill()
    {
        using var source = new CancellationTokenSource();
        var meter = MeterOf(new ScriptedChatClient(_ => "one two three four"));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await meter.AskAsync(Prompt, Info(), new(text => { if (text == " two") source.Cancel(); }, null), source.Token));
        Assert.Equal((4L, 2L, true), (meter.Charges[0].Input, meter.Charges[0].Output, meter.Charges[0].Estimated)); // "one two"
        Assert.Empty(meter.Failures);
    }

    [Fact]
    public async Task AskAsync_CallsAreSpent_MakesNoCall()
    {
        var model = new ScriptedChatClient(_ => "word");
        var meter = MeterOf(model, new() { Calls = 2 });
        await meter.AskAsync(Prompt, Info(), null, default);
        await meter.AskAsync(Prompt, Info(), null, default);
        var e = await Assert.ThrowsAsync<BudgetExceededException>(async () => await meter.AskAsync(Prompt, Info(), null, default));
        Assert.Equal(("calls", 2), (e.Cap, model.Calls.Count));
    }

    /// <summary>The prompt counts 13 bytes and 16 for its template at most.</summary>
    [Theory]
    [InlineData(29, false, 0)]
    [InlineData(30, true, 1)]
    [InlineData(35, true, 6)]
    [InlineData(39, true, 10)]
    [InlineData(1000, true, 10)]
    public async Task AskAsync_Tokens_CutTheAnswerToWhatIsLeft(long tokens, bool asked, int most)
    {
        var model = new ScriptedChatClient(_ => "word");
        var meter = MeterOf(model, new() { Tokens = tokens });
        if (asked)
            await meter.AskAsync(Prompt, Info(), null, default);
        else
            Assert.Equal("tokens", (await Assert.ThrowsAsync<BudgetExceededException>(async () => await meter.AskAsync(Prompt, Info(), null, default))).Cap);
        Assert.Equal(asked ? [most] : [], model.Calls.Select(c => c.Options!.MaxOutputTokens!.Value));
    }

    /// <summary>29 input tokens at 1, output tokens at 4.</summary>
    [Theory]
    [InlineData(32, false, 0)]
    [InlineData(33, true, 1)]
    [InlineData(52, true, 5)]
    [InlineData(69, true, 10)]
    public async Task AskAsync_Money_CutsTheAnswerToWhatIsLeft(int money, bool asked, int most)
    {
        var model = new ScriptedChatClient(_ => "word");
        var meter = MeterOf(model, new() { Money = money });
        if (asked)
            await meter.AskAsync(Prompt, Info(), null, default);
        else
            Assert.Equal("money", (await Assert.ThrowsAsync<BudgetExceededException>(async () => await meter.AskAsync(Prompt, Info(), null, default))).Cap);
        Assert.Equal(asked ? [most] : [], model.Calls.Select(c => c.Options!.MaxOutputTokens!.Value));
    }

    [Fact]
    public async Task AskAsync_AnswerWithoutCap_GetsAllThatIsLeft()
    {
        var model = new ScriptedChatClient(_ => "word");
        await MeterOf(model, new() { Tokens = 129 }).AskAsync(Prompt with { MaxOutputTokens = null }, Info(), null, default);
        await MeterOf(model).AskAsync(Prompt with { MaxOutputTokens = null }, Info(), null, default);
        Assert.Equal([100, null], model.Calls.Select(c => c.Options!.MaxOutputTokens));
    }

    [Fact]
    public async Task AskAsync_ExactCounter_IsTrusted()
    {
        var model = new ScriptedChatClient(_ => "word").With<ITokenCounter>(new Three());
        await MeterOf(model, new() { Tokens = 8 }).AskAsync(Prompt, Info(), null, default);
        Assert.Equal(5, model.Calls[0].Options!.MaxOutputTokens);
    }

    [Fact]
    public async Task AskAsync_TimeRunsOutDuringTheCall_CancelsItAndKeepsTheBill()
    {
        var clock = new FakeTime();
        var model = new ScriptedChatClient(_ => new("a b c") { Takes = TimeSpan.FromSeconds(4) }) { Clock = clock };
        var meter = MeterOf(model, new() { Time = TimeSpan.FromSeconds(10) }, clock);
        await meter.AskAsync(Prompt, Info(), null, default);
        await meter.AskAsync(Prompt, Info(), null, default);
        var e = await Assert.ThrowsAsync<BudgetExceededException>(async () => await meter.AskAsync(Prompt, Info(), null, default));
        Assert.Equal(("time", 3, 3), (e.Cap, model.Calls.Count, meter.Charges.Count));
        Assert.True(meter.Charges[2].Input > 0);
        await Assert.ThrowsAsync<BudgetExceededException>(async () => await meter.AskAsync(Prompt, Info(), null, default));
        Assert.Equal(3, model.Calls.Count);
    }

    /// <summary>The law of budgets: whatever is asked for at once, and whatever answers cost within their caps, no cap is ever passed.</summary>
    [Fact]
    public void AskAsync_ManyAtOnce_NeverPassesACap() => Prop.ForAll(
        Gen.Choose(0, 30).Two().ToArbitrary(), Gen.Choose(0, 600).Two().ToArbitrary(), Gen.Choose(1, 20).ToArbitrary(), (calls, caps, width) =>
        {
            var budget = new Budget { Calls = calls.Item1, Tokens = caps.Item1, Money = caps.Item2 };
            var model = new ScriptedChatClient(call =>
                Used(call.Info.Draw % 30, Math.Min(call.Info.Draw % 13, call.Options!.MaxOutputTokens ?? int.MaxValue)) with { Gate = Task.Delay(call.Info.Draw % 3) });
            var meter = MeterOf(model, budget);
            var refused = new ConcurrentBag<string>();
            Task.WhenAll(Enumerable.Range(0, width).Select(async i =>
            {
                try
                {
                    await meter.AskAsync(Prompt with { MaxOutputTokens = i % 4 == 0 ? null : 12 }, Info() with { Draw = i * calls.Item2 }, null, default);
                }
                catch (BudgetExceededException e)
                {
                    refused.Add(e.Cap);
                }
            })).WaitAsync(TimeSpan.FromSeconds(30)).GetAwaiter().GetResult();
            var bill = new Bill(meter.Charges, 0);
            return model.Calls.Count <= budget.Calls && bill.Input + bill.Output <= budget.Tokens && PriceSheet.Relative.Cost(bill) <= budget.Money
                && model.Calls.Count + refused.Count == width;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));

    /// <summary>Cautious reservations must not refuse in a wave what one call after another would be given.</summary>
    [Fact]
    public async Task AskAsync_Wave_GetsWhatCallsInARowGet()
    {
        var budget = new Budget { Tokens = 140 }; // each call may take 39 and does take 13
        async Task<int> CountAsync(bool wave)
        {
            var model = new ScriptedChatClient(_ => Used(3, 10));
            var meter = MeterOf(model, budget);
            var calls = Enumerable.Range(0, 12).Select(async _ =>
            {
                try
                {
                    await Task.Yield();
                    await meter.AskAsync(Prompt, Info(), null, default);
                }
                catch (BudgetExceededException)
                {
                }
            });
            if (wave)
                await Task.WhenAll(calls.ToList());
            else
                foreach (var call in calls)
                    await call;
            return model.Calls.Count;
        }
        var inARow = await CountAsync(wave: false);
        Assert.Equal(9, inARow); // the ninth is cut to what is left of 140 - 8 * 13 - 29
        Assert.Equal(inARow, await CountAsync(wave: true));
    }

    [Fact]
    public async Task AskAsync_CancelledWhileWaitingForBudget_LetsTheOthersThrough()
    {
        var gate = new TaskCompletionSource();
        var model = new ScriptedChatClient(_ => Used(3, 1) with { Gate = gate.Task });
        var meter = MeterOf(model, new() { Tokens = 50 });
        using var source = new CancellationTokenSource();
        var first = meter.AskAsync(Prompt, Info(), null, default).AsTask();
        var waiting = meter.AskAsync(Prompt, Info(), null, source.Token).AsTask();
        var last = meter.AskAsync(Prompt, Info(), null, default).AsTask();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.False(last.IsCompleted);
        gate.SetResult();
        await first;
        await last.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(2, model.Calls.Count);
    }

    [Fact]
    public async Task Add_Training_CountsAgainstTheBudget()
    {
        var meter = MeterOf(new ScriptedChatClient(_ => "word"), new() { Tokens = 100 });
        meter.Add(new(CallPurpose.Train, 0, 0, 0, 0, 80, false, TimeSpan.Zero));
        await Assert.ThrowsAsync<BudgetExceededException>(async () => await meter.AskAsync(Prompt, Info(), null, default));
    }

    private sealed class Three : ITokenCounter
    {
        public int Count(IEnumerable<ChatMessage> messages) => 3;
    }
}
