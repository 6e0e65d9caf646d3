using System.Globalization;
using System.Text;
using SpeedupLlm.Benchmark.Statistics;

namespace SpeedupLlm.Benchmark.Results;

/// <summary><c>cells.csv</c>: a row a cell, for spreadsheets. Numbers as in <c>summary.json</c>; empty is null.</summary>
internal static class CellsFile
{
    private static readonly string[] Columns =
    [
        "similarity", "scaling", "memory", "trials", "failed", "accepted",
        "operationsBaseline", "operationsWithMemory", "operationsReduction", "operationsLow", "operationsHigh", "operationsSignificant",
        "outputTokensBaseline", "outputTokensWithMemory", "outputTokensReduction", "outputTokensLow", "outputTokensHigh",
        "fullCostBaseline", "fullCostWithMemory", "fullCostReduction", "fullCostLow", "fullCostHigh",
        "plainCallFullCost", "plainCallAccuracy",
        "accuracyBaseline", "accuracyWithMemory", "accuracyChange", "accuracyLow", "accuracyHigh",
        "verdict", "groupsNeeded",
    ];

    public static string Format(Analysis analysis)
    {
        var text = new StringBuilder().AppendJoin(',', Columns).Append('\n');
        foreach (var cell in analysis.Cells)
            text.AppendJoin(',', Row(cell).Select(Escape)).Append('\n');
        return text.ToString();
    }

    private static IEnumerable<string> Row(AnalysedCell cell)
    {
        var s = cell.Summary;
        string[] key = [s.Similarity, s.Scaling, s.Memory, Number(s.Trials), Number(s.Failed), Number(s.Accepted)];
        string significant = cell.CheaperOrDearer switch { < 0 => "cheaper", > 0 => "dearer", _ => "" };
        return
        [
            .. key,
            .. Cost(s.Operations), significant, .. Cost(s.OutputTokens), .. Cost(s.FullCost),
            Number(s.PlainCall.FullCost), Number(s.PlainCall.Accuracy),
            Number(s.Accuracy.Baseline), Number(s.Accuracy.WithMemory), Number(s.Accuracy.Change), Number(s.Accuracy.Ci?[0]), Number(s.Accuracy.Ci?[1]),
            s.Verdict, Number(cell.GroupsNeeded),
        ];
    }

    private static string[] Cost(CostChange c) =>
        [Number(c.Baseline), Number(c.WithMemory), Number(c.Reduction), Number(c.Ci?[0]), Number(c.Ci?[1])];

    private static string Number(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";

    private static string Escape(string value) =>
        value.AsSpan().IndexOfAny(",\"\n\r") < 0 ? value : '"' + value.Replace("\"", "\"\"", StringComparison.Ordinal) + '"';
}
