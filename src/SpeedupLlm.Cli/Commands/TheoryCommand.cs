using System.CommandLine;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Benchmark.Theory;
using SpeedupLlm.Cli.Terminal;

namespace SpeedupLlm.Cli.Commands;

/// <summary><c>speedup theory</c>: what the theorems of the paper predict, beside what is measured.</summary>
internal static class TheoryCommand
{
    private const int QuickGroups = 6, QuickRounds = 2;

    public static Command Create(TimeProvider clock)
    {
        var defaults = new ExperimentSettings();
        var amounts = new TheoryOptions();
        Option<bool> quick = new("--quick") { Description = "Fewer groups and one memory; its figures are indicative." };
        var study = new StudyOptions();
        Option<string?> memory = new("--memory") { Description = "Memories, comma-separated; those that answer without a search cannot be asked." };
        Option<int> draws = new("--draws") { Description = "Held-out attempts a question.", DefaultValueFactory = _ => amounts.Draws };
        Option<int> runs = new("--runs") { Description = "Measured searches a question.", DefaultValueFactory = _ => amounts.Runs };
        Option<int?> groups = new("--groups") { Description = "Groups. Default 20, with --quick 6." };
        Option<string?> grid = new("--run") { Description = "A folder that bench wrote: its trials are looked at for the premises, instead of a run of its own." };
        Option<string> output = new("--out") { Description = "The folder for theory.json and the run.", Required = true };
        var command = new Command("theory", "Holds the paper's theorems against the model: the formula of Best-of-N question by question, and where their premises fail.")
        {
            quick, memory, draws, runs, groups, grid, output,
        };
        study.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var isQuick = parsed.GetValue(quick);
            var settings = study.SettingsOf(parsed) with
            {
                Memory = Names.Of("memory", parsed.GetValue(memory), isQuick ? ["none", "in-context"] : defaults.Memory, Catalogue.Memories.Names),
                Feedback = FeedbackMode.Reference,
                Groups = parsed.GetValue(groups) ?? (isQuick ? QuickGroups : 20),
                Rounds = isQuick ? QuickRounds : defaults.Rounds,
                Quick = isQuick,
            };
            settings.Validate();
            await using var source = study.OpenModel(parsed);
            var questions = study.OpenData(parsed, source);
            var theory = new TheoryStudy(settings, new() { Draws = parsed.GetValue(draws), Runs = parsed.GetValue(runs) }, source.ForExperiment(), questions, clock);
            var folder = parsed.GetValue(output)!;
            var ran = parsed.GetValue(grid) is { } there ? new ResultsFolder(there) : await RunAsync(folder).ConfigureAwait(false);
            var answers = await theory.RunAsync(cancellationToken).ConfigureAwait(false);
            var report = new TheoryReport(TheoryReport.CurrentFormat, settings.Model, source.Traits.Fingerprint, questions.Name, settings.Seed, settings.Groups.Value,
                settings.Samples, parsed.GetValue(draws), parsed.GetValue(runs), answers, ran.Premises());
            Directory.CreateDirectory(folder);
            await File.WriteAllTextAsync(Path.Combine(folder, "theory.json"), report.ToJson(), cancellationToken).ConfigureAwait(false);
            Console.Write(TheoryText.Of(report));
            if (isQuick)
                Console.WriteLine("A quick run: these figures are indicative.");
            return 0;

            async Task<ResultsFolder> RunAsync(string path)
            {
                var results = new ResultsFolder(path);
                using var view = new ProgressView(path);
                await new Experiment(settings, source.ForExperiment(), questions, results, clock) { Progress = view.Show }.RunAsync(resume: false, cancellationToken).ConfigureAwait(false);
                return results;
            }
        });
        return command;
    }
}
