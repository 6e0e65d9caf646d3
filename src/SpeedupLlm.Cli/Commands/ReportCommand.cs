using System.CommandLine;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Cli.Terminal;

namespace SpeedupLlm.Cli.Commands;

/// <summary><c>speedup report</c>: the figures of a run anew from its trials.</summary>
internal static class ReportCommand
{
    public static Command Create()
    {
        Argument<string> folder = new("DIR") { Description = "A folder that bench wrote." };
        Option<string?> prices = new("--prices") { Description = "A price sheet: a JSON file with a unit and the token prices of models. Default: the protocol's relative prices." };
        var command = new Command("report", "Makes summaries and report.html anew from a run's trials, and shows the table.") { folder, prices };
        command.SetAction(parsed =>
        {
            var results = new ResultsFolder(parsed.GetValue(folder)!);
            var parameters = results.ReadManifest().Parameters;
            var sheet = parsed.GetValue(prices) is { } file ? PriceFile.Load(DataSource.Existing(file), parameters.ModelName ?? parameters.Model) : null;
            if (parameters.Stream is null)
                results.Summarize(sheet);
            else
                results.SummarizeStream(sheet);
            BenchCommand.Show(results);
            return 0;
        });
        return command;
    }
}
