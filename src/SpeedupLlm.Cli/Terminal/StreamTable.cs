using System.Globalization;
using Spectre.Console;
using SpeedupLlm.Benchmark.Reporting;
using SpeedupLlm.Benchmark.Results;

namespace SpeedupLlm.Cli.Terminal;

/// <summary>The table at the end of a stream: a row an arm.</summary>
internal static class StreamTable
{
    private const int Width = 160;

    public static void Write(ResultsFolder folder)
    {
        var summary = folder.ReadStreamSummary();
        var console = AnsiConsole.Create(new()
        {
            Out = new AnsiConsoleOutput(Console.Out),
            Ansi = Console.IsOutputRedirected ? AnsiSupport.No : AnsiSupport.Detect,
        });
        if (Console.IsOutputRedirected)
            console.Profile.Width = Width;
        var table = new Table { Title = new(string.Create(CultureInfo.InvariantCulture, $"{summary.Questions} questions about {summary.Topics} topics, with 95 % intervals over topics")) };
        table.AddColumn("memory");
        foreach (var column in new[] { "full cost", "saved", "operations saved", "right", "change, points", "from memory", "of these wrong" })
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var arm in summary.Arms)
        {
            table.AddRow(
                Markup.Escape(arm.Memory), Format.Number(arm.FullCost.WithMemory), Markup.Escape(Format.WithInterval(arm.FullCost.Reduction, arm.FullCost.Ci)),
                Markup.Escape(Format.WithInterval(arm.Operations.Reduction, arm.Operations.Ci)), Format.Percent(arm.Accuracy.WithMemory),
                Markup.Escape(Format.Points(arm.Accuracy.Change, arm.Accuracy.Ci)), arm.Given.ToString(CultureInfo.InvariantCulture),
                arm.GivenWrong is { } wrong ? Markup.Escape(Format.WithInterval(wrong.Value, wrong.Ci)) : "–");
        }

        console.Write(table);
        foreach (var notice in folder.Notices())
            console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"{notice}");
        console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"Report: {folder.ReportPath}");
    }
}
