using System.CommandLine;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Sensitivity;
using SpeedupLlm.Cli.Terminal;

namespace SpeedupLlm.Cli.Commands;

/// <summary><c>speedup sensitivity</c>: what each setting of the protocol changes, one at a time.</summary>
internal static class SensitivityCommand
{
    private const int QuickGroups = 4, QuickRounds = 2;

    public static Command Create(TimeProvider clock)
    {
        var defaults = new ExperimentSettings();
        Option<bool> quick = new("--quick") { Description = "Fewer groups and values; its figures are indicative." };
        Option<string> model = new("--model") { Description = "embedded, novice, or the URL of an OpenAI-compatible endpoint.", DefaultValueFactory = _ => ModelSource.Embedded };
        Option<string?> modelName = new("--model-name") { Description = "The model's name at the endpoint." };
        Option<int> checkpoint = new("--checkpoint") { Description = "Which of the embedded models, from 1.", DefaultValueFactory = _ => 1 };
        Option<string?> sweep = new("--sweep") { Description = $"Sweeps, comma-separated, or all (the default): {string.Join(", ", Sweeps.Names)}." };
        Option<int?> groups = new("--groups") { Description = "Groups (in a world: firms). Default 20, with --quick 4." };
        Option<long> seed = new("--seed") { Description = "The seed of everything.", DefaultValueFactory = _ => defaults.Seed };
        Option<string> output = new("--out") { Description = "The folder for sensitivity.json, report.html and the runs; a study that is there is gone on with.", Required = true };
        var command = new Command("sensitivity", "Shows what each setting of the protocol changes: one factor at a time, with intervals.")
        {
            quick, model, modelName, checkpoint, sweep, groups, seed, output,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var isQuick = parsed.GetValue(quick);
            var sweeps = Names.Of("sweep", parsed.GetValue(sweep), Sweeps.Names, Sweeps.Names);
            var settings = new ExperimentSettings
            {
                Model = parsed.GetValue(model)!,
                ModelName = parsed.GetValue(modelName),
                Checkpoint = parsed.GetValue(checkpoint),
                Groups = parsed.GetValue(groups) ?? (isQuick ? QuickGroups : 20),
                Rounds = isQuick ? QuickRounds : defaults.Rounds,
                Seed = parsed.GetValue(seed),
                Quick = isQuick,
            };
            settings.Validate();
            await using var source = ModelSource.Open(settings.Model, settings.ModelName, settings.Checkpoint, settings.Seed);
            var folder = new SensitivityFolder(parsed.GetValue(output)!);
            using var view = new ProgressView(folder.Path);
            var study = new SensitivityStudy(settings, sweeps, source.ForExperiment(), DataSource.Open(null, source, settings.Seed), folder, clock) { Progress = view.Show };
            try
            {
                await study.RunAsync(cancellationToken).ConfigureAwait(false);
                view.Dispose();
                SensitivityTable.Write(folder);
                return 0;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                view.Dispose();
                Console.Error.WriteLine($"speedup: interrupted; what is finished is in {folder.Path}, and the same command goes on");
                return Failure.Interrupted;
            }
        });
        return command;
    }
}
