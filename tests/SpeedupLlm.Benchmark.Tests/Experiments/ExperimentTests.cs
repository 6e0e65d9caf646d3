using System.Globalization;
using System.Text.Json;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Benchmark.Statistics;
using SpeedupLlm.Benchmark.Tests.Results;
using SpeedupLlm.Memory;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Benchmark.Tests.Experiments;

public sealed class ExperimentTests : IDisposable
{
    private readonly Runs _runs = new();

    public void Dispose() => _runs.Dispose();

    [Fact]
    public async Task Run_PaperGrid_Has96CellsWhoseFilesAgree()
    {
        var folder = _runs.Folder("grid");
        var summary = await Runs.Make(Runs.Quick, folder).RunAsync(resume: false, CancellationToken.None);

        Assert.Equal(96, summary.Cells.Count);
        Assert.Equal(80, summary.Overall.Cells);
        Assert.Equal(8, summary.Findings.Count);
        var trials = TrialFile.Read(folder.TrialsPath);
        Assert.Equal(96 * 3 * 3, trials.Count);
        Assert.All(trials, t => Assert.Null(t.Error));
        foreach (var line in File.ReadLines(folder.TrialsPath).Take(300))
            await Schemas.AssertValidAsync("trial", line);
        await Schemas.AssertValidAsync("summary", await File.ReadAllTextAsync(folder.SummaryPath));
        await Schemas.AssertValidAsync("manifest", await File.ReadAllTextAsync(folder.ManifestPath));
        await Schemas.AssertValidAsync("relevancy", await File.ReadAllTextAsync(folder.RelevancyPath));

        var rows = (await File.ReadAllLinesAsync(folder.CellsPath)).Select(r => r.Split(',')).ToList();
        foreach (var (cell, row) in summary.Cells.Zip(rows.Skip(1)))
        {
            await Schemas.AssertValidAsync("cell-row", JsonSerializer.Serialize(rows[0].Zip(row).ToDictionary(p => p.First, p => p.Second)));
            var own = trials.Where(t => t.Level > 0 && t.Cell == new CellKey(cell.Similarity, cell.Scaling, cell.Memory)).ToList();
            var without = trials.Where(t => t.Level > 0 && t.Cell == new CellKey(cell.Similarity, cell.Scaling, "none")).ToList();
            Assert.Equal(6, own.Count);
            Assert.Equal(own.Count, cell.Trials);
            Assert.Equal(own.Count(t => t.Accepted), cell.Accepted);
            Assert.Equal((double)own.Average(t => t.Operations), cell.Operations.WithMemory!.Value, 9);
            Assert.Equal(1 - (double)own.Sum(t => t.FullCost) / (double)without.Sum(t => t.FullCost), cell.FullCost.Reduction!.Value, 9);
            Assert.Equal(own.Average(t => t.Correct ? 1.0 : 0) - without.Average(t => t.Correct ? 1.0 : 0), cell.Accuracy.Change!.Value, 9);
            Assert.Equal(cell.Operations.Reduction!.Value.ToString("R", CultureInfo.InvariantCulture), row[8]);
            Assert.NotNull(cell.PlainCall.FullCost);
        }
    }

    [Fact]
    public async Task Run_Twice_AnyParallelism_SameBytesButTime()
    {
        ResultsFolder one = _runs.Folder("one"), other = _runs.Folder("other");
        var settings = Runs.Quick with { Groups = 2, Similarity = ["S1", "S4"], Scaling = ["best-of-n", "tree-of-thoughts"] };
        await Runs.Make(settings, one, parallelism: 1).RunAsync(false, CancellationToken.None);
        await Runs.Make(settings, other, parallelism: 16).RunAsync(false, CancellationToken.None);
        foreach (var name in Directory.GetFiles(one.Path).Select(Path.GetFileName))
        {
            Assert.Equal(
                Schemas.WithoutTime(await File.ReadAllTextAsync(Path.Combine(one.Path, name!))),
                Schemas.WithoutTime(await File.ReadAllTextAsync(Path.Combine(other.Path, name!))));
        }
    }

    [Fact]
    public async Task Run_WithDistractors_RemembersOtherGroupsOnly()
    {
        var settings = Runs.Quick with { Scaling = ["best-of-n"], Memory = ["none", "in-context", "auto"], Distractors = 2 };
        ResultsFolder with = _runs.Folder("distracted"), without = _runs.Folder("free");
        await Runs.Make(settings, with).RunAsync(false, CancellationToken.None);
        await Runs.Make(settings with { Distractors = 0 }, without).RunAsync(false, CancellationToken.None);
        List<Trial> distracted = [.. TrialFile.Read(with.TrialsPath)], free = [.. TrialFile.Read(without.TrialsPath)];
        Assert.All(distracted.Where(t => t.Level > 0 && t.Memory == "in-context"), t => Assert.Equal(2, t.Recalled.Count));
        // strangers are no cases for auto
        Assert.All(distracted.Where(t => t.Level > 0 && t.Memory == "auto"), t => Assert.Empty(t.Recalled));
        Assert.All(distracted, t => Assert.DoesNotContain(t.Bill, b => b.Purpose == "learn"));
        // the arm without memory knows nothing of it
        Assert.Equal(free.Where(t => t.Memory == "none").Select(t => TrialFile.Format(t with { Time = distracted[0].Time })), distracted.Where(t => t.Memory == "none").Select(t => TrialFile.Format(t with { Time = distracted[0].Time })));
        Assert.Throws<ArgumentException>(() => Runs.Make(settings with { Distractors = 3 }, with));
        Assert.Throws<ArgumentException>(() => Runs.Make(settings with { Distractors = -1 }, with));
    }

    [Fact]
    public async Task Run_LevelZero_IsTheSameTrialInAllArms()
    {
        var folder = _runs.Folder("zero");
        await Runs.Make(Runs.Quick with { Scaling = ["best-of-n", "self-refine"] }, folder).RunAsync(false, CancellationToken.None);
        foreach (var same in TrialFile.Read(folder.TrialsPath).Where(t => t.Level == 0).GroupBy(t => (t.Group, t.Scaling)))
        {
            Assert.Equal(24, same.Count());
            Assert.Single(same.Select(t => TrialFile.Format(t with { Similarity = "S1", Memory = "none" })).Distinct());
        }
    }

    [Fact]
    public async Task Run_Baseline_DoesNotDependOnTheMemoriesBesideIt()
    {
        ResultsFolder alone = _runs.Folder("alone"), beside = _runs.Folder("beside");
        var settings = Runs.Quick with { Scaling = ["best-of-n"], Memory = ["none"] };
        await Runs.Make(settings, alone).RunAsync(false, CancellationToken.None);
        await Runs.Make(settings with { Memory = ["reflect", "in-context", "placebo"] }, beside).RunAsync(false, CancellationToken.None);
        Assert.Equal(Baselines(alone), Baselines(beside));

        static List<string> Baselines(ResultsFolder folder) =>
            [.. TrialFile.Read(folder.TrialsPath).Where(t => t.Memory == "none").Select(t => Schemas.WithoutTime(TrialFile.Format(t)))];
    }

    [Fact]
    public async Task Run_OtherCaps_AreWhatEachMethodSpends()
    {
        var folder = _runs.Folder("caps");
        var client = Runs.Model(p: 0);
        var settings = Runs.Quick with
        {
            Scaling = [.. Catalogue.ScalingMethods.Names],
            Memory = ["none"],
            Similarity = ["S3"],
            Groups = 1,
            Rounds = 1,
            Tau = 2,
            Samples = 3,
            Width = 2,
            Nodes = 5,
            Refinements = 4,
            Thinking = 77,
        };
        await Runs.Make(settings, folder, client).RunAsync(false, CancellationToken.None);
        var spent = TrialFile.Read(folder.TrialsPath).Where(t => t.Level == 1).ToDictionary(t => t.Scaling, t => t.Operations);
        Assert.Equal((3m, 3m, 5m, 4m), (spent["best-of-n"], spent["self-consistency"], spent["tree-of-thoughts"], spent["self-refine"]));
        // two questions, five nodes each, two proposals a node
        Assert.Equal(2 * 5 * 2, client.Count(Prompts.PromptTask.Propose));
        Assert.All(client.Calls.Where(c => c.Task == Prompts.PromptTask.Think), c => Assert.Equal(77, c.Options!.MaxOutputTokens));
        await Schemas.AssertValidAsync("manifest", await File.ReadAllTextAsync(folder.ManifestPath));

        // a path has its answer at its fourth step
        var shallow = _runs.Folder("shallow");
        await Runs.Make(settings with { Scaling = ["tree-of-thoughts"], Depth = 3, Nodes = 16 }, shallow).RunAsync(false, CancellationToken.None);
        Assert.All(TrialFile.Read(shallow.TrialsPath), t => Assert.Null(t.Answer));
    }

    [Fact]
    public async Task Run_JudgeErrsOnPurpose_IsRepeatableAndSaid()
    {
        ResultsFolder sound = _runs.Folder("sound"), erring = _runs.Folder("erring"), again = _runs.Folder("again");
        // nothing is accepted early or late: every attempt's verdict is seen; the scripted judge never errs
        var settings = Runs.Quick with { Scaling = ["best-of-n"], Memory = ["none", "in-context"], Similarity = ["S3"], Groups = 8, Rounds = 6, Samples = 1 };
        await Runs.Make(settings, sound).RunAsync(false, CancellationToken.None);
        await Runs.Make(settings with { JudgeError = 0.25 }, erring).RunAsync(false, CancellationToken.None);
        await Runs.Make(settings with { JudgeError = 0.25 }, again, parallelism: 1).RunAsync(false, CancellationToken.None);
        Assert.All(TrialFile.Read(sound.TrialsPath), t => Assert.Equal(t.Correct, t.Accepted));
        var baseline = TrialFile.Read(erring.TrialsPath).Where(t => t.Memory == "none").ToList();
        // of 56 verdicts 14 are expected wrong: a 99.9 % binomial bound
        Assert.InRange(baseline.Count(t => t.Correct != t.Accepted), 4, 26);
        Assert.Contains(baseline, t => t.Accepted && !t.Correct);
        Assert.Contains(baseline, t => !t.Accepted && t.Correct);
        Assert.Equal(Schemas.WithoutTime(await File.ReadAllTextAsync(erring.TrialsPath)), Schemas.WithoutTime(await File.ReadAllTextAsync(again.TrialsPath)));
        Assert.Contains("25 % were turned round on purpose", Assert.Single(erring.ReadManifest().Caveats), StringComparison.Ordinal);
        Assert.Contains("25 % were turned round on purpose", await File.ReadAllTextAsync(erring.ReportPath), StringComparison.Ordinal);
        await Schemas.AssertValidAsync("manifest", await File.ReadAllTextAsync(erring.ManifestPath));
    }

    [Fact]
    public async Task Run_CasesAndLeastSimilarity_BoundWhatIsRecalled()
    {
        ResultsFolder few = _runs.Folder("few"), many = _runs.Folder("many"), near = _runs.Folder("near");
        var settings = Runs.Quick with { Scaling = ["best-of-n"], Memory = ["none", "in-context"], Similarity = ["S3"], Rounds = 6, Feedback = FeedbackMode.Reference };
        await Runs.Make(settings with { Cases = 2 }, few).RunAsync(false, CancellationToken.None);
        await Runs.Make(settings with { Cases = 10 }, many).RunAsync(false, CancellationToken.None);
        await Runs.Make(settings with { MinimumSimilarity = 1 }, near).RunAsync(false, CancellationToken.None);
        Assert.All(Recalling(few), t => Assert.Equal(Math.Min(2, t.Level), t.Recalled.Count));
        Assert.All(Recalling(many), t => Assert.Equal(t.Level, t.Recalled.Count));
        // in the same words and other numbers questions are alike to the embedder
        Assert.InRange(Recalling(near).Sum(t => t.Recalled.Count), 0, Recalling(many).Sum(t => t.Recalled.Count) / 4);

        static List<Trial> Recalling(ResultsFolder folder) => [.. TrialFile.Read(folder.TrialsPath).Where(t => t.Memory == "in-context")];
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // what was measured of the model says how far to search, and is not obeyed either
    public async Task Run_FixedBudget_SearchesInFullWhereNothingWasEverFound(bool measured)
    {
        var vain = new PriorBand("best-of-n", Relevancy.SimilarityLevel.Unrelated, Told: false, Questions: 100, Operations: 8, OperationsWithout: 8, Effort: 0.5, UseCases: false, Judged: []);
        var prior = measured ? new AutoPrior("scripted", [vain]) { ModelFingerprint = "scripted" } : null;
        ResultsFolder adaptive = _runs.Folder("adaptive"), full = _runs.Folder("full");
        var settings = Runs.Quick with { Scaling = ["best-of-n"], Memory = ["none", "auto"], Similarity = ["S3"], Rounds = 6, Groups = 6 };
        await Runs.Make(settings, adaptive, Runs.Model(0, 0), prior: prior).RunAsync(false, CancellationToken.None);
        await Runs.Make(settings with { FixedBudget = true }, full, Runs.Model(0, 0), prior: prior).RunAsync(false, CancellationToken.None);
        Assert.Contains(TrialFile.Read(adaptive.TrialsPath), t => t.Memory == "auto" && t.Operations < 8);
        Assert.All(TrialFile.Read(full.TrialsPath), t => Assert.Equal(8, t.Operations));
    }

    [Fact]
    public async Task Run_ResumedFromBeforeTheCapsWereNamed_TakesThemAsTheProtocols()
    {
        var folder = _runs.Folder("old");
        var settings = Runs.Quick with { Scaling = ["tree-of-thoughts"], Memory = ["none"], Groups = 1 };
        await Runs.Make(settings, folder).RunAsync(false, CancellationToken.None);
        var names = new[] { "width", "depth", "nodes", "refinements", "thinking", "waves" };
        var lines = await File.ReadAllLinesAsync(folder.ManifestPath);
        var left = lines.Where(line => !names.Any(name => line.Contains($"\"{name}\":", StringComparison.Ordinal))).ToList();
        Assert.Equal(lines.Length - 6, left.Count);
        await File.WriteAllLinesAsync(folder.ManifestPath, left);
        Assert.Equal((3, 6, 16, 6, null, 1), folder.ReadManifest().Parameters is var p ? (p.Width, p.Depth, p.Nodes, p.Refinements, p.Thinking, p.Waves) : default);
        await Runs.Make(settings, folder).RunAsync(true, CancellationToken.None);
        await Assert.ThrowsAsync<ResumeRefusedException>(() => Runs.Make(settings with { Nodes = 8 }, folder).RunAsync(true, CancellationToken.None));
    }

    [Fact]
    public async Task Run_InWaves_FindsTheSameAnswersForWholeWaves()
    {
        var settings = Runs.Quick with { Scaling = ["best-of-n"], Memory = ["none"], Similarity = ["S3"], Groups = 4, Rounds = 3 };
        var (sequential, waves) = (_runs.Folder("sequential"), _runs.Folder("waves"));
        await Runs.Make(settings, sequential, Runs.Model(p: 0.3, pWithMemory: 0.3)).RunAsync(false, CancellationToken.None);
        await Runs.Make(settings with { Waves = 4 }, waves, Runs.Model(p: 0.3, pWithMemory: 0.3)).RunAsync(false, CancellationToken.None);
        var pairs = TrialFile.Read(sequential.TrialsPath).Zip(TrialFile.Read(waves.TrialsPath)).ToList();
        Assert.Contains(pairs, p => p.First.Operations % 4 != 0);
        Assert.All(pairs, p => Assert.Equal((p.First.Answer, p.First.Accepted, Math.Ceiling(p.First.Operations / 4) * 4), (p.Second.Answer, p.Second.Accepted, p.Second.Operations)));
        Assert.Contains("waves of 4", await File.ReadAllTextAsync(waves.ReportPath), StringComparison.Ordinal);
        await Assert.ThrowsAsync<ResumeRefusedException>(() => Runs.Make(settings, waves).RunAsync(true, CancellationToken.None));
    }

    [Fact]
    public async Task Run_WhatLearningCost_IsChargedToTheNextLevel()
    {
        var folder = _runs.Folder("learning");
        var client = Runs.Model(p: 1, pWithMemory: 1);
        await Runs.Make(Runs.Quick with { Scaling = ["best-of-n"], Memory = ["reflect", "sft"], Similarity = ["S3"], Groups = 1 }, folder, client).RunAsync(false, CancellationToken.None);
        var trials = TrialFile.Read(folder.TrialsPath);
        Assert.All(trials.Where(t => t.Level == 0 || t.Memory == "none"), t => Assert.DoesNotContain(t.Bill, b => b.Purpose is "learn" or "train"));
        Assert.All(trials.Where(t => t.Level > 0 && t.Memory == "reflect"), t => Assert.Single(t.Bill, b => b.Purpose == "learn" && b.Calls == 1 && b.Output > 0));
        Assert.All(trials.Where(t => t.Level > 0 && t.Memory == "sft"), t => Assert.Single(t.Bill, b => b.Purpose == "train" && b.Trained > 0));
        // after levels 0 and 1; nothing is learnt after the last
        Assert.Equal(2, client.Count(Prompts.PromptTask.Reflect));
        foreach (var trial in trials)
        {
            Assert.Equal(trial.InputTokens, trial.Bill.Sum(b => b.Input));
            Assert.Equal(trial.OutputTokens, trial.Bill.Sum(b => b.Output));
            Assert.Equal(trial.FullCost, trial.Bill.Sum(b => b.Input - b.CachedInput + 0.1m * b.CachedInput + 4m * b.Output + 3m * b.Trained));
        }
    }

    [Fact]
    public async Task Run_MemoryHelps_IsSeenAsSavingAndAccuracy()
    {
        var folder = _runs.Folder("helps");
        var settings = Runs.Quick with { Groups = 8, Rounds = 4, Scaling = ["best-of-n"], Memory = ["in-context"], Similarity = ["S1"] };
        var summary = await Runs.Make(settings, folder, Runs.Model(0.15, 0.9)).RunAsync(false, CancellationToken.None);
        var cell = summary.Cells.Single(c => c.Memory == "in-context");
        Assert.True(cell.Operations.Reduction > 0.2, $"{JsonSerializer.Serialize(cell)}");
        Assert.InRange(cell.Operations.Reduction!.Value, cell.Operations.Ci![0], cell.Operations.Ci[1]);
        var none = summary.Cells.Single(c => c.Memory == "none");
        Assert.Equal(0, none.Operations.Reduction);
        Assert.Equal([0, 0], none.Operations.Ci!);
        Assert.True(cell.PlainCall.FullCost < cell.FullCost.Baseline);
    }

    [Fact]
    public async Task Run_Cancelled_LeavesReadableFilesAndResumesToTheSameEnd()
    {
        ResultsFolder whole = _runs.Folder("whole"), broken = _runs.Folder("broken");
        var settings = Runs.Quick with { Scaling = ["best-of-n"], Groups = 4 };
        await Runs.Make(settings, whole).RunAsync(false, CancellationToken.None);

        await InterruptAsync(settings, broken);
        Assert.Equal("interrupted", broken.ReadManifest().Status);
        var there = TrialFile.Read(broken.TrialsPath);
        Assert.InRange(there.Count, 60, broken.ReadManifest().PlannedTrials - 1);
        Assert.Equal(there.Count, broken.ReadManifest().FinishedTrials);
        await Schemas.AssertValidAsync("summary", await File.ReadAllTextAsync(broken.SummaryPath));
        Assert.Contains("not complete", await File.ReadAllTextAsync(broken.ReportPath), StringComparison.Ordinal);

        // a torn last line, as a killed run leaves it
        await File.AppendAllTextAsync(broken.TrialsPath, "{\"formatVersion\":1,\"similarity\":\"S1\",\"sca");
        var client = Runs.Model();
        await Runs.Make(settings, broken, client).RunAsync(resume: true, CancellationToken.None);
        Assert.Equal(Schemas.WithoutTime(await File.ReadAllTextAsync(whole.TrialsPath)), Schemas.WithoutTime(await File.ReadAllTextAsync(broken.TrialsPath)));
        Assert.Equal(Schemas.WithoutTime(await File.ReadAllTextAsync(whole.SummaryPath)), Schemas.WithoutTime(await File.ReadAllTextAsync(broken.SummaryPath)));
        Assert.DoesNotContain(client.Calls, c => c.Task == Prompts.PromptTask.Guess && c.Info.Purpose != Compute.CallPurpose.Solve);
    }

    [Fact]
    public async Task Run_ResumedWithOtherParameters_IsRefusedWithWhatDiffers()
    {
        var folder = _runs.Folder("other");
        var settings = Runs.Quick with { Scaling = ["best-of-n"], Memory = ["none"], Groups = 1 };
        await Runs.Make(settings, folder).RunAsync(false, CancellationToken.None);
        var refused = await Assert.ThrowsAsync<ResumeRefusedException>(() => Runs.Make(settings with { Tau = 0.7, Seed = 2, Width = 4, Depth = 5, Nodes = 12, Refinements = 3, Thinking = 240 }, folder).RunAsync(true, CancellationToken.None));
        Assert.Contains("tau: 0.5, now 0.7", refused.Differences);
        Assert.Contains("seed: 1, now 2", refused.Differences);
        Assert.Contains("width: 3, now 4", refused.Differences);
        Assert.Contains("depth: 6, now 5", refused.Differences);
        Assert.Contains("nodes: 16, now 12", refused.Differences);
        Assert.Contains("refinements: 6, now 3", refused.Differences);
        Assert.Contains("thinking: the prompts' own, now 240", refused.Differences);
        await Assert.ThrowsAsync<ResultsExistException>(() => Runs.Make(settings, folder).RunAsync(false, CancellationToken.None));
    }

    [Fact]
    public async Task Run_FailedItems_AreCountedAndShown()
    {
        var folder = _runs.Folder("failing");
        var good = Runs.Model();
        var client = new ScriptedChatClient(call => call.Text.Contains(FailingQuestion(), StringComparison.Ordinal) && call.Task == Prompts.PromptTask.Think
            ? ScriptedReply.Failing()
            : ScriptedReplyOf(good, call));
        var settings = Runs.Quick with { Scaling = ["long-cot"], Memory = ["none"], Similarity = ["S1"] };
        var summary = await Runs.Make(settings, folder, client).RunAsync(false, CancellationToken.None);
        var cell = summary.Cells.Single();
        Assert.Equal(6, cell.Trials);
        Assert.Equal(2, cell.Failed);
        var failed = TrialFile.Read(folder.TrialsPath).Where(t => t.Error is not null).ToList();
        Assert.Equal(3, failed.Count);
        Assert.All(failed, t => Assert.False(t.Correct));
        Assert.Contains("2 trials failed", await File.ReadAllTextAsync(folder.ReportPath), StringComparison.Ordinal);

        static string FailingQuestion() => new Benchmark.Data.WorldExamples(Worlds.WorldCatalogue.Find("tariff")!, 1).At(1, Relevancy.SimilarityLevel.S1, 0).Question;
    }

    [Fact]
    public async Task Run_ModelIsDown_FailsAtOnce()
    {
        var folder = _runs.Folder("down");
        var client = new ScriptedChatClient(_ => ScriptedReply.Failing("nobody answers")).With<IAdapterTrainer>(new TinyTrainer());
        var error = await Assert.ThrowsAsync<ModelUnusableException>(() => Runs.Make(Runs.Quick, folder, client).RunAsync(false, CancellationToken.None));
        Assert.Contains("nobody answers", error.Message, StringComparison.Ordinal);
        Assert.Single(client.Calls);
    }

    [Fact]
    public void Experiment_UnknownNames_ListsTheValidOnes()
    {
        var error = Assert.Throws<UnknownNameException>(() => Runs.Make(Runs.Quick with { Scaling = ["best-of-m"] }, _runs.Folder("x")));
        Assert.Contains("best-of-n", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(-0.1)]
    public void Experiment_BadTau_IsRefused(double tau) =>
        Assert.Throws<ArgumentException>(() => Runs.Make(Runs.Quick with { Tau = tau }, _runs.Folder("x")));

    private static async Task InterruptAsync(ExperimentSettings settings, ResultsFolder folder)
    {
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Runs.Make(settings, folder, parallelism: 2, progress: p => { if (p.Done >= 60) stop.Cancel(); }).RunAsync(false, stop.Token));
    }

    private static ScriptedReply ScriptedReplyOf(ScriptedChatClient client, ScriptedCall call) =>
        new(client.GetResponseAsync(call.Messages, call.Options).GetAwaiter().GetResult().Text);
}
