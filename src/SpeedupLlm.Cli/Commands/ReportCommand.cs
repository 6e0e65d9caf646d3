using System.CommandLine;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Benchmark.Sensitivity;
using SpeedupLlm.Benchmark.Statistics;
using SpeedupLlm.Cli.Terminal;

namespace SpeedupLlm.Cli.Commands;

/// <summary><c>speedup report</c>: the figures of a run anew from its trials, or several checkpoints' runs beside each other.</summary>
internal static class ReportCommand
{
    public static Command Create()
    {
        Argument<string[]> folders = new("DIR") { Description = "A folder that bench or sensitivity wrote; several of bench, with different checkpoints, are set side by side.", Arity = ArgumentArity.OneOrMore };
        Option<string?> output = new("--out") { Description = "With several DIR: where the page goes, FILE.html; FILE.json is written beside it." };
        Option<string?> prices = new("--prices") { Description = "A price sheet: a JSON file with a unit and the token prices of models. Default: the protocol's relative prices." };
        var command = new Command("report", "Makes summaries and report.html anew from a run's trials, and shows the table.") { folders, prices, output };
        command.SetAction(parsed =>
        {
            ResultsFolder[] all = [.. parsed.GetValue(folders)!.Select(f => new ResultsFolder(f))];
            if (all.Length > 1)
                return Compare(all, parsed.GetValue(output) ?? throw new UsageException("several folders are set side by side in a file of their own: say --out FILE.html."));
            var study = new SensitivityFolder(all[0].Path);
            if (study.HasStudy)
            {
                if (parsed.GetValue(prices) is not null)
                    throw new UsageException("--prices is for a folder that bench wrote; a sensitivity study is counted in the protocol's prices");
                study.Summarize();
                SensitivityTable.Write(study);
                return 0;
            }

            var results = all[0];
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

    private static int Compare(IReadOnlyList<ResultsFolder> folders, string page)
    {
        var study = OverCheckpoints.Of(folders);
        File.WriteAllText(page, study.ToHtml());
        File.WriteAllText(Path.ChangeExtension(page, ".json"), study.ToJson());
        Console.WriteLine($"Report: {Path.GetFullPath(page)}");
        return 0;
    }
}
