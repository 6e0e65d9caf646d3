using System.Globalization;
using SpeedupLlm.Benchmark.Calibration;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Benchmark.Statistics;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Streaming;

/// <summary>Everything that is computed from the trials of a stream. The unit is the topic.</summary>
internal sealed class StreamAnalysis
{
    private const int MostWindows = 20;

    private static readonly int[] VisitBins = [1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128];

    private readonly int _topics;
    private readonly StreamKey _key;
    private readonly IReadOnlyDictionary<int, StreamTrial> _baseline;
    private readonly int? _changedAt;
    private readonly PriceSheet _prices;

    private StreamAnalysis(IReadOnlyDictionary<int, StreamTrial> baseline, ExperimentSettings settings, PriceSheet prices)
    {
        _prices = prices;
        _baseline = baseline;
        _topics = baseline.Values.Select(t => t.Topic + 1).DefaultIfEmpty(0).Max();
        _key = StreamKey.Root(settings.Seed).Child("stream").Child("statistics");
        _changedAt = baseline.Values.Any(t => t.Kind == Workload.Changed) ? (int)Math.Ceiling(settings.Stream!.ChangeAfter * settings.Stream.Questions) : null;
    }

    public static StreamSummary Of(Manifest manifest, IReadOnlyList<StreamTrial> unpriced)
    {
        var settings = manifest.Parameters;
        var trials = unpriced.Select(t => t with { FullCost = t.Bill.Sum(b => b.Cost(manifest.Prices)) }).ToList();
        var arms = settings.Memory.Select(m => (Name: m, Trials: trials.Where(t => t.Memory == m).OrderBy(t => t.Index).ToList())).Where(a => a.Trials.Count > 0).ToList();
        // arms of an interrupted run have come to different places: what all have answered is compared
        var common = arms.Count == 0 || arms.All(a => a.Name != CellKey.NoMemory) ? 0 : arms.Min(a => a.Trials.Count);
        var baseline = arms.Where(a => a.Name == CellKey.NoMemory).SelectMany(a => a.Trials.Take(common)).ToDictionary(t => t.Index);
        var analysis = new StreamAnalysis(baseline, settings, manifest.Prices);
        return new(
            StreamSummary.CurrentFormat,
            common,
            analysis._topics,
            analysis._changedAt,
            Workload.Kinds.Select(k => (Kind: k, Count: baseline.Values.Count(t => t.Kind == k))).Where(k => k.Count > 0).ToDictionary(k => k.Kind, k => k.Count),
            common == 0 ? [] : [.. arms.Select(a => analysis.Arm(a.Name, [.. a.Trials.Take(common)]))]);
    }

    private StreamArm Arm(string name, List<StreamTrial> trials)
    {
        var given = trials.Where(t => t.Stop == "recalled").ToList();
        var wrong = ExactShare.Of(given.Count(t => !t.Correct), given.Count);
        var windows = Math.Min(MostWindows, trials.Count / 10);
        return new(
            name,
            trials.Count(t => t.Error is not null),
            trials.Count(t => t.Accepted),
            Cost(trials, t => (double)t.Operations),
            Cost(trials, t => t.OutputTokens),
            Cost(trials, t => (double)t.FullCost),
            Accuracy(trials),
            given.Count,
            wrong is null ? null : new(wrong.Value, [wrong.Low, wrong.High]),
            [.. trials.SelectMany(t => t.Bill).GroupBy(b => b.Purpose).Select(p => new PurposeCost(p.Key, (double)p.Sum(b => b.Cost(_prices)) / trials.Count))
                .OrderBy(p => Enum.Parse<CallPurpose>(p.Purpose, ignoreCase: true))],
            [.. Workload.Kinds.Select(k => Part(k, [.. trials.Where(t => t.Kind == k)])).OfType<StreamPart>()],
            [.. Enumerable.Range(0, windows).Select(w => Window(trials, w, windows)).OfType<StreamPart>()],
            Fit(PracticeCurve.Fit([.. trials.Select(t => new Practice(t.Topic, t.Visit + 1, (double)t.FullCost))], _topics, VisitBins, _key.Child("practice"))),
            Growth(trials));
    }

    private PracticeFit? Growth(List<StreamTrial> trials)
    {
        var last = _changedAt ?? trials.Count;
        var bins = Enumerable.Range(1, MostWindows).Select(w => w * last / MostWindows).Where(b => b > 0).Distinct().ToList();
        return Fit(PracticeCurve.Fit([.. trials.Where(t => t.Index < last).Select(t => new Practice(t.Topic, t.Index + 1, (double)t.FullCost))], _topics, bins, _key.Child("growth")));
    }

    private StreamPart? Window(List<StreamTrial> trials, int window, int windows)
    {
        int from = window * trials.Count / windows, to = (window + 1) * trials.Count / windows;
        return Part(from.ToString(CultureInfo.InvariantCulture), trials[from..to]);
    }

    private StreamPart? Part(string name, List<StreamTrial> trials) => trials.Count == 0 ? null : new(
        name, trials.Count, Cost(trials, t => (double)t.FullCost), Accuracy(trials), trials[^1].Stored, Latency(trials));

    private CostChange Cost(List<StreamTrial> trials, Func<StreamTrial, double> cost)
    {
        var ratio = Ratio(trials, cost, t => cost(_baseline[t.Index]))?.Complement();
        return new(trials.Average(t => cost(_baseline[t.Index])), trials.Average(cost), ratio?.Value, Confidence(trials, ratio));
    }

    private AccuracyChange Accuracy(List<StreamTrial> trials)
    {
        double Right(StreamTrial t) => t.Correct ? 1 : 0;
        var change = Ratio(trials, t => Right(t) - Right(_baseline[t.Index]), _ => 1);
        return new(trials.Average(t => Right(_baseline[t.Index])), trials.Average(Right), change?.Value, Confidence(trials, change));
    }

    private static double[]? Confidence(List<StreamTrial> trials, GroupEstimate? estimate) =>
        trials[0].Memory == CellKey.NoMemory ? [0, 0] : estimate?.Confidence()?.ToArray();

    private GroupEstimate? Ratio(List<StreamTrial> trials, Func<StreamTrial, double> top, Func<StreamTrial, double> bottom)
    {
        double[] numerator = new double[_topics], denominator = new double[_topics];
        var present = new bool[_topics];
        foreach (var trial in trials)
        {
            numerator[trial.Topic] += top(trial);
            denominator[trial.Topic] += bottom(trial);
            present[trial.Topic] = true;
        }

        return GroupEstimate.Ratio(numerator, denominator, present);
    }

    private static LatencySummary Latency(List<StreamTrial> trials)
    {
        var elapsed = Quantiles.Of(trials.Select(t => t.Time.ElapsedMs));
        var accepted = Quantiles.Of(trials.Select(t => t.Time.ToAcceptedMs).OfType<double>());
        var recall = Quantiles.Of(trials.Select(t => t.Time.RecallMs));
        return new(elapsed.P50, elapsed.P95, accepted.P50, accepted.P95, recall.P50, recall.P95);
    }

    private static PracticeFit? Fit(PracticeCurve? curve) => curve is null ? null : new(
        new(curve.A, curve.AInterval.ToArray()), new(curve.B, curve.BInterval.ToArray()), new(curve.C, curve.CInterval.ToArray()),
        [.. curve.Points.Select(p => new FittedPoint(p.N, p.Cost, p.Count))]);
}
