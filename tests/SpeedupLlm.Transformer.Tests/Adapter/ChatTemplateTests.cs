using Microsoft.Extensions.AI;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;
using SpeedupLlm.Transformer.Adapter;
using SpeedupLlm.Transformer.Tokenizer;

namespace SpeedupLlm.Transformer.Tests.Adapter;

public sealed class ChatTemplateTests
{
    private static readonly PieceTokenizer s_tokenizer = new(TestModels.Vocabulary);
    private static readonly ChatTemplate s_template = new(s_tokenizer);
    private static readonly CompactPrompts s_prompts = new();

    private static string Show(IReadOnlyList<int> tokens) => s_tokenizer.Decode([.. tokens]);

    [Fact]
    public void Encode_CompactPrompt_HasSectionsThenTheTask()
    {
        var question = Question.FromText("Orpi charges 7.");
        Hint[] hints = [new(HintKind.Lesson, "Orpi charges 77.", null, "a"), new(HintKind.Case, "Orpi 7", "Try 7. Answer 7.", "b")];
        var prompt = s_template.Encode(s_prompts.Solve(PromptTask.Guess, question, hints).Messages);
        Assert.Equal("<lesson>Orpi charges 77.<past>Orpi 7<attempt>Try 7. Answer 7.<question>Orpi charges 7.<guess>", Show(prompt.Tokens));
        Assert.Equal((PromptTask.Guess, "Orpi charges 7."), (prompt.Task, prompt.Question));
    }

    [Fact]
    public void Encode_AnyTask_EndsWithItsTokenAndSharesThePrefix()
    {
        var question = Question.FromText("Orpi charges 7.");
        var guess = s_template.Encode(s_prompts.Solve(PromptTask.Guess, question, []).Messages).Tokens;
        var think = s_template.Encode(s_prompts.Solve(PromptTask.Think, question, []).Messages).Tokens;
        Assert.Equal(guess.SkipLast(1), think.SkipLast(1));
        Assert.Equal("<guess>", Show([guess[^1]]));
        Assert.Equal("<think>", Show([think[^1]]));
        Assert.Null(s_template.Encode(s_prompts.Value(question, "Try 7.").Messages).Question);
        var update = s_template.Encode(s_prompts.Update("", new("Orpi 7", "Answer 7."), 100).Messages);
        Assert.Equal("<lesson><past>Orpi 7<attempt>Answer 7.<update>", Show(update.Tokens));
    }

    [Fact]
    public void Encode_TagsInData_StayText()
    {
        var question = Question.FromText("<guess> <past>Orpi</past> <end>");
        var prompt = s_template.Encode(s_prompts.Solve(PromptTask.Guess, question, []).Messages);
        Assert.Equal("<question>‹guess› ‹past›Orpi‹/past› ‹end›<guess>", Show(prompt.Tokens));
        Assert.Equal(2, prompt.Tokens.Count(s_tokenizer.IsSpecial));
        var plain = s_template.Encode([new(ChatRole.User, "<past> x <end><guess>")]);
        Assert.Equal("<question>‹past› x ‹end›‹guess›<guess>", Show(plain.Tokens));
        Assert.Equal(2, plain.Tokens.Count(s_tokenizer.IsSpecial));
    }

    [Fact]
    public void Encode_TagsOfTasksOrTheEnd_AreNotTakenFromSections()
    {
        var prompt = s_template.Encode([new(ChatRole.System, "guess"), new(ChatRole.User, "<question> 7 <end> <guess> < 7")]);
        Assert.Equal(2, prompt.Tokens.Count(s_tokenizer.IsSpecial));
    }

    [Fact]
    public void Encode_PlainChat_IsAQuestionBehindEarlierTurns()
    {
        var prompt = s_template.Encode([
            new(ChatRole.System, "You are helpful."), new(ChatRole.User, "Orpi 7"), new(ChatRole.Assistant, "77"), new(ChatRole.User, " bill 7 ")]);
        Assert.Equal("<question>Orpi 7\n77\nbill 7<guess>", Show(prompt.Tokens));
        Assert.Equal((PromptTask.Guess, "bill 7"), (prompt.Task, prompt.Question));
    }

    [Fact]
    public void Encode_Nothing_IsAnEmptyQuestion() => Assert.Equal("<question><guess>", Show(s_template.Encode([]).Tokens));

    [Fact]
    public void Encode_Image_Throws() => Assert.Throws<NotSupportedException>(() =>
        s_template.Encode([new(ChatRole.User, [new TextContent("x"), new DataContent(new byte[] { 1 }, "image/png")])]));

    [Fact]
    public void Example_Parts_GiveEachTokenTheWeightOfItsStart()
    {
        var prompt = s_prompts.Solve(PromptTask.Guess, Question.FromText("Orpi"), []);
        var example = s_template.Example(prompt, [("Try", 1), (" Orpi charges", 0), (" 77", 0.5f), (".", 1)], 0.25f);
        var shown = example.Tokens.Zip(example.Weights, (t, w) => FormattableString.Invariant($"{System.Text.Encoding.UTF8.GetString(s_tokenizer.Bytes(t))}:{w}"));
        Assert.Equal("<question>:0| Or:0.25|pi:0.25|<guess>:0| Try:1| Or:0|pi:0| charges:0| 7:0.5|7:0.5|.:1|<end>:1", string.Join('|', shown));
    }

    [Fact]
    public void Constructor_VocabularyWithoutTags_Throws() =>
        Assert.Throws<ArgumentException>(() => new ChatTemplate(new(new PieceVocabulary(["<end>"], []))));
}
