using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using SpeedupLlm.Compute;
using SpeedupLlm.GatewayBenchmarks.Load;
using SpeedupLlm.GatewayBenchmarks.Servers;

namespace SpeedupLlm.GatewayBenchmarks.Sections;

/// <summary>Mixed load for long: whether memory grows after warm-up, and whether anything fails that the upstream did not fail.</summary>
internal static class SoakSection
{
    private const int Connections = 16;

    // few enough that all are learnt while it warms up: what is kept of new questions is no leak
    private const int Questions = 200;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    public static async Task RunAsync(Settings settings)
    {
        using var report = new Report("soak", settings);
        using var fleet = await Fleet.StartAsync();
        var gateway = await fleet.AddGatewayAsync("on");
        Requests Of(bool stream, string text = "", string members = "", string path = "/v1/chat/completions") => new(gateway.Server.Address, gateway.Headers, stream, text, members, path);
        const string tools = "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{}}}],", off = "\"speedup\":{\"scaling\":\"off\"},", fail = FakeUpstream.FailMark + " ";
        // one in a hundred is failed by the upstream, half of them in the middle of a stream
        (string Name, int Weight, Requests Requests)[] mix =
        [
            ("question", 300, Of(false)), ("question, streamed", 300, Of(true)), ("tools", 100, Of(false, members: tools)), ("tools, streamed", 90, Of(true, members: tools)),
            ("forwarded", 100, Of(false, members: off)), ("forwarded, streamed", 50, Of(true, members: off)), ("other operation", 50, Of(false, path: "/v1/responses")),
            ("failed", 5, Of(false, fail, off)), ("failed, streamed", 5, Of(true, fail, off)),
        ];
        report.Line(string.Create(CultureInfo.InvariantCulture, $"Mode on, {settings.Minutes} minutes, {Connections} connections with a pause of {Pause.TotalMilliseconds} ms, {Questions} questions. The first fifth is warm-up."));
        var started = Stopwatch.GetTimestamp();
        var length = TimeSpan.FromMinutes(settings.Minutes);
        var counts = new ConcurrentDictionary<(string Name, int Status), long>();
        var load = Task.WhenAll(Enumerable.Range(0, Connections).Select(worker => Task.Run(async () =>
        {
            using var connection = new Connection(gateway.Server.Address);
            var chance = new StreamRandom(StreamKey.Root(4).Child(worker));
            var copies = mix.Select(m => m.Requests.Copy()).ToArray();
            while (Stopwatch.GetElapsedTime(started) < length)
            {
                var kind = Pick(mix, chance);
                mix[kind].Requests.Fill(copies[kind], chance.Next(Questions));
                var status = await connection.AskAsync(copies[kind]);
                counts.AddOrUpdate((mix[kind].Name, status), 1, static (_, n) => n + 1);
                await Task.Delay(Pause);
            }
        })));
        var resident = new List<(TimeSpan At, long Bytes)>();
        while (!load.IsCompleted)
        {
            await Task.WhenAny(load, Task.Delay(TimeSpan.FromSeconds(Math.Min(10, length.TotalSeconds / 60))));
            resident.Add((Stopwatch.GetElapsedTime(started), gateway.Server.Resident));
        }
        await load;
        Tell(report, resident, length, counts);
    }

    private static int Pick((string Name, int Weight, Requests Requests)[] mix, StreamRandom chance)
    {
        var left = chance.Next(mix.Sum(m => m.Weight));
        var kind = 0;
        while ((left -= mix[kind].Weight) >= 0)
            kind++;
        return kind;
    }

    private static void Tell(Report report, List<(TimeSpan At, long Bytes)> resident, TimeSpan length, ConcurrentDictionary<(string Name, int Status), long> counts)
    {
        double MiB(double from, double to) => Report.Median(resident.Where(r => r.At >= length * from && r.At <= length * to).Select(r => r.Bytes / 1048576.0));
        report.Line("");
        report.Line($"{"part of the time",-20}{"resident MiB (median)",24}");
        for (var part = 0; part < 10; part++)
            report.Line(string.Create(CultureInfo.InvariantCulture, $"{part / 10.0,4:0.0} to {(part + 1) / 10.0,-12:0.0}{MiB(part / 10.0, (part + 1) / 10.0),24:0.0}"));
        var (before, after) = (MiB(0.2, 0.4), MiB(0.8, 1));
        report.Line(string.Create(CultureInfo.InvariantCulture, $"growth after warm-up: {(after / before - 1) * 100:0.0} % (from the median of 0.2 to 0.4 to that of 0.8 to 1.0)"));
        report.Line("");
        report.Line($"{"request",-24}{"status",8}{"n",12}");
        foreach (var ((name, status), n) in counts.OrderBy(c => c.Key.Name, StringComparer.Ordinal).ThenBy(c => c.Key.Status))
            report.Line(string.Create(CultureInfo.InvariantCulture, $"{name,-24}{(status == 0 ? "broken" : status.ToString(CultureInfo.InvariantCulture)),8}{n,12}"));
        report.Line(string.Create(CultureInfo.InvariantCulture, $"failed though the upstream did not fail it: {counts.Where(c => c.Key.Status != 200 && !c.Key.Name.StartsWith("failed", StringComparison.Ordinal)).Sum(c => c.Value)}"));
    }
}
