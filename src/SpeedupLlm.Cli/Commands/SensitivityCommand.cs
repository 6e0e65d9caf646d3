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
        var study = new StudyOptions();
        Option<string?> sweep = new("--sweep") { Description = $"Sweeps, comma-separated, or all (the default): {string.Join(", ", Sweeps.Names)}." };
        Option<int?> groups = new("--groups") { Description = "Groups (in a world: firms). Default 20, with --quick 4." };
        Option<string> output = new("--out") { Description = "The folder for sensitivity.json, report.html and the runs; a study that is there is gone on with.", Required = true };
        var command = new Command("sensitivity", "Shows what each setting of the protocol changes: one factor at a time, with intervals.")
        {
            quick, sweep, groups, output,
        };
        study.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var isQuick = parsed.GetValue(quick);
            var sweeps = Names.Of("sweep", parsed.GetValue(sweep), Sweeps.Names, Sweeps.Names);
            var settings = study.SettingsOf(parsed) with
            {
                Groups = parsed.GetValue(groups) ?? (isQuick ? QuickGroups : 20),
                Rounds = isQuick ? QuickRounds : defaults.Rounds,
                Quick = isQuick,
            };
            settings.Validate();
            await using var source = study.OpenModel(parsed);
            var folder = new SensitivityFolder(parsed.GetValue(output)!);
            using var view = new ProgressView(folder.Path);
            var sweeping = new SensitivityStudy(settings, sweeps, source.ForExperiment(), study.OpenData(parsed, source), folder, clock) { Progress = view.Show };
            try
            {
                await sweeping.RunAsync(cancellationToken).ConfigureAwait(false);
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
