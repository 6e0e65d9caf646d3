using System.Text;
using System.Text.Json;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;

namespace SpeedupLlm.Tests.Memory;

public sealed class SftTests
{
    private static string Answer(int i) => FormattableString.Invariant($"Try mark{i}. Answer {i}.");

    [Fact]
    public async Task Learn_EachEpisode_TrainsFromScratchOnTheLast()
    {
        var all = new Remembering();
        var memory = new Sft(new() { LastEpisodes = 3 });
        for (var i = 1; i <= 5; i++)
            await all.LiveAsync(memory, all.Episode(i));
        Assert.Equal(5, all.FakeTrainer.Runs.Count);
        var recalled = await all.RecallAsync(memory, "anything");
        Assert.Equal([Answer(3), Answer(4), Answer(5)], FakeTrainer.Targets(recalled.Weights!));
        Assert.StartsWith("\u001e", recalled.Weights!.Id, StringComparison.Ordinal); // from no other adapter
        Assert.Empty(recalled.Hints);
        var document = Assert.Single(await all.Watched.DocumentsAsync());
        Assert.Equal(("adapter", "guess"), (document.Kind, document.Key));
        Assert.Equal(["episode-003", "episode-004", "episode-005"], document.Sources);
        Assert.Equal([100L, 200, 300, 300, 300], all.Charges.Select(c => c.Trained));
        Assert.All(all.Charges, c => Assert.Equal(CallPurpose.Train, c.Purpose));
    }

    [Fact]
    public async Task Learn_SameCasesWhoeverLearns_GivesTheSameAdapter()
    {
        var one = new Remembering { Stream = StreamKey.Root(1) };
        var other = new Remembering { Stream = StreamKey.Root(2) };
        for (var i = 1; i <= 3; i++)
            await one.LiveAsync(new Sft(), one.Episode(i));
        for (var i = 1; i <= 3; i++)
            await other.Store.AppendAsync(other.Episode(i), CancellationToken.None);
        await new Sft().LearnAsync(other.Episode(3), other, CancellationToken.None);
        Assert.Single(other.FakeTrainer.Runs);
        Assert.Equal((await one.RecallAsync(new Sft(), "q")).Weights, (await other.RecallAsync(new Sft(), "q")).Weights);
    }

    [Fact]
    public async Task Learn_SameQuestionAnsweredAgain_TrainsOnlyWhenTheAnswerChanges()
    {
        var all = new Remembering();
        var memory = new Sft();
        for (var i = 1; i <= 4; i++)
            await all.LiveAsync(memory, all.Episode(i, "red green", answer: FormattableString.Invariant($"Way {i}. Answer 4.")) with { Final = i % 2 == 0 ? "4" : "4.0" });
        Assert.Single(all.FakeTrainer.Runs);
        Assert.Single(all.Charges);
        await all.LiveAsync(memory, all.Episode(5, "red green", answer: "Way 5. Answer 5.") with { Final = "5" });
        Assert.Equal(["Way 5. Answer 5."], FakeTrainer.Targets((await all.RecallAsync(memory, "q")).Weights!));
        await all.LiveAsync(memory, all.Episode(6, "red green", Verdict.Verified, "Way 6. Answer 4.") with { Final = "4" });
        await all.LiveAsync(memory, all.Episode(7, "red green", answer: "Way 7. Answer 5.") with { Final = "5" });
        Assert.Equal(["Way 6. Answer 4."], FakeTrainer.Targets((await all.RecallAsync(memory, "q")).Weights!));
        Assert.Equal(3, all.FakeTrainer.Runs.Count);
    }

    [Fact]
    public async Task Recall_OtherEntry_HasItsOwnAdapter()
    {
        var all = new Remembering();
        var memory = new Sft();
        await all.LiveAsync(memory, all.Episode(1));
        all.Entry = PromptTask.Think;
        Assert.Null((await all.RecallAsync(memory, "q")).Weights);
        await all.LiveAsync(memory, all.Episode(2));
        Assert.NotNull((await all.RecallAsync(memory, "q")).Weights);
        Assert.Equal(PromptTask.Think, all.FakeTrainer.Runs[^1][0].Prompt.Task);
        Assert.Equal(2, (await all.Watched.DocumentsAsync()).Count);
    }

    /// <summary>Lives twelve episodes with a loss, and gives the marks that the stored adapter was trained on.</summary>
    private static async Task<(Remembering All, IReadOnlyList<string> Targets)> LiveWithLossAsync(
        Func<IReadOnlyList<string>, IReadOnlyList<string>, double>? loss, int episodes = 12)
    {
        var all = new Remembering();
        all.FakeTrainer.Loss = loss;
        var memory = new Sft();
        for (var i = 1; i <= episodes; i++)
            await all.LiveAsync(memory, all.Episode(i));
        return (all, (await all.RecallAsync(memory, "q")).Weights is { } weights ? FakeTrainer.Targets(weights) : []);
    }

    [Fact]
    public async Task Learn_EnoughQuestions_HoldsSomeOutOfTraining()
    {
        var (all, targets) = await LiveWithLossAsync((trained, _) => trained.Count == 0 ? 2 : 1);
        Assert.InRange(targets.Count, 6, 11);
        // no question is ever on both sides, and what was measured is paid
        Assert.NotEqual(0, all.FakeTrainer.Measured);
        Assert.Contains(all.Charges, c => c is { Purpose: CallPurpose.Train, Input: > 0, Trained: 0 });
        foreach (var run in all.FakeTrainer.Runs.TakeLast(4))
            Assert.DoesNotContain(run, p => !targets.Contains(p.Target) && !all.FakeTrainer.Runs[^1].Select(q => q.Target).Contains(p.Target));
    }

    [Fact]
    public async Task Learn_TrainerCannotMeasure_TrainsOnAll()
    {
        var (all, targets) = await LiveWithLossAsync(null);
        Assert.Equal(12, targets.Count);
        Assert.DoesNotContain(all.Charges, c => c.Input > 0);
    }

    [Fact]
    public async Task Learn_HeldOutLossRises_RollsBack()
    {
        // each case more makes it worse from the tenth on
        var (_, targets) = await LiveWithLossAsync((trained, _) => trained.Count == 0 ? 5 : trained.Contains(Answer(12)) || trained.Contains(Answer(11)) ? 4 : 1);
        Assert.DoesNotContain(Answer(11), targets);
        Assert.DoesNotContain(Answer(12), targets);
        Assert.Contains(Answer(1), targets);
    }

    [Fact]
    public async Task Learn_WorseThanTheModelsOwnWeights_UsesNone()
    {
        var (all, targets) = await LiveWithLossAsync((trained, _) => trained.Count == 0 ? 1 : 2);
        Assert.Empty(targets);
        var document = Assert.Single(await all.Watched.DocumentsAsync());
        Assert.True(document.Content.IsEmpty);
        Assert.Empty(document.Sources);
    }

    [Fact]
    public async Task Learn_LossWithinTolerance_KeepsTheNewer()
    {
        var (_, targets) = await LiveWithLossAsync((trained, _) => trained.Count == 0 ? 1 : 1.01);
        Assert.NotEmpty(targets);
    }

    [Fact]
    public async Task Learn_LossIsNaN_UsesNone()
    {
        var (_, targets) = await LiveWithLossAsync((trained, _) => trained.Count == 0 ? 1 : double.NaN);
        Assert.Empty(targets);
    }

    [Fact]
    public void Require_ModelWithoutTrainer_ThrowsUnlessExported()
    {
        var model = new ModelTraits("endpoint/gpt", 8192, true, true, false);
        var refused = Assert.Throws<MemoryNotSupportedException>(() => new Sft().Require(model, null));
        Assert.Equal("sft", refused.Memory);
        Assert.Contains("endpoint/gpt", refused.Message, StringComparison.Ordinal);
        new Sft(new() { ExportFile = "pairs.jsonl" }).Require(model, null);
        new Sft().Require(model, new FakeTrainer("m"));
    }

    [Fact]
    public async Task Learn_ExportFile_HoldsTheCasesThatAreKept()
    {
        var folder = Directory.CreateTempSubdirectory("sft");
        try
        {
            var file = Path.Combine(folder.FullName, "pairs.jsonl");
            var all = new Remembering { Trainer = null };
            var memory = new Sft(new() { ExportFile = file, LastEpisodes = 3 });
            for (var i = 1; i <= 4; i++)
                await all.LiveAsync(memory, all.Episode(i, answer: FormattableString.Invariant($"Mark \"{i}\"\nこんにちは. Answer {i}.")));
            await all.Store.ForgetAsync("tenant", "episode-003", CancellationToken.None);
            await all.LiveAsync(memory, all.Episode(5));
            var lines = await File.ReadAllLinesAsync(file);
            Assert.Equal(3, lines.Length);
            var messages = lines.Select(l => JsonDocument.Parse(l).RootElement.GetProperty("messages").EnumerateArray().ToList()).ToList();
            Assert.All(messages, m => Assert.Equal(["system", "user", "assistant"], m.Select(x => x.GetProperty("role").GetString())));
            Assert.Equal("Mark \"2\"\nこんにちは. Answer 2.", messages[0][2].GetProperty("content").GetString());
            Assert.DoesNotContain("Mark \\\"3", string.Concat(lines), StringComparison.Ordinal);
            Assert.Equal([file], Directory.GetFiles(folder.FullName));
            Assert.Null((await all.RecallAsync(memory, "q")).Weights);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Recall_BytesOfAnotherModel_Throws()
    {
        var all = new Remembering();
        await all.Store.PutAsync(new()
        {
            Kind = Sft.Kind,
            Key = "guess",
            Scope = all.Scope,
            Content = Encoding.UTF8.GetBytes("another\u001eadapter"),
            At = Remembering.Start,
        }, CancellationToken.None);
        await Assert.ThrowsAsync<InvalidDataException>(async () => await all.RecallAsync(new Sft(), "q"));
    }

    [Fact]
    public void New_OptionsOutOfRange_Throw()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sft(new() { LastEpisodes = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sft(new() { HoldOutFrom = 1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sft(new() { HoldOutEvery = 1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sft(new() { LossTolerance = double.NaN }));
        Assert.Throws<ArgumentException>(() => new Sft(new() { ExportFile = " " }));
    }
}
