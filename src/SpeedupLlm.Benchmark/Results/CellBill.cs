using SpeedupLlm.Benchmark.Statistics;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Results;

/// <summary>The full bill of a cell, by the price sheet of the report.</summary>
/// <param name="ByPurpose">Mean full cost a question of each purpose.</param>
/// <param name="BreakEven">When learning has paid for itself; null for the baseline, and with fewer than two groups.</param>
public sealed record CellBill(IReadOnlyList<PurposeChange> ByPurpose, BreakEvenSummary? BreakEven)
{
    internal static CellBill Of(PairedCell cell, PriceSheet prices)
    {
        decimal Cost(Trial trial, string purpose) => trial.Bill.Where(b => b.Purpose == purpose).Sum(b => b.Cost(prices));
        var purposes = Enum.GetNames<CallPurpose>().Select(p => p.ToLowerInvariant())
            .Where(p => cell.Pairs.Any(pair => pair.With.Bill.Concat(pair.Baseline.Bill).Any(b => b.Purpose == p)));
        return new(
            [.. purposes.Select(p => new PurposeChange(p, (double)cell.Pairs.Average(pair => Cost(pair.Baseline, p)), (double)cell.Pairs.Average(pair => Cost(pair.With, p))))],
            cell.Key.IsBaseline ? null : Even(cell, trial => trial.Bill.Where(b => b.Purpose is "learn" or "train").Sum(b => b.Cost(prices))));
    }

    private static BreakEvenSummary? Even(PairedCell cell, Func<Trial, decimal> learning)
    {
        var groups = cell.Pairs.GroupBy(p => p.With.Group).ToList();
        var even = Statistics.BreakEven.Of(
            [.. groups.Select(g => (double)g.Sum(p => learning(p.With)))],
            [.. groups.Select(g => (double)g.Average(p => p.Baseline.FullCost - (p.With.FullCost - learning(p.With))))]);
        return even is null ? null : new(even.Investment, even.Saving, even.Questions, even.Confidence?.ToArray(), even.Verdict);
    }
}

/// <summary>Mean full cost a question of one purpose, without and with memory.</summary>
public sealed record PurposeChange(string Purpose, double Baseline, double WithMemory);

/// <summary>After how many questions the learning of a lifeline has paid for itself, if nothing more is learnt.</summary>
/// <param name="Investment">What learning cost in a lifeline: calls and training.</param>
/// <param name="SavedAQuestion">What a question with that memory saves on average, learning left out; negative is dearer.</param>
/// <param name="Questions">Investment over saving; null if nothing is saved.</param>
/// <param name="Ci">95 % interval (Fieller); null if it has no end.</param>
/// <param name="Verdict"><c>pays</c>, <c>never</c> or <c>undecided</c>.</param>
public sealed record BreakEvenSummary(double Investment, double SavedAQuestion, double? Questions, double[]? Ci, string Verdict);

/// <summary>Milliseconds, median and 95th percentile over the cell's trials: until the search ended, and until an accepted answer was there.</summary>
public sealed record CellTime(double? ElapsedP50, double? ElapsedP95, double? ToAcceptedP50, double? ToAcceptedP95)
{
    internal static CellTime Of(IReadOnlyList<Trial> trials)
    {
        var elapsed = Quantiles.Of(trials.Select(t => t.Time.ElapsedMs));
        var accepted = Quantiles.Of(trials.Select(t => t.Time.ToAcceptedMs).OfType<double>());
        return new(elapsed.P50, elapsed.P95, accepted.P50, accepted.P95);
    }
}
