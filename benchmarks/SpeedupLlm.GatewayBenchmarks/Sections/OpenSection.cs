using System.Globalization;
using SpeedupLlm.GatewayBenchmarks.Load;
using SpeedupLlm.GatewayBenchmarks.Servers;

namespace SpeedupLlm.GatewayBenchmarks.Sections;

/// <summary>What the gateway adds to latency in an open loop, beside YARP.</summary>
internal static class OpenSection
{
    public static async Task RunAsync(Settings settings)
    {
        using var report = new Report("open", settings);
        using var fleet = await Fleet.StartAsync();
        if (settings.Wants("yarp"))
            await fleet.AddYarpAsync();
        foreach (var mode in new[] { "off", "observe" }.Where(settings.Wants))
            await fleet.AddGatewayAsync(mode);
        report.Line(string.Create(CultureInfo.InvariantCulture, $"Plain requests at {settings.Rate} a second, their times drawn beforehand (Poisson). Latency counts from when a request was due, so nothing that waits is left out. Added: over direct with the same times, in the same repeat."));
        report.Line($"{"",-10}{"p50 ms",-28}{"p99 ms",-30}{"added p50 ms",-28}{"added p99 ms",-30}{"n",9}{"failed",8}");
        var measured = fleet.Targets.ToDictionary(t => t.Name, _ => new List<Measurement>(), StringComparer.Ordinal);
        for (var repeat = 0; repeat < settings.Repeats; repeat++)
        {
            foreach (var target in fleet.Targets)
                measured[target.Name].Add(await OpenLoop.RunAsync(target.Requests(stream: false), settings.Rate, settings.WarmUp, settings.Measured, seed: repeat + 1, same: false));
        }
        var direct = measured["direct"];
        foreach (var target in fleet.Targets)
        {
            var runs = measured[target.Name];
            report.Line(string.Create(CultureInfo.InvariantCulture,
                $"{target.Name,-10}{Report.Spread(runs, r => r.P50, "0.00"),-28}{Report.Spread(runs, r => r.P99, "0.00"),-30}{Report.Spread(runs.Zip(direct, (r, d) => r.P50 - d.P50), "0.00"),-28}{Report.Spread(runs.Zip(direct, (r, d) => r.P99 - d.P99), "0.00"),-30}{runs.Sum(r => (long)r.Latencies.Length),9}{runs.Sum(r => r.Failures),8}"));
        }
    }
}
