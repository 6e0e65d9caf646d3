using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Worlds.Riddles;

namespace SpeedupLlm.Worlds.Tests.Riddles;

public sealed class RiddleTextsTests
{
    private const int Many = 3000;
    private static readonly CompactPrompts Prompts = new();

    private static readonly Dictionary<string, (IWorld World, PieceSplit Split, List<TrainingText> Texts)> Made = Books.All.ToDictionary(
        b => b.Name, b => new RiddleWorld(b) is var w ? ((IWorld)w, new PieceSplit(w.Pieces), Enumerable.Range(0, Many).Select(i => w.Sample(StreamKey.Root(7), i, true)).ToList()) : default, StringComparer.Ordinal);

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Sample_SameIndex_IsTheSameTextInAnyOrder(string name)
    {
        var (world, _, texts) = Made[name];
        var again = new string[300];
        Parallel.For(0, 300, i => again[299 - i] = world.Sample(StreamKey.Root(7), 299 - i, true).Text);
        Assert.Equal(texts.Take(300).Select(t => t.Text), again);
        Assert.NotEqual(texts[17].Text, world.Sample(StreamKey.Root(8), 17, true).Text);
    }

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Sample_AnyText_IsCoveredByDistinctPieces(string name)
    {
        var (world, split, texts) = Made[name];
        Assert.Equal(world.Pieces.Count, world.Pieces.Distinct(StringComparer.Ordinal).Count());
        Assert.InRange(world.Pieces.Count, 150, 400);
        Assert.Empty(split.Unknown(Filler.Text));
        Assert.All(texts, t =>
        {
            Assert.Empty(split.Unknown(t.Text));
            Assert.All(PieceSplit.Sections(t.Prompt), s => Assert.Empty(split.Unknown(s.Text)));
        });
    }

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Segments_MeetAtPieces(string name) => Assert.All(Made[name].Texts.Where(t => t.Target.Count > 1), t =>
    {
        var ends = new HashSet<int>();
        var at = 0;
        foreach (var piece in Made[name].Split.Of(t.Text))
            ends.Add(at += piece.Length);
        var offset = 1; // the space that the tokenizer puts in front
        Assert.All(t.Target, s => Assert.Contains(offset += s.Text.Length, ends));
    });

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Targets_EndWithinTheCapOfTheirPromptAndTheContext(string name)
    {
        var (_, split, texts) = Made[name];
        Assert.All(texts, t => Assert.True(split.Of(t.Text).Count + 1 <= t.Prompt.MaxOutputTokens, $"{t.Prompt.Task}: {t.Text}"));
        // training draws longer texts anew: they have to be few
        Assert.True(texts.Count(t => split.Tokens(t.Prompt) + split.Of(t.Text).Count + 1 > 900) <= .02 * texts.Count);
        Assert.InRange(texts.Average(t => split.Tokens(t.Prompt) + split.Of(t.Text).Count + 1), 100, 320);
    }

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Targets_AreReadByThePrompts(string name)
    {
        var texts = Made[name].Texts;
        Assert.Equal(CompactPrompts.Tasks.Order(), texts.Select(t => t.Prompt.Task).Distinct().Order());
        Assert.All(texts.Where(t => t.Prompt.Task == PromptTask.Value), t => Assert.NotNull(Prompts.ReadValue(t.Text).Value));
        Assert.All(texts.Where(t => t.Prompt.Task == PromptTask.Compare), t => Assert.NotNull(Prompts.ReadVerdict(t.Text).Value));
        Assert.All(texts.Where(t => t.Prompt.Task == PromptTask.Think), t => Assert.NotNull(Prompts.Final(t.Text)));
        var guesses = texts.Where(t => t.Prompt.Task == PromptTask.Guess).ToList();
        Assert.InRange(guesses.Count(t => Prompts.Final(t.Text) is null) / (double)guesses.Count, .33, .47);
    }

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void HeldOut_RulesNamesAndWordings_NeverOccur(string name)
    {
        var book = Books.Of(name);
        Assert.All(Made[name].Texts, t =>
        {
            foreach (var sentence in (t.Prompt.Messages[1].Text + " " + t.Text).Split('.'))
                if (sentence.Split($" {book.Verb} ") is [var before, var rule] && book.IsRule(rule))
                {
                    Assert.False(book.HeldOut(rule), rule);
                    Assert.DoesNotContain(before.Split(' ').Except(InventedName.Branches, StringComparer.Ordinal), word => word.Length > 3 && char.IsUpper(word[0]) && new InventedName(word, null).HeldOut);
                }

            foreach (var (tag, text) in PieceSplit.Sections(t.Prompt))
                if (tag is CompactPrompts.Past or CompactPrompts.QuestionTag)
                    Assert.True(book.Wordings.Read(text) is { ClueWording: < Wordings.Trained, AskWording: < Wordings.Trained }, text);
        });
    }

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Novice_SeesNoMemoryInAttempts(string name)
    {
        var (world, _, texts) = Made[name];
        static bool Remembers(TrainingText t) => PieceSplit.Sections(t.Prompt).Exists(s => s.Tag is CompactPrompts.Past or CompactPrompts.Lesson);
        static bool Solves(TrainingText t) => t.Prompt.Task is PromptTask.Guess or PromptTask.Think or PromptTask.Propose or PromptTask.Refine;
        Assert.DoesNotContain(Enumerable.Range(0, 500).Select(i => world.Sample(StreamKey.Root(7), i, false)), t => Solves(t) && Remembers(t));
        Assert.InRange(texts.Count(t => Solves(t) && Remembers(t)) / (double)texts.Count(Solves), .6, .9);
    }
}
