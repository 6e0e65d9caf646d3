using System.Globalization;
using Spectre.Console;
using SpeedupLlm.Benchmark.Reporting;
using SpeedupLlm.Benchmark.Results;

namespace SpeedupLlm.Cli.Terminal;

/// <summary>The table at the end of a run: rows similarity × scaling, columns memories, operations saved with 95 % intervals.</summary>
internal static class ResultsTable
{
    private const string None = "none";

    public static void Write(ResultsFolder folder)
    {
        var manifest = folder.ReadManifest();
        var summary = folder.ReadSummary();
        var console = AnsiConsole.Create(new()
        {
            Out = new AnsiConsoleOutput(Console.Out),
            Ansi = Console.IsOutputRedirected ? AnsiSupport.No : AnsiSupport.Detect,
        });
        if (Console.IsOutputRedirected)
            console.Profile.Width = 160;
        var memories = summary.Cells.Select(c => c.Memory).Where(m => m != None).Distinct().ToList();
        console.Write(memories.Count > 0 ? Savings(summary, memories) : Baselines(summary));
        foreach (var line in Headline(manifest, summary, memories.Count > 0))
            console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"{line}");
        console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"Report: {folder.ReportPath}");
    }

    private static Table Savings(Summary summary, List<string> memories)
    {
        var table = new Table { Title = new("Operations saved by experience, with 95 % intervals") };
        table.AddColumn("");
        table.AddColumn("scaling");
        table.AddColumn(new TableColumn("none").RightAligned());
        foreach (var memory in memories)
            table.AddColumn(new TableColumn(Markup.Escape(memory)).RightAligned());
        var last = "";
        foreach (var row in summary.Cells.GroupBy(c => (c.Similarity, c.Scaling)))
        {
            if (last != "" && row.Key.Similarity != last)
                table.AddEmptyRow();
            var none = row.FirstOrDefault(c => c.Memory == None);
            table.AddRow([
                row.Key.Similarity == last ? "" : row.Key.Similarity,
                Markup.Escape(row.Key.Scaling),
                Format.Number(none?.Operations.WithMemory),
                .. memories.Select(m => Saving(row.FirstOrDefault(c => c.Memory == m))),
            ]);
            last = row.Key.Similarity;
        }

        return table;
    }

    private static Table Baselines(Summary summary)
    {
        var table = new Table();
        foreach (var column in new[] { "", "scaling", "trials", "failed", "right", "accepted", "operations", "output tokens", "full cost", "one plain call" })
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var c in summary.Cells)
        {
            table.AddRow(
                c.Similarity, Markup.Escape(c.Scaling), Whole(c.Trials), Whole(c.Failed), Share(c.Accuracy.WithMemory), Share(c.Trials > 0 ? (double)c.Accepted / c.Trials : null),
                Format.Number(c.Operations.WithMemory), Format.Number(c.OutputTokens.WithMemory), Format.Number(c.FullCost.WithMemory),
                $"{Format.Number(c.PlainCall.FullCost)}, {Share(c.PlainCall.Accuracy)} right");
        }

        return table;
    }

    private static string Saving(CellSummary? cell)
    {
        if (cell is null)
            return "";
        var text = Markup.Escape(Format.WithInterval(cell.Operations.Reduction, cell.Operations.Ci));
        return cell.Operations.Ci switch
        {
            [> 0, _] => $"[blue]{text}[/]",
            [_, < 0] => $"[darkorange]{text}[/]",
            _ => text,
        };
    }

    private static IEnumerable<string> Headline(Manifest manifest, Summary summary, bool hasMemory)
    {
        var o = summary.Overall;
        if (hasMemory && o.Cells > 0)
        {
            yield return string.Create(CultureInfo.InvariantCulture,
                $"{o.Cheaper} of {o.Cells} cells cost fewer operations ({o.SignificantlyCheaper} significantly, {o.SignificantlyDearer} significantly more); mean saving {Format.Percent(o.MeanReduction)}, at most {Format.Percent(o.MaxReduction)}.");
            yield return $"Full cost, with judging, recalling, learning and training: {Format.Percent(o.MeanFullCostReduction)} saved on average. The column \"none\" is operations a question without memory.";
        }

        if (manifest.Status != "complete")
            yield return string.Create(CultureInfo.InvariantCulture, $"Not complete: {manifest.FinishedTrials} of {manifest.PlannedTrials} trials.");
        if (manifest.Indicative)
            yield return "A quick run: these figures are indicative.";
        foreach (var caveat in manifest.Caveats)
            yield return caveat;
        var failed = summary.Cells.Sum(c => c.Failed);
        if (failed > 0)
            yield return string.Create(CultureInfo.InvariantCulture, $"{failed} {(failed == 1 ? "trial" : "trials")} failed; counted as wrong.");
    }

    private static string Whole(int n) => n.ToString(CultureInfo.InvariantCulture);

    private static string Share(double? share) => share is { } s ? s.ToString("0.0000", CultureInfo.InvariantCulture) : "–";
}
