namespace SpeedupLlm.GatewayBenchmarks.Load;

/// <summary>One measurement.</summary>
/// <param name="Seconds">How long it took.</param>
/// <param name="Failures">Requests that were not answered with 200.</param>
/// <param name="Latencies">Of those that were, in milliseconds, sorted.</param>
internal sealed record Measurement(double Seconds, long Failures, double[] Latencies)
{
    public double PerSecond => Latencies.Length / Seconds;

    public double P50 => At(0.5);

    public double P99 => At(0.99);

    private double At(double share) => Latencies.Length == 0 ? double.NaN : Latencies[Math.Min(Latencies.Length - 1, (int)(share * Latencies.Length))];

    public static Measurement Of(double seconds, long failures, IEnumerable<List<double>> latencies)
    {
        double[] all = [.. latencies.SelectMany(l => l)];
        Array.Sort(all);
        return new(seconds, failures, all);
    }
}
