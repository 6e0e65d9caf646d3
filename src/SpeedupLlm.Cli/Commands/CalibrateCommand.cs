using System.CommandLine;
using SpeedupLlm.Benchmark.Calibration;
using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Cli.Commands;

/// <summary><c>speedup calibrate</c>: measures what the thresholds rest on. By itself it asks no model; <c>tau</c> and <c>prior</c> do.</summary>
internal static class CalibrateCommand
{
    private const int Orders = 20;

    public static Command Create()
    {
        Option<string> data = new("--data") { Description = $"A world ({string.Join(", ", WorldCatalogue.Names)}) or gsm-plus:FILE.", DefaultValueFactory = _ => WorldCatalogue.Names[0] };
        Option<int> groups = new("--groups") { Description = "Groups of a world.", DefaultValueFactory = _ => 60 };
        Option<long> seed = new("--seed") { Description = "Picks the groups and the orders of asking.", DefaultValueFactory = _ => 1 };
        Option<string?> output = new("--out") { Description = "A folder for calibration.json and report.html. Default: only the terminal." };
        var command = new Command("calibrate", "Measures how well relevancy tells similarity levels apart, and how often reused answers are wrong.")
        {
            data, groups, seed, output, CalibrateTauCommand.Create(), CalibratePriorCommand.Create(),
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var report = await MeasureAsync(parsed.GetValue(data)!, parsed.GetValue(groups), parsed.GetValue(seed), cancellationToken).ConfigureAwait(false);
            Console.Write(report.ToText());
            if (parsed.GetValue(output) is { } folder)
            {
                Directory.CreateDirectory(folder);
                await File.WriteAllTextAsync(Path.Combine(folder, "calibration.json"), report.ToJson(), cancellationToken).ConfigureAwait(false);
                await File.WriteAllTextAsync(Path.Combine(folder, "report.html"), report.ToHtml(), cancellationToken).ConfigureAwait(false);
            }

            return 0;
        });
        return command;
    }

    private static async Task<CalibrationReport> MeasureAsync(string data, int groups, long seed, CancellationToken cancellationToken)
    {
        if (data.StartsWith(DataSource.GsmPlusPrefix, StringComparison.Ordinal))
        {
            var plus = GsmPlus.Load(DataSource.Existing(data[DataSource.GsmPlusPrefix.Length..]));
            return new(1, RelevancyStudy.Of(plus.Name, Pair.Of(plus)), await ReuseStudy.RunAsync(plus, Orders, seed, cancellationToken).ConfigureAwait(false));
        }

        var world = DataSource.World(data, "gsm-plus:FILE");
        DataSource.AtLeastTwo(groups);
        return new(1, RelevancyStudy.Of(data, Pair.Of(new WorldExamples(world, seed), groups)), []);
    }
}
