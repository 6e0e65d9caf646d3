using System.Globalization;
using Spectre.Console;
using SpeedupLlm.Benchmark.Reporting;
using SpeedupLlm.Benchmark.Sensitivity;

namespace SpeedupLlm.Cli.Terminal;

/// <summary>The table at the end of a sensitivity study: each cell at the first and at the last value of a sweep. All values stand in the report.</summary>
internal static class SensitivityTable
{
    private const int Width = 160;

    public static void Write(SensitivityFolder folder)
    {
        var report = folder.Read();
        var console = AnsiConsole.Create(new()
        {
            Out = new AnsiConsoleOutput(Console.Out),
            Ansi = Console.IsOutputRedirected ? AnsiSupport.No : AnsiSupport.Detect,
        });
        if (Console.IsOutputRedirected)
            console.Profile.Width = Width;
        var table = new Table { Title = new("one factor at a time, with 95 % intervals over groups") };
        foreach (var column in new[] { "sweep", "similarity", "scaling", "memory", "values" })
            table.AddColumn(column);
        foreach (var column in new[] { "full cost saved: first", "last", "right: first", "last" })
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var sweep in report.Sweeps)
        {
            var (first, last) = (sweep.Points[0], sweep.Points[^1]);
            foreach (var end in last.Cells.Where(c => c.FullCostSaved is not null))
            {
                var begin = first.Cells.FirstOrDefault(c => (c.Similarity, c.Scaling, c.Memory) == (end.Similarity, end.Scaling, end.Memory));
                table.AddRow(
                    Markup.Escape(sweep.Name), Markup.Escape(end.Similarity), Markup.Escape(end.Scaling), Markup.Escape(end.Memory), Markup.Escape($"{first.Label} to {last.Label}"),
                    Share(begin?.FullCostSaved), Share(end.FullCostSaved), Share(begin?.Accuracy), Share(end.Accuracy));
            }
        }

        console.Write(table);
        foreach (var finding in report.Sweeps.Select(s => s.Finding).OfType<SpeedupLlm.Benchmark.Results.Finding>())
            console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"Finding 7, {finding.Claim}: {finding.Ours ?? "not measured"}: {finding.Verdict}");
        foreach (var notice in Notices(report))
            console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"{notice}");
        console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"Report: {folder.ReportPath}");
    }

    private static IEnumerable<string> Notices(SensitivityReport report)
    {
        if (report.Status != "complete")
            yield return "This study is not complete: values without a finished run are missing.";
        if (report.Parameters.Quick)
            yield return "A quick study: its figures are indicative.";
        foreach (var (sweep, caveat) in report.Sweeps.SelectMany(s => s.Points.SelectMany(p => p.Caveats).Distinct().Select(c => (s.Name, c))))
            yield return $"{sweep}: {caveat}";
    }

    private static string Share(MeasuredMean? mean) => Markup.Escape(Format.WithInterval(mean?.Value, mean?.Ci));
}
