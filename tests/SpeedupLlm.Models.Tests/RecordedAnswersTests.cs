using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using SpeedupLlm.Testing;
using static System.FormattableString;

namespace SpeedupLlm.Models.Tests;

/// <summary>Answer sets: questions that carry their own recorded answers.</summary>
public sealed class RecordedAnswersTests : IDisposable
{
    private const string Sample = """
        {"question":"How much is 2 + 3?","answer":"5","candidates":[{"model":"a","text":"It is 5.","correct":true},{"text":"6","correct":false},{"text":"five"},{"text":""}]}

        {"question":"How much is 2 + 3? And doubled?","answer":10,"candidates":[{"text":"10"}]}
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_AnswerSet_GivesQuestionsAnswersAndLabels()
    {
        var set = RecordedAnswerSet.Load(_folder.File("set.jsonl", Sample));

        Assert.Equal(["How much is 2 + 3?", "How much is 2 + 3? And doubled?"], set.Questions.Select(q => q.Text));
        Assert.Equal(["5", "10"], set.Questions.Select(q => q.Answer));
        Assert.Equal([new("It is 5.", true, "a"), new("6", false, null), new("five", null, null), new("", null, null)], set.Questions[0].Candidates);
        Assert.Equal((1, 3), (set.Questions[0].Line, set.Questions[1].Line));
        Assert.Equal(Question.FromText("How much is 2 + 3?").Id, set.Questions[0].Id);
    }

    [Fact]
    public async Task GetResponseAsync_Draws_TakeEveryCandidateOnceInTheSeedsOrder()
    {
        var set = RecordedAnswerSet.Load(_folder.File("set.jsonl", Sample));
        var orders = new HashSet<string>(StringComparer.Ordinal);
        for (var seed = 0; seed < 30; seed++)
        {
            using var model = new RecordedAnswers(set, StreamKey.Root(seed));
            using var again = new RecordedAnswers(set, StreamKey.Root(seed));
            var texts = new List<string>();
            foreach (var draw in new[] { 3, 1, 0, 2 })
            {
                var text = (await model.GetResponseAsync([new(ChatRole.User, "How much is 2 + 3?")], Options(draw))).Text;
                Assert.Equal(text, (await again.GetStreamingResponseAsync([new(ChatRole.User, "any words")], Options(draw, set.Questions[0].Id)).ToChatResponseAsync()).Text);
                Assert.Equal(text, set.Questions[0].Candidates[model.OrderOf(set.Questions[0])[draw]].Text);
                texts.Add(text);
            }
            Assert.Equal(["", "6", "It is 5.", "five"], texts.Order(StringComparer.Ordinal));
            orders.Add(string.Join('|', texts));
        }
        // 24 orders are possible; 30 seeds that gave one or two would be no shuffle
        Assert.InRange(orders.Count, 10, 24);
    }

    [Fact]
    public async Task GetResponseAsync_WithoutCallInfo_CountsDrawsItself()
    {
        using var model = new RecordedAnswers(RecordedAnswerSet.Load(_folder.File("set.jsonl", Sample)), StreamKey.Root(1));
        var texts = new List<string>();
        for (var i = 0; i < 4; i++)
            texts.Add((await model.GetResponseAsync([new(ChatRole.User, "How much is 2 + 3?")])).Text);

        Assert.Equal(["", "6", "It is 5.", "five"], texts.Order(StringComparer.Ordinal));
        await Assert.ThrowsAsync<UnrecordedCallException>(() => model.GetResponseAsync([new(ChatRole.User, "How much is 2 + 3?")]));
    }

    [Theory]
    [InlineData("Solve this.\n\nHow much is 2 + 3?\n\nAnswer:", 4)]
    [InlineData("Solve: How  much is 2 + 3?\nAnd doubled? Think.", 1)]
    public async Task GetResponseAsync_QuestionInsideAPrompt_IsFoundAndTheLongestWins(string prompt, int candidates)
    {
        using var model = new RecordedAnswers(RecordedAnswerSet.Load(_folder.File("set.jsonl", Sample)), StreamKey.Root(1));

        await model.GetResponseAsync([new(ChatRole.System, "How much is 2 + 3?"), new(ChatRole.User, prompt)], Options(candidates - 1));
        await Assert.ThrowsAsync<UnrecordedCallException>(() => model.GetResponseAsync([new(ChatRole.User, prompt)], Options(candidates)));
    }

    [Fact]
    public async Task GetResponseAsync_WhatItCannotAnswer_IsSaidInOneLine()
    {
        var file = _folder.File("set.jsonl", Sample);
        using var model = new RecordedAnswers(RecordedAnswerSet.Load(file), StreamKey.Root(1));
        async Task<string> Message(string text, ChatOptions options) =>
            (await Assert.ThrowsAsync<UnrecordedCallException>(() => model.GetResponseAsync([new(ChatRole.User, text)], options))).Message;

        Assert.Equal($"{file} has no answers to “What is love?”.", await Message("What is\nlove?", Options(0)));
        Assert.Equal($"{file}:3: the question has 1 answers, and number 2 is asked for.", await Message("How much is 2 + 3? And doubled?", Options(1)));
        Assert.Contains("it cannot judge", await Message("How much is 2 + 3?", Options(0, purpose: CallPurpose.Score)), StringComparison.Ordinal);
        Assert.Contains("it cannot write lessons", await Message("How much is 2 + 3?", Options(0, purpose: CallPurpose.Learn)), StringComparison.Ordinal);
        Assert.Contains("without memory", await Message("How much is 2 + 3?", Options(0, adapter: new("a", "m"))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_EitherKind_IsDetected()
    {
        using var answers = RecordedModel.Open(_folder.File("set.jsonl", "\n" + Sample), StreamKey.Root(1));
        Assert.NotNull(answers.GetService<RecordedAnswerSet>());
        Assert.False(answers.GetService<ModelTraits>()!.Adapters);

        var file = _folder.File("run.jsonl");
        using (var recorder = new Recorder(new ChanceModel(), file))
            await recorder.GetResponseAsync([new(ChatRole.User, "q")]);
        using var calls = RecordedModel.Open(file, StreamKey.Root(1));
        Assert.IsType<RecordedCalls>(calls);
        Assert.Null(calls.GetService<RecordedAnswerSet>());
        Assert.Throws<FileNotFoundException>(() => RecordedModel.Open(_folder.File("none.jsonl"), StreamKey.Root(1)));
    }

    /// <summary>The real answers beside the repository, where they are; else the sample.</summary>
    [Fact]
    public async Task GetResponseAsync_FirstDraws_AreAFairSampleOfTheLabels()
    {
        var (file, least, most) = Repository.SharedData("gsm8k-recorded.jsonl") is { } shared ? (shared, 0.60, 0.626) : (_folder.File("set.jsonl", Sample), 0.0, 1.0);
        var set = RecordedAnswerSet.Load(file);
        var right = 0;
        for (var seed = 0; seed < 5; seed++)
        {
            using var model = new RecordedAnswers(set, StreamKey.Root(seed));
            foreach (var question in set.Questions)
            {
                var first = question.Candidates[model.OrderOf(question)[0]];
                Assert.Equal(first.Text, (await model.GetResponseAsync([new(ChatRole.User, question.Text)])).Text);
                right += first.Correct == true ? 1 : 0;
            }
        }
        // the data's own description says 0.613 for the first answer alone
        Assert.InRange(right / (5.0 * set.Questions.Count), least, most);
    }

    [Theory]
    [InlineData("{\"question\":\"a\",\"answer\":\"1\",\"candidates\":[{\"text\":\"x\"}]}\n{\"question\":\"b\",", 2, "(byte")]
    [InlineData("{\"question\":\"a\"}", 1, "answer: it is missing")]
    [InlineData("{\"question\":\" \",\"answer\":\"1\",\"candidates\":[]}", 1, "question: it is empty")]
    [InlineData("{\"question\":[],\"answer\":\"1\",\"candidates\":[]}", 1, "question: it is no text")]
    [InlineData("{\"question\":\"a\",\"answer\":\"1\",\"candidates\":[]}", 1, "candidates: a list with at least one answer is missing")]
    [InlineData("{\"question\":\"a\",\"answer\":\"1\",\"candidates\":[{\"text\":\"x\"},{\"txt\":\"x\"}]}", 1, "candidates[1].text: it is missing")]
    [InlineData("{\"question\":\"a\",\"answer\":\"1\",\"candidates\":[{\"text\":\"x\",\"correct\":\"yes\"}]}", 1, "candidates[0].correct: it is neither true nor false")]
    [InlineData("{\"question\":\"a\",\"answer\":\"1\",\"candidates\":[\"x\"]}", 1, "candidates[0].text: it is missing")]
    [InlineData("{\"question\":\"a\",\"answer\":\"1\",\"candidates\":[{\"text\":\"x\"}]}\n\n{\"question\":\"a\",\"answer\":\"2\",\"candidates\":[{\"text\":\"x\"}]}", 3, "question: it stands in line 1 already")]
    public void Load_MalformedFile_NamesFileLineAndField(string content, int line, string expected)
    {
        var file = _folder.File("bad.jsonl", content);

        var e = Assert.Throws<InvalidDataException>(() => RecordedModel.Open(file, StreamKey.Root(1)));

        Assert.StartsWith(Invariant($"{file}:{line}: "), e.Message, StringComparison.Ordinal);
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    private static ChatOptions Options(int draw, string question = "?", CallPurpose purpose = CallPurpose.Solve, AdapterRef? adapter = null) => new()
    {
        AdditionalProperties = new() { [CallInfo.Key] = new CallInfo(purpose, StreamKey.Root(draw), draw, question, adapter) },
    };
}
