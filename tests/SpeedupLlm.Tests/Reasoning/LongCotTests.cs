using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests.Reasoning;

public sealed class LongCotTests
{
    private static ScriptedReply Thought(string text, long tokens, ChatFinishReason finish, long? reasoning = null) =>
        new(text) { Finish = finish, Usage = new() { InputTokenCount = 10, OutputTokenCount = tokens, ReasoningTokenCount = reasoning } };

    [Theory]
    [InlineData("42", "stop", StopReason.Threshold)]
    [InlineData("1", "stop", StopReason.Exhausted)]
    [InlineData("1", "length", StopReason.Cap)]
    [InlineData("42", "length", StopReason.Threshold)]
    public async Task RunAsync_OneThought_SaysWhyItEnded(string answer, string finish, StopReason stop)
    {
        var model = ScriptedChatClient.Replies(Thought($"Try. No. Try. Answer {answer}.", 207, new(finish)));
        var solution = await model.SolveAsync(new LongCot());
        Assert.Equal(PromptTask.Think, Assert.Single(model.Calls).Task);
        Assert.Equal((stop, 207m), (solution.Stop, solution.Bill.Operations));
    }

    [Fact]
    public async Task RunAsync_Failure_IsExhausted()
    {
        var solution = await ScriptedChatClient.Replies(ScriptedReply.Failing()).SolveAsync(new LongCot());
        Assert.Equal((StopReason.Exhausted, 0m, null), (solution.Stop, solution.Bill.Operations, solution.Best));
    }

    [Fact]
    public async Task RunAsync_HiddenReasoning_IsCounted()
    {
        var model = ScriptedChatClient.Replies(Thought("Answer 42.", 900, ChatFinishReason.Stop, reasoning: 880));
        var solution = await model.SolveAsync(new LongCot(new() { ReasoningEffort = "high" }));
        Assert.Equal(900, solution.Bill.Operations);
        Assert.Equal(880, solution.Bill.Charges[0].Reasoning);
        Assert.Equal(ReasoningEffort.High, model.Calls[0].Options!.Reasoning!.Effort);
    }

    [Theory]
    [InlineData(null, 480)]
    [InlineData(77, 77)]
    public async Task RunAsync_Cap_IsSentToTheModel(int? cap, int sent)
    {
        var model = Solving.Answers("42");
        await model.SolveAsync(new LongCot(new() { MaxTokens = cap }));
        Assert.Equal(sent, model.Calls[0].Options!.MaxOutputTokens);
    }

    [Fact]
    public async Task RunAsync_ThreeProbesAgree_EndsTheThought()
    {
        // 64 characters between probes; the interim answer is 1, then 42 for good
        var model = new ScriptedChatClient(call => call.Task == PromptTask.Think
            ? string.Concat(Enumerable.Repeat("word ", 400))
            : $"Answer {(call.Info.Draw == 0 ? "1" : "42")}.");
        var solution = await model.SolveAsync(new LongCot(new() { ProbeEvery = 16 }));
        Assert.Equal(4, model.Count(PromptTask.Propose));
        Assert.Equal(StopReason.Threshold, solution.Stop);
        Assert.Equal("42", solution.Best!.Final);
        Assert.True(solution.Best.Complete);
        Assert.StartsWith(string.Concat(Enumerable.Repeat("word ", 4 * 64 / 5)), solution.Best.Text, StringComparison.Ordinal);
        Assert.True(solution.Best.Text.Length < 300);
        var thought = solution.Bill.Charges[^1];
        Assert.True(thought.Estimated);
        Assert.InRange(thought.Output, 60, 70); // 256 characters and a piece
        Assert.Equal(solution.Bill.Output, solution.Bill.Operations);
    }

    [Fact]
    public async Task RunAsync_ProbesDisagreeOrFail_ThoughtEndsByItself()
    {
        var model = new ScriptedChatClient(call => call.Task == PromptTask.Think
            ? string.Concat(Enumerable.Repeat("word ", 100)) + "Answer 42."
            : call.Info.Draw % 2 == 0 ? ScriptedReply.Failing() : FormattableString.Invariant($"Answer {call.Info.Draw}."));
        var solution = await model.SolveAsync(new LongCot(new() { ProbeEvery = 16 }));
        Assert.True(model.Count(PromptTask.Propose) > 5);
        Assert.Equal("42", solution.Best!.Final);
        Assert.False(solution.Bill.Charges[^1].Estimated);
    }

    /// <summary>The thought holds back all that is left; a probe inside it must neither wait for it nor end it.</summary>
    [Fact]
    public async Task RunAsync_ProbesWithoutBudget_DoNotBlockTheThought()
    {
        var model = new ScriptedChatClient(call => call.Task == PromptTask.Think
            ? string.Concat(Enumerable.Repeat("word ", 100)) + "Answer 42."
            : "Answer 1.");
        var solution = await model.SolveAsync(new LongCot(new() { ProbeEvery = 16 }), budget: new() { Tokens = 500 })
            .AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(0, model.Count(PromptTask.Propose));
        Assert.Equal("42", solution.Best!.Final);
    }

    [Fact]
    public void Constructor_OptionOutOfRange_Throws()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new LongCot(new() { MaxTokens = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LongCot(new() { ProbeEvery = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LongCot(new() { Agreeing = 1 }));
        Assert.Contains("medium", Assert.Throws<ArgumentException>(() => new LongCot(new() { ReasoningEffort = "huge" })).Message, StringComparison.Ordinal);
    }
}
