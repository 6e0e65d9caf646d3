using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Conversations;
using SpeedupLlm.Prompts;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Tests.Conversations;

public sealed class ConversationReaderTests
{
    private static readonly ConversationReader Reader = new();

    private static readonly List<ChatMessage> Asked = [new(ChatRole.System, "You sell tickets."), new(ChatRole.User, "What do two tickets cost?")];

    private static Question Read(IReadOnlyList<ChatMessage> messages, ChatOptions? options = null) =>
        Reader.Read(messages, options) is { Question: { } question } ? question : throw new InvalidOperationException("The request was passed by.");

    [Fact]
    public void Read_SystemPromptAndQuestion_IsAQuestionUnderThatSetting()
    {
        var question = Read(Asked);
        Assert.Equal("What do two tickets cost?", question.Text);
        Assert.Equal(["You sell tickets.", "What do two tickets cost?"], question.Messages.Select(m => m.Text));
        Assert.False(question.IsFollowUp);
        Assert.NotEqual("", question.Setting);
        Assert.Null(question.Options);
    }

    [Fact]
    public void Read_BareQuestion_IsTheQuestionOfItsText()
    {
        var question = Read([new(ChatRole.User, "What do two tickets cost?")], new());
        Assert.Equal(QuestionKey.Of(SpeedupLlm.Question.FromText("What do two tickets cost?")), QuestionKey.Of(question));
        Assert.Equal(("", ""), (question.Context, question.Setting));
    }

    [Fact]
    public void Read_EarlierTurns_MakeAFollowUpWhoseKeyHoldsThem()
    {
        List<ChatMessage> Turn(string first) => [.. Asked.Take(1), new(ChatRole.User, first), new(ChatRole.Assistant, "12."), new(ChatRole.User, "And the second one?")];
        var (one, other) = (Read(Turn("The first film?")), Read(Turn("The first play?")));
        Assert.True(one.IsFollowUp);
        Assert.Equal("And the second one?", one.Text);
        Assert.NotEqual(QuestionKey.Of(one), QuestionKey.Of(other));
        Assert.Equal(QuestionKey.Of(one), QuestionKey.Of(Read(Turn("The first film?"))));
        Assert.Equal(one.Setting, Read(Asked).Setting);
    }

    [Fact]
    public void Read_PastedDocument_IsPartOfTheKey()
    {
        var document = string.Concat(Enumerable.Range(0, 200).Select(i => FormattableString.Invariant($"Line {i}. ")));
        string KeyOf(string system, string user) => QuestionKey.Of(Read([new(ChatRole.System, system), new(ChatRole.User, user)]))!;
        Assert.NotEqual(KeyOf("Answer from: " + document, "Who?"), KeyOf("Answer from: " + document + "Line 201. ", "Who?"));
        Assert.NotEqual(KeyOf("Answer.", document + "Who?"), KeyOf("Answer.", document + "Line 201. Who?"));
    }

    /// <summary>Every option that may change the answer, and nothing that may not.</summary>
    [Fact]
    public void Read_Options_KeysDifferIfTheAnswerMay()
    {
        var schema = JsonDocument.Parse("""{"type":"object"}""").RootElement;
        ChatOptions[] options =
        [
            new(), new() { Temperature = 0 }, new() { Temperature = 1 }, new() { TopP = 0.5f }, new() { TopK = 5 }, new() { MaxOutputTokens = 100 }, new() { MaxOutputTokens = 101 },
            new() { StopSequences = ["a"] }, new() { StopSequences = ["b"] }, new() { Seed = 0 }, new() { Seed = 1 }, new() { ModelId = "a" }, new() { ModelId = "b" },
            new() { ResponseFormat = ChatResponseFormat.Json }, new() { ResponseFormat = ChatResponseFormat.ForJsonSchema(schema) }, new() { Instructions = "Be brief." },
            new() { FrequencyPenalty = 1 }, new() { PresencePenalty = 1 }, new() { Reasoning = new() { Effort = ReasoningEffort.High } },
            new() { AdditionalProperties = new() { ["top_a"] = 0.1 } }, new() { AdditionalProperties = new() { ["top_a"] = 0.2 } },
        ];
        Assert.Equal(options.Length, options.Select(o => QuestionKey.Of(Read(Asked, o))).Distinct().Count());
        ChatOptions[] same =
        [
            new() { AdditionalProperties = new() { ["user"] = "ann" } }, new() { AdditionalProperties = new() { ["metadata"] = new Dictionary<string, string> { ["a"] = "b" } } },
            new() { AdditionalProperties = new() { ["stream_options"] = "x", ["speedup"] = "y", ["n"] = null } }, new() { StopSequences = [], Tools = [] },
        ];
        Assert.All(same, o => Assert.Equal(QuestionKey.Of(Read(Asked)), QuestionKey.Of(Read(Asked, o))));
    }

    [Fact]
    public void Read_UnknownOption_ReachesTheSearchAndDeliveryOfAStreamDoesNot()
    {
        var question = Read(Asked, new() { AdditionalProperties = new() { ["min_p"] = 0.1, ["user"] = "ann", ["stream_options"] = "x", ["speedup.tenant"] = "t" } });
        Assert.Equal(["min_p", "user"], question.Options!.AdditionalProperties!.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Read_WhatAClientAddsForItself_ChangesNothing()
    {
        List<ChatMessage> noted = [Asked[0], new(ChatRole.User, "One?"), new(ChatRole.Assistant, [new TextContent("1."), new UsageContent(new() { InputTokenCount = 3 })]) { MessageId = "m1", CreatedAt = DateTimeOffset.UnixEpoch }, new(ChatRole.User, "Two?")];
        List<ChatMessage> plain = [Asked[0], new(ChatRole.User, "One?"), new(ChatRole.Assistant, "1."), new(ChatRole.User, "Two?")];
        Assert.Equal(QuestionKey.Of(Read(plain)), QuestionKey.Of(Read(noted)));
    }

    public static TheoryData<string, List<ChatMessage>, ChatOptions?> PassedBy() => new()
    {
        { "the last message is not the user's", [], null },
        { "the last message is not the user's", [new(ChatRole.User, "a?"), new(ChatRole.Assistant, "b")], null },
        { "tools", [new(ChatRole.User, "a?"), new(ChatRole.Assistant, [new FunctionCallContent("1", "f")]), new(ChatRole.Tool, [new FunctionResultContent("1", 2)]), new(ChatRole.User, "b?")], null },
        { "tools", [new(ChatRole.User, "a?")], new() { Tools = [AIFunctionFactory.Create(() => 1, "f")] } },
        { "tools", [new(ChatRole.User, "a?")], new() { AdditionalProperties = new() { ["tools"] = JsonDocument.Parse("[{}]").RootElement } } },
        { "contents other than text", [new(ChatRole.User, [new TextContent("What is this?"), new UriContent("https://example.org/a.png", "image/png")])], null },
        { "contents other than text", [new(ChatRole.User, [new DataContent(new byte[] { 1 }, "audio/wav")])], null },
        { "no text", [new(ChatRole.User, " \n")], null },
        { "an unknown role", [new(new ChatRole("critic"), "Hm."), new(ChatRole.User, "a?")], null },
        { "a question too long to remember", [new(ChatRole.User, new string('a', 16_001))], null },
        { "more than one answer", [new(ChatRole.User, "a?")], new() { AdditionalProperties = new() { ["n"] = 2 } } },
        { "more than one answer", [new(ChatRole.User, "a?")], new() { AdditionalProperties = new() { ["n"] = JsonDocument.Parse("3").RootElement } } },
        { "an option that cannot be compared", [new(ChatRole.User, "a?")], new() { AdditionalProperties = new() { ["n"] = JsonDocument.Parse("\"\\ud800\"").RootElement } } },
        { "log-probabilities", [new(ChatRole.User, "a?")], new() { AdditionalProperties = new() { ["logprobs"] = true } } },
        { "log-probabilities", [new(ChatRole.User, "a?")], new() { AdditionalProperties = new() { ["top_logprobs"] = 5L } } },
        { "too few tokens for a worked answer", [new(ChatRole.User, "a?")], new() { MaxOutputTokens = 5 } },
        { "a conversation kept elsewhere", [new(ChatRole.User, "a?")], new() { ConversationId = "c" } },
        { "an option that cannot be compared", [new(ChatRole.User, "a?")], new() { RawRepresentationFactory = _ => null } },
        { "an option that cannot be compared", [new(ChatRole.User, "a?")], new() { AdditionalProperties = new() { ["f"] = (Func<int>)(() => 1) } } },
        { "a call of the library's own", [new(ChatRole.User, "a?")], new() { AdditionalProperties = new() { [CallInfo.Key] = new CallInfo(CallPurpose.Solve, StreamKey.Root(0), 0, "q") } } },
    };

    [Theory]
    [MemberData(nameof(PassedBy))]
    public void Read_WhatIsNoQuestion_IsPassedByWithTheReason(string reason, List<ChatMessage> messages, ChatOptions? options)
    {
        var read = Reader.Read(messages, options);
        Assert.Equal((null, reason), (read.Question, read.Bypass));
    }

    [Theory]
    [InlineData("n", 1)]
    [InlineData("logprobs", false)]
    [InlineData("top_logprobs", 0)]
    [InlineData("tools", null)]
    public void Read_OptionThatAsksForNothing_IsAQuestion(string name, object? value) =>
        Assert.NotNull(Reader.Read(Asked, new() { AdditionalProperties = new() { [name] = value } }).Question);

    [Fact]
    public void Read_FormatForASearchStepByStep_IsPassedBy()
    {
        var json = new ChatOptions { ResponseFormat = ChatResponseFormat.Json };
        Assert.Equal("a format that a search step by step cannot write", Reader.Read(Asked, json, PromptTask.Propose).Bypass);
        Assert.NotNull(Reader.Read(Asked, json).Question);
    }

    [Fact]
    public void Read_AnyConversations_HaveTheSameKeyOnlyIfTheyAreTheSame()
    {
        var texts = Gen.Elements("a?", "b?", "a? b?", "", " ", "[\"a?\"]");
        var turns = Gen.Choose(0, 3).SelectMany(n => texts.ArrayOf(n));
        Prop.ForAll(Arb.From(Gen.Zip(turns, turns)), pair =>
        {
            List<ChatMessage> Messages(string[] earlier) => [.. earlier.Select((t, i) => new ChatMessage(i % 2 == 0 ? ChatRole.User : ChatRole.Assistant, t)), new(ChatRole.User, "last?")];
            var same = pair.Item1.SequenceEqual(pair.Item2, StringComparer.Ordinal);
            return same == (QuestionKey.Of(Read(Messages(pair.Item1))) == QuestionKey.Of(Read(Messages(pair.Item2))));
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void New_OptionOutOfRange_IsRefused(int longest, int tokens) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ConversationReader(new() { LongestQuestion = longest, LeastOutputTokens = tokens }));
}
