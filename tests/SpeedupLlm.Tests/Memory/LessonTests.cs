using Microsoft.Extensions.AI;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Tests.Memory;

public sealed class LessonTests
{
    [Fact]
    public async Task Reflect_EachEpisode_WritesOneLesson()
    {
        var all = new Remembering();
        var memory = new Reflect(new() { Lessons = 2 });
        for (var i = 1; i <= 3; i++)
            await all.LiveAsync(memory, all.Episode(i));
        Assert.Equal([PromptTask.Reflect, PromptTask.Reflect, PromptTask.Reflect], all.Asked.Select(a => a.Prompt.Task));
        var documents = await all.Watched.DocumentsAsync();
        Assert.Equal(["Lesson: mark1.", "Lesson: mark2.", "Lesson: mark3."], documents.Select(d => d.Text));
        Assert.All(documents, d => Assert.Equal("lesson", d.Kind));
        var recalled = await all.RecallAsync(memory, "What do 2 parcels of firm2 cost?");
        Assert.Equal(2, recalled.Hints.Count);
        Assert.Equal(new Hint(HintKind.Lesson, "Lesson: mark2.", null, "lesson:reflect/episode-002"), recalled.Hints[^1]);
    }

    [Fact]
    public async Task Reflect_SameLessonAgain_IsRecalledOnce()
    {
        var all = new Remembering { Script = _ => new("Firm one charges two.", ChatFinishReason.Stop, 4) };
        var memory = new Reflect();
        for (var i = 1; i <= 12; i++)
            await all.LiveAsync(memory, all.Episode(i, "red green"));
        Assert.Single((await all.RecallAsync(memory, "red green")).Hints);
    }

    [Fact]
    public async Task MultiReflect_LastEpisodes_WritesOneLessonFromThem()
    {
        var all = new Remembering();
        var memory = new MultiReflect();
        for (var i = 1; i <= 5; i++)
            await all.LiveAsync(memory, all.Episode(i));
        Assert.Equal([PromptTask.Reflect, PromptTask.ReflectSeveral, PromptTask.ReflectSeveral, PromptTask.ReflectSeveral, PromptTask.ReflectSeveral],
            all.Asked.Select(a => a.Prompt.Task));
        var last = (await all.Watched.DocumentsAsync())[^1];
        Assert.Equal(("lesson", "Lesson: mark3 mark4 mark5."), (last.Kind, last.Text));
        Assert.Equal(["episode-003", "episode-004", "episode-005"], last.Sources);
        var square = last.Embedding.ToArray().Sum(x => x * x);
        Assert.Equal(1, square, 4);
    }

    [Fact]
    public async Task MultiReflect_GrowingLessons_RecallsTheFullest()
    {
        var all = new Remembering();
        var memory = new MultiReflect();
        for (var i = 1; i <= 3; i++)
            await all.LiveAsync(memory, all.Episode(i, "red green " + i));
        // the question is nearest to the first lesson, which the last one contains
        var hint = Assert.Single((await all.RecallAsync(memory, "red green 1")).Hints);
        Assert.Equal("Lesson: mark1 mark2 mark3.", hint.Text);
    }

    [Fact]
    public async Task ReflectUpdate_EachEpisode_RevisesTheStoredLesson()
    {
        var all = new Remembering();
        var memory = new ReflectUpdate();
        for (var i = 1; i <= 3; i++)
            await all.LiveAsync(memory, all.Episode(i));
        Assert.All(all.Asked, a => Assert.Equal(PromptTask.Update, a.Prompt.Task));
        Assert.Contains("Lesson: mark1 mark2.", all.Asked[^1].Prompt.Messages[^1].Text, StringComparison.Ordinal);
        var document = Assert.Single(await all.Watched.DocumentsAsync());
        Assert.Equal(("running-lesson", "Lesson: mark1 mark2 mark3."), (document.Kind, document.Text));
        Assert.Equal(["episode-001", "episode-002", "episode-003"], document.Sources);
        Assert.Equal("running-lesson:current", Assert.Single((await all.RecallAsync(memory, "anything at all")).Hints).Source);
    }

    [Fact]
    public async Task ReflectUpdate_LongLesson_StaysBounded()
    {
        // the writer repeats the lesson and adds to it each time
        var all = new Remembering { Script = p => new(string.Concat(Enumerable.Range(0, 60).Select(i => FormattableString.Invariant($"Firm {i} charges {i * 7}. "))), ChatFinishReason.Stop, 9) };
        var memory = new ReflectUpdate(new() { MaximumCharacters = 200 });
        for (var i = 1; i <= 30; i++)
        {
            await all.LiveAsync(memory, all.Episode(i));
            var text = Assert.Single(await all.Watched.DocumentsAsync()).Text;
            Assert.InRange(text.Length, 100, 200);
            Assert.EndsWith(".", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ReflectUpdate_EpisodeForgotten_IsWrittenAnewFromTheRest()
    {
        var all = new Remembering();
        var memory = new ReflectUpdate();
        for (var i = 1; i <= 5; i++)
            await all.LiveAsync(memory, all.Episode(i));
        await all.Store.ForgetAsync("tenant", "episode-002", CancellationToken.None);
        Assert.Empty((await all.RecallAsync(memory, "anything")).Hints);
        await all.LiveAsync(memory, all.Episode(6));
        Assert.Equal("Lesson: mark4 mark5 mark6.", Assert.Single(await all.Watched.DocumentsAsync()).Text);
    }

    [Fact]
    public async Task ReflectUpdate_ManyEpisodes_SourcesStayBounded()
    {
        var all = new Remembering();
        var memory = new ReflectUpdate(new() { MaximumSources = 4, BeginFrom = 2 });
        for (var i = 1; i <= 20; i++)
        {
            await all.LiveAsync(memory, all.Episode(i));
            var document = Assert.Single(await all.Watched.DocumentsAsync());
            Assert.InRange(document.Sources.Count, 1, 4);
            Assert.Equal(document.Sources.Select(s => "mark" + int.Parse(s[^3..], System.Globalization.CultureInfo.InvariantCulture)), document.Text["Lesson: ".Length..^1].Split(' '));
        }
    }

    [Fact]
    public async Task ReflectUpdate_RevisionGarbled_KeepsTheLesson()
    {
        var all = new Remembering();
        var memory = new ReflectUpdate();
        await all.LiveAsync(memory, all.Episode(1));
        all.Script = _ => new("", ChatFinishReason.Stop, 0);
        await all.LiveAsync(memory, all.Episode(2));
        var document = Assert.Single(await all.Watched.DocumentsAsync());
        Assert.Equal(("Lesson: mark1.", 1), (document.Text, document.Sources.Count));
    }

    [Fact]
    public async Task ReflectUpdate_AlwaysOvertaken_SaysSo()
    {
        var all = new Remembering();
        var rival = 100;
        all.Watched.BeforePut = async d =>
        {
            // somebody else writes between reading and writing, every time
            var held = await all.Store.GetAsync(d.Scope, d.Kind, d.Key, CancellationToken.None);
            var before = all.Watched.BeforePut;
            all.Watched.BeforePut = null;
            await all.Store.PutAsync(d with { Version = held?.Version ?? 0, Text = $"Rival {rival++}.", Sources = [] }, CancellationToken.None);
            all.Watched.BeforePut = before;
        };
        var conflict = await Assert.ThrowsAsync<MemoryConflictException>(() => all.LiveAsync(new ReflectUpdate(), all.Episode(1)));
        Assert.Equal("reflect-update", conflict.Memory);
        // each try is a sample of its own
        Assert.Equal(conflict.Rounds, all.Asked.Select(a => a.Stream).Distinct().Count());
    }

    [Theory]
    [InlineData("One. Two. Three.", 10, "One. Two.")]
    [InlineData("It costs 3.5 and more", 12, "It costs 3.5")]
    [InlineData("It costs 3.5 and more", 11, "It costs")]
    [InlineData("One two", 100, "One two")]
    [InlineData("第一句。第二句。", 5, "第一句。")]
    [InlineData("Unbreakable", 5, null)]
    public void Bound_LongText_EndsWithASentenceOrWord(string text, int most, string? expected) => Assert.Equal(expected, LessonText.Bound(text, most));

    [Fact]
    public void Read_ControlCharacters_AreRemoved() =>
        Assert.Equal("Multiply first.\nThen add.", LessonText.Read(new("<think>x</think> Multiply\u0007 first.\r\nThen add.\u001b", ChatFinishReason.Stop, 3), 100));

    [Fact]
    public void New_OptionsOutOfRange_Throw()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Reflect(new() { Lessons = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Reflect(new() { MaximumCharacters = 39 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MultiReflect(new() { Episodes = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ReflectUpdate(new() { BeginFrom = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ReflectUpdate(new() { MaximumSources = 0 }));
    }
}
