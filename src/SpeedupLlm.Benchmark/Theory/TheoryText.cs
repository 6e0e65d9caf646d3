using System.Globalization;
using System.Text;
using SpeedupLlm.Benchmark.Reporting;

namespace SpeedupLlm.Benchmark.Theory;

/// <summary>A theory report as tables for a terminal.</summary>
public static class TheoryText
{
    /// <summary>The text.</summary>
    public static string Of(TheoryReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"E[answers] = (1-(1-p)^N)/p for each question, N = {report.Samples}: p from {report.Draws} held-out attempts a question, held against {report.Runs} searches each; {report.Groups} groups");
        text.AppendLine(CultureInfo.InvariantCulture, $"{"",-4}{"memory",-18}{"p",7}{"predicted",11}{"measured",10}{"difference [95 %]",26}  {"at the mean p",13}");
        foreach (var row in report.Answers)
        {
            var difference = string.Create(CultureInfo.InvariantCulture, $"{row.Difference:0.00}{(row.Ci is [var low, var high] ? string.Create(CultureInfo.InvariantCulture, $" [{low:0.00}, {high:0.00}]") : "")}");
            text.AppendLine(CultureInfo.InvariantCulture, $"{row.Similarity,-4}{row.Memory,-18}{row.P,7:0.000}{row.Predicted,11:0.00}{row.Measured,10:0.00}{difference,26}  {row.PredictedFromMean,13:0.00}{(row.Agrees == false ? "  differs" : "")}");
        }

        text.AppendLine().AppendLine("Premises: with memory, acceptance is not less likely (Theorem 1), nor within any number of operations (Theorem 2); simultaneous 95 % bounds over all cells");
        foreach (var verdict in (string[])[Premises.Holds, Premises.Undecided, Premises.Fails])
            text.AppendLine(CultureInfo.InvariantCulture, $"  {verdict,-10}{report.Premises.Count(p => p.Verdict == verdict),4} of {report.Premises.Count} cells");
        foreach (var cell in report.Premises.Where(p => p.Verdict == Premises.Fails))
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"  fails: {cell.Similarity} {cell.Scaling} {cell.Memory}: acceptance {Show(cell.Accepted)}, within {Format.Number(cell.AcceptedEarly.At)} operations {Show(cell.AcceptedEarly)} points; operations saved {Format.Percent(cell.Cost.Reduction)}");
        }

        return text.ToString();
    }

    private static string Show(PremiseChange change) => Format.Points(change.Change, change is { Low: { } low, High: { } high } ? [low, high] : null);
}
