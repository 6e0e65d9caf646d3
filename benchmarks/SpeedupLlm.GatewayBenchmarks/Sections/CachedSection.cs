using System.Globalization;
using SpeedupLlm.GatewayBenchmarks.Load;
using SpeedupLlm.GatewayBenchmarks.Servers;

namespace SpeedupLlm.GatewayBenchmarks.Sections;

/// <summary>Exact hits: the same question with a tenant's key, answered from memory without the upstream.</summary>
internal static class CachedSection
{
    public static async Task RunAsync(Settings settings)
    {
        using var report = new Report("cached", settings);
        using var fleet = await Fleet.StartAsync();
        var on = await fleet.AddGatewayAsync("on");
        // learning comes after the answer
        await ClosedLoop.RunAsync(on.Requests(stream: false), 1, TimeSpan.Zero, TimeSpan.FromSeconds(2), same: true);
        report.Line("Cpu: what the server itself used for a request, warm-up included, over all repeats.");
        report.Line("One question, asked again and again with a tenant's key: its answer comes from memory (SQLite). Direct asks the upstream, which answers at once.");
        report.Line($"{"",-10}{"",-8}{"at once",8}   {"requests/s",-26}{"p50 ms",-24}{"p99 ms",-26}{"cpu µs",8}{"n",9}{"failed",8}");
        foreach (var stream in new[] { false, true })
        {
            foreach (var connections in settings.Connections)
            {
                foreach (var target in fleet.Targets)
                {
                    var runs = new List<Measurement>();
                    var (time, asked) = (target.Server.Processor, ClosedLoop.Asked);
                    for (var repeat = 0; repeat < settings.Repeats; repeat++)
                        runs.Add(await ClosedLoop.RunAsync(target.Requests(stream), connections, settings.WarmUp, settings.Measured, same: true));
                    report.Line(string.Create(CultureInfo.InvariantCulture,
                        $"{(target == on ? "hits" : target.Name),-10}{(stream ? "stream" : "plain"),-8}{connections,8}   {Report.Spread(runs, r => r.PerSecond, "0"),-26}{Report.Spread(runs, r => r.P50, "0.00"),-24}{Report.Spread(runs, r => r.P99, "0.00"),-26}{(target.Server.Processor - time).TotalMicroseconds / (ClosedLoop.Asked - asked),8:0}{runs.Sum(r => (long)r.Latencies.Length),9}{runs.Sum(r => r.Failures),8}"));
                }
            }
        }
    }
}
