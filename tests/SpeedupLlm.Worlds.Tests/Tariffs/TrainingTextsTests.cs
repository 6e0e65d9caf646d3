using System.Text.RegularExpressions;
using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Worlds.Tariffs;

namespace SpeedupLlm.Worlds.Tests.Tariffs;

public sealed class TrainingTextsTests
{
    private const int Many = 6000;
    private static readonly IWorld World = WorldCatalogue.Find("tariff")!;
    private static readonly PieceSplit Split = new(World.Pieces);
    private static readonly CompactPrompts Prompts = new();
    private static readonly List<TrainingText> Texts = [.. Enumerable.Range(0, Many).Select(i => World.Sample(StreamKey.Root(7), i, true))];

    [Fact]
    public void Sample_SameIndex_IsTheSameTextInAnyOrder()
    {
        Assert.Equal(Texts[17].Text, World.Sample(StreamKey.Root(7), 17, true).Text);
        Assert.Equal(Texts[17].Prompt.Messages[1].Text, World.Sample(StreamKey.Root(7), 17, true).Prompt.Messages[1].Text);
        Assert.NotEqual(Texts[17].Text, World.Sample(StreamKey.Root(8), 17, true).Text);
        var texts = new string[500];
        Parallel.For(0, 500, i => texts[499 - i] = World.Sample(StreamKey.Root(7), 499 - i, true).Text);
        Assert.Equal(Texts.Take(500).Select(t => t.Text), texts);
    }

    [Fact]
    public void Sample_AnyText_IsCoveredByPieces() => Assert.All(Texts, t =>
    {
        Assert.Empty(Split.Unknown(t.Text));
        Assert.All(PieceSplit.Sections(t.Prompt), s => Assert.Empty(Split.Unknown(s.Text)));
    });

    [Fact]
    public void Pieces_AreDistinctAndFew()
    {
        Assert.Equal(World.Pieces.Count, World.Pieces.Distinct(StringComparer.Ordinal).Count());
        Assert.InRange(World.Pieces.Count, 150, 400);
        Assert.All(World.Pieces, p => Assert.False(string.IsNullOrWhiteSpace(p)));
    }

    [Fact]
    public void Segments_MeetAtPieces() => Assert.All(Texts.Where(t => t.Target.Count > 1), t =>
    {
        var ends = new HashSet<int>();
        var at = 0;
        foreach (var piece in Split.Of(t.Text))
            ends.Add(at += piece.Length);
        var offset = 1; // the space that the tokenizer puts in front
        Assert.All(t.Target, s => Assert.Contains(offset += s.Text.Length, ends));
    });

    [Fact]
    public void Shares_AreAsDesigned()
    {
        double Of(params PromptTask[] tasks) => Texts.Count(t => tasks.Contains(t.Prompt.Task)) / (double)Many;
        Assert.Equal(CompactPrompts.Tasks.Order(), Texts.Select(t => t.Prompt.Task).Distinct().Order());
        Assert.True(Of(PromptTask.Guess, PromptTask.Think) > .3);
        Assert.True(Of(PromptTask.Reflect, PromptTask.ReflectSeveral, PromptTask.Update) > .16);
        Assert.True(Of(PromptTask.Verify) > .12);
        var guesses = Texts.Where(t => t.Prompt.Task == PromptTask.Guess).ToList();
        Assert.InRange(guesses.Count(t => Prompts.Final(t.Text) is null) / (double)guesses.Count, .38, .5);
        Assert.InRange(Texts.Average(t => Split.Tokens(t.Prompt) + Split.Of(t.Text).Count + 1), 140, 230);
        Assert.True(Texts.Max(t => Split.Tokens(t.Prompt) + Split.Of(t.Text).Count + 1) < 1024);
    }

    [Fact]
    public void Targets_EndWithinTheCapOfTheirPrompt() => Assert.All(Texts, t =>
        Assert.True(Split.Of(t.Text).Count + 1 <= t.Prompt.MaxOutputTokens, $"{t.Prompt.Task}: {t.Text}"));

    [Fact]
    public void Targets_AreReadByThePrompts() => Assert.All(Texts, t =>
    {
        switch (t.Prompt.Task)
        {
            case PromptTask.Value:
                Assert.NotNull(Prompts.ReadValue(t.Text).Value);
                break;
            case PromptTask.Compare:
                Assert.NotNull(Prompts.ReadVerdict(t.Text).Value);
                break;
            case PromptTask.Think:
                Assert.NotNull(Prompts.Final(t.Text));
                Assert.Matches(@"^Try [^.]+\. [^.]+ ok\. [^.]+ ok\. .*Answer (\d+|first|second)\.$", Prompts.Worked(t.Text));
                break;
            case PromptTask.Reflect:
            case PromptTask.ReflectSeveral:
            case PromptTask.Update:
                Assert.All(t.Text.Split('.', StringSplitOptions.RemoveEmptyEntries), l => Assert.NotNull(Tariff.Parse(l[(l.IndexOf("charge ", StringComparison.Ordinal) + 7)..])));
                break;
        }
    });

    [Fact]
    public void Think_TriesNoTariffTwice() => Assert.All(Texts.Where(t => t.Prompt.Task == PromptTask.Think), t =>
    {
        var tried = Tried(t.Text).ToList();
        Assert.Equal(tried.Count, tried.Distinct(StringComparer.Ordinal).Count());
    });

    [Fact]
    public void Think_LearnsOnlyTheLastTariff() => Assert.All(Texts.Where(t => t.Prompt.Task == PromptTask.Think), t =>
    {
        var learnt = string.Concat(t.Target.Where(s => s.Weight > 0).Select(s => s.Text));
        Assert.Equal(Tried(t.Text).Last(), Tried(learnt).Last());
        Assert.Equal(Tried(t.Text).Count() - 1, t.Target.Count(s => s.Weight == 0));
    });

    [Fact]
    public void HeldOut_TariffsNamesAndWordings_NeverOccur() => Assert.All(Texts.Take(2500), t =>
    {
        var all = t.Prompt.Messages[1].Text + " " + t.Text;
        Assert.All(Regex.Matches(all, @"charge ([^.]+)\.").Select(m => Tariff.Parse(m.Groups[1].Value)), tariff => Assert.False(tariff?.HeldOut));
        Assert.All(Regex.Matches(all, @"\b(?!Try )([A-Z][a-z]+)(?: [A-Z][a-z]+)? charge"), m => Assert.False(new InventedName(m.Groups[1].Value, null).HeldOut, m.Value));
        foreach (var (tag, text) in PieceSplit.Sections(t.Prompt))
            if (tag is CompactPrompts.Past or CompactPrompts.QuestionTag)
            {
                var read = Wordings.Read(text);
                Assert.True(read is { BillWording: < Wordings.Trained, AskWording: < Wordings.Trained }, text);
            }
    });

    [Fact]
    public void Novice_SeesNoMemoryInAttempts()
    {
        var novice = Enumerable.Range(0, 2000).Select(i => World.Sample(StreamKey.Root(7), i, false)).ToList();
        Assert.All(novice.Where(t => t.Prompt.Task is PromptTask.Guess or PromptTask.Think or PromptTask.Propose or PromptTask.Refine),
            t => Assert.DoesNotContain(PieceSplit.Sections(t.Prompt), s => s.Tag is CompactPrompts.Past or CompactPrompts.Lesson));
        Assert.Contains(novice, t => t.Prompt.Task == PromptTask.Reflect);
        Assert.Contains(Texts, t => t.Prompt.Task == PromptTask.Guess && PieceSplit.Sections(t.Prompt).Count > 4);
    }

    [Fact]
    public void Filler_OccursNowAndThen_AndIsCoveredByPieces()
    {
        Assert.Empty(Split.Unknown(Filler.Text));
        var solving = Texts.Where(t => t.Prompt.Task is PromptTask.Guess or PromptTask.Think).ToList();
        var filled = solving.Count(t => PieceSplit.Sections(t.Prompt).Exists(s => s.Tag == CompactPrompts.Lesson && !s.Text.Contains(" charge ", StringComparison.Ordinal)));
        Assert.InRange(filled / (double)solving.Count, .01, .05);
    }

    [Fact]
    public void Contexts_OfUpToTenHints_Occur()
    {
        var sizes = Enumerable.Range(0, 3000).Select(i =>
        {
            var random = new StreamRandom(StreamKey.Root(9).Child(i));
            return Regex.Matches(string.Join(' ', Context.Draw(random, TariffQuestion.Draw(random)).Hints.Select(h => h.Text + h.Answer)), " charge ").Count;
        }).ToList();
        Assert.Equal(10, sizes.Max());
        Assert.InRange(sizes.Count(s => s == 0) / 3000.0, .2, .4);
    }

    [Fact]
    public void Update_KeepsFourFirmsAndPutsTheLatestFirst() => Assert.All(Texts.Where(t => t.Prompt.Task == PromptTask.Update), t =>
    {
        var entries = t.Text.Split('.', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var sections = PieceSplit.Sections(t.Prompt);
        var old = sections[0].Text.Split('.', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.InRange(entries.Length, 1, 4);
        Assert.StartsWith($"Try {entries[0]}.", sections[^1].Text, StringComparison.Ordinal);
        var firm = entries[0][..entries[0].IndexOf(" charge", StringComparison.Ordinal)];
        Assert.Equal(old.Where(o => !o.StartsWith(firm + " charge", StringComparison.Ordinal)).Take(3), entries[1..]);
    });

    private static IEnumerable<string> Tried(string text) => Regex.Matches(text, @"charge ([^.]+)\.").Select(m => m.Groups[1].Value);
}
