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
        var command = new Command("report", "Makes summaries and report.html anew from a run's trials, and shows the table.") { folder };
        command.SetAction(parsed =>
        {
            var results = new ResultsFolder(parsed.GetValue(folder)!);
            var parameters = results.ReadManifest().Parameters;
            if (parameters.Stream is null)
                results.Summarize();
            else
                results.SummarizeStream();
            BenchCommand.Show(results);
            return 0;
        });
        return command;
    }
}
