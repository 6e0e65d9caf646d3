using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Statistics;

/// <summary>A cost after so much practice, from one group.</summary>
/// <param name="Group">The group's place: groups are what is resampled.</param>
/// <param name="N">How many times, from 1.</param>
/// <param name="Cost">The cost.</param>
internal readonly record struct Practice(int Group, int N, double Cost);

/// <summary>The mean cost of a bin of N.</summary>
internal readonly record struct PracticePoint(double N, double Cost, int Count);

/// <summary>The power law of practice, cost = a·n^-b + c, fitted to mean costs by weighted least squares; intervals from resampling groups.</summary>
/// <remarks>b is searched on a grid and then refined; a and c follow linearly, c not below 0, since no cost is. Where the cost does not fall a is not above 0 and b says nothing.</remarks>
internal sealed record PracticeCurve(double A, double B, double C, Interval AInterval, Interval BInterval, Interval CInterval, IReadOnlyList<PracticePoint> Points)
{
    private const int Resamples = 400, LeastPoints = 4;
    private const double LeastB = 0.02, MostB = 4;

    /// <summary>Null with fewer than four different bins, or fewer than five groups.</summary>
    /// <param name="practices">What was seen.</param>
    /// <param name="groups">How many groups there are.</param>
    /// <param name="bins">The upper ends of the bins of N, ascending; what is above the last is left out.</param>
    /// <param name="key">The stream of the resamples.</param>
    public static PracticeCurve? Fit(IReadOnlyList<Practice> practices, int groups, IReadOnlyList<int> bins, StreamKey key)
    {
        var sums = new Sums[groups][];
        for (var g = 0; g < groups; g++)
            sums[g] = new Sums[bins.Count];
        foreach (var practice in practices)
        {
            var bin = 0;
            while (bin < bins.Count && bins[bin] < practice.N)
                bin++;
            if (bin < bins.Count)
                sums[practice.Group][bin] = sums[practice.Group][bin].Plus(practice);
        }

        var once = Enumerable.Repeat(1, groups).ToArray();
        var points = Means(sums, once, bins.Count);
        if (points.Count < LeastPoints || practices.Select(p => p.Group).Distinct().Count() < 5)
            return null;
        var (a, b, c) = Fit(points);
        var bootstrap = new GroupBootstrap(groups, Resamples, key);
        var fits = Enumerable.Range(0, Resamples).Select(r => Means(sums, bootstrap.Weights(r), bins.Count)).Where(p => p.Count >= LeastPoints).Select(Fit).ToList();
        if (fits.Count == 0)
            return null;
        return new(a, b, c, Between([.. fits.Select(f => f.A)]), Between([.. fits.Select(f => f.B)]), Between([.. fits.Select(f => f.C)]),
            [.. points.Select(p => new PracticePoint(p.N, p.Cost, (int)p.Weight))]);
    }

    /// <summary>The cost that the curve says.</summary>
    public double At(double n) => A * Math.Pow(n, -B) + C;

    private static List<(double N, double Cost, double Weight)> Means(Sums[][] sums, ReadOnlySpan<int> weights, int bins)
    {
        var points = new List<(double, double, double)>(bins);
        for (var bin = 0; bin < bins; bin++)
        {
            var sum = default(Sums);
            for (var g = 0; g < sums.Length; g++)
                sum = sum.Plus(sums[g][bin], weights[g]);
            if (sum.Count > 0)
                points.Add((sum.N / sum.Count, sum.Cost / sum.Count, sum.Count));
        }

        return points;
    }

    private static (double A, double B, double C) Fit(List<(double N, double Cost, double Weight)> points)
    {
        const int steps = 60;
        double BAt(int step) => LeastB * Math.Pow(MostB / LeastB, (double)step / steps);
        var best = Enumerable.Range(0, steps + 1).MinBy(step => Linear(points, BAt(step)).Error);
        // golden section between the grid's neighbours
        double low = BAt(Math.Max(0, best - 1)), high = BAt(Math.Min(steps, best + 1));
        var golden = (Math.Sqrt(5) - 1) / 2;
        for (var i = 0; i < 40; i++)
        {
            double left = high - golden * (high - low), right = low + golden * (high - low);
            if (Linear(points, left).Error <= Linear(points, right).Error)
                high = right;
            else
                low = left;
        }

        var b = (low + high) / 2;
        var (a, c, _) = Linear(points, b);
        return (a, b, c);
    }

    private static (double A, double C, double Error) Linear(List<(double N, double Cost, double Weight)> points, double b)
    {
        double w = 0, x = 0, y = 0, xx = 0, xy = 0;
        foreach (var (n, cost, weight) in points)
        {
            var power = Math.Pow(n, -b);
            w += weight;
            x += weight * power;
            y += weight * cost;
            xx += weight * power * power;
            xy += weight * power * cost;
        }

        var spread = w * xx - x * x;
        var a = spread > 1e-12 * w * xx ? (w * xy - x * y) / spread : 0;
        var c = (y - a * x) / w;
        if (c < 0)
            (a, c) = (xy / xx, 0);
        return (a, c, points.Sum(p => p.Weight * Math.Pow(p.Cost - a * Math.Pow(p.N, -b) - c, 2)));
    }

    private static Interval Between(double[] values)
    {
        Array.Sort(values);
        return new(values[(int)(0.025 * (values.Length - 1))], values[(int)Math.Ceiling(0.975 * (values.Length - 1))]);
    }

    private readonly record struct Sums(double N, double Cost, double Count)
    {
        public Sums Plus(Practice practice) => new(N + practice.N, Cost + practice.Cost, Count + 1);

        public Sums Plus(Sums other, int weight) => new(N + weight * other.N, Cost + weight * other.Cost, Count + weight * other.Count);
    }
}
