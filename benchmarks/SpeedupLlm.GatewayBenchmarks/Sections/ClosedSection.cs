using System.Globalization;
using SpeedupLlm.GatewayBenchmarks.Load;
using SpeedupLlm.GatewayBenchmarks.Servers;

namespace SpeedupLlm.GatewayBenchmarks.Sections;

/// <summary>Pass-through in a closed loop: straight to the upstream, through bare YARP, through Portkey's gateway, and through ours in each mode, plain and streaming.</summary>
internal static class ClosedSection
{
    public static async Task RunAsync(Settings settings)
    {
        using var report = new Report("closed", settings);
        using var fleet = await Fleet.StartAsync();
        if (settings.Wants("yarp"))
            await fleet.AddYarpAsync();
        if (settings.Wants("portkey"))
            await fleet.AddPortkeyAsync();
        foreach (var mode in new[] { "off", "observe", "on" }.Where(settings.Wants))
            await fleet.AddGatewayAsync(mode);
        report.Line("Cpu: what the server itself used for a request, warm-up included, over all repeats.");
        report.Line("No question is asked twice. Our gateway has tenants with keys. off forwards; observe forwards and tries some beside it; on searches, judges and learns, so it asks the upstream twice.");
        report.Line(string.Create(CultureInfo.InvariantCulture, $"{"",-10}{"",-8}{"at once",8}   {"requests/s",-26}{"of yarp",-9}{"p50 ms",-24}{"p99 ms",-26}{"cpu µs",8}{"n",9}{"failed",8}"));
        foreach (var stream in new[] { false, true })
        {
            foreach (var connections in settings.Connections)
                await RunAsync(report, fleet, settings, stream, connections);
        }
    }

    private static async Task RunAsync(Report report, Fleet fleet, Settings settings, bool stream, int connections)
    {
        var targets = new List<Target>();
        foreach (var target in fleet.Targets)
        {
            using var connection = new Connection(target.Server.Address);
            var status = await connection.AskAsync(target.Requests(stream).Copy());
            if (status == 200)
                targets.Add(target);
            else
                report.Line(string.Create(CultureInfo.InvariantCulture, $"{target.Name,-10}{(stream ? "stream" : "plain"),-8}{connections,8}   left out: it answers such requests with {status}"));
        }
        var measured = targets.ToDictionary(t => t.Name, _ => new List<Measurement>(), StringComparer.Ordinal);
        var used = targets.ToDictionary(t => t.Name, _ => (Time: TimeSpan.Zero, Requests: 0L), StringComparer.Ordinal);
        // in turn, so that what the machine does meanwhile falls on all
        for (var repeat = 0; repeat < settings.Repeats; repeat++)
        {
            foreach (var target in targets)
            {
                var (time, asked) = (target.Server.Processor, ClosedLoop.Asked);
                measured[target.Name].Add(await ClosedLoop.RunAsync(target.Requests(stream), connections, settings.WarmUp, settings.Measured));
                used[target.Name] = (used[target.Name].Time + target.Server.Processor - time, used[target.Name].Requests + ClosedLoop.Asked - asked);
            }
        }
        foreach (var target in targets)
        {
            var runs = measured[target.Name];
            var ofYarp = measured.TryGetValue("yarp", out var yarp)
                ? Report.Median(runs.Zip(yarp, static (ours, theirs) => ours.PerSecond / theirs.PerSecond)).ToString("0.00", CultureInfo.InvariantCulture)
                : "-";
            report.Line(string.Create(CultureInfo.InvariantCulture,
                $"{target.Name,-10}{(stream ? "stream" : "plain"),-8}{connections,8}   {Report.Spread(runs, r => r.PerSecond, "0"),-26}{ofYarp,-9}{Report.Spread(runs, r => r.P50, "0.00"),-24}{Report.Spread(runs, r => r.P99, "0.00"),-26}{used[target.Name].Time.TotalMicroseconds / used[target.Name].Requests,8:0}{runs.Sum(r => (long)r.Latencies.Length),9}{runs.Sum(r => r.Failures),8}"));
        }
        report.Line("");
    }
}
