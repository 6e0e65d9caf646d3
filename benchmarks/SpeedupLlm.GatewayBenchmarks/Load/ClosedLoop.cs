using System.Diagnostics;

namespace SpeedupLlm.GatewayBenchmarks.Load;

/// <summary>So many connections, each of which asks again as soon as it is answered.</summary>
internal static class ClosedLoop
{
    private static long _number;
    private static long _asked;

    /// <summary>How many requests were made so far, counted or not.</summary>
    public static long Asked => Volatile.Read(ref _asked);

    /// <param name="requests">What is asked.</param>
    /// <param name="connections">How many at once.</param>
    /// <param name="warmUp">How long before anything counts.</param>
    /// <param name="measured">How long then.</param>
    /// <param name="same">Whether all ask the same question; else no question is asked twice.</param>
    public static async Task<Measurement> RunAsync(Requests requests, int connections, TimeSpan warmUp, TimeSpan measured, bool same = false)
    {
        var begin = Stopwatch.GetTimestamp() + (long)(warmUp.TotalSeconds * Stopwatch.Frequency);
        var end = begin + (long)(measured.TotalSeconds * Stopwatch.Frequency);
        long failures = 0;
        var latencies = Enumerable.Range(0, connections).Select(_ => new List<double>()).ToArray();
        await Task.WhenAll(latencies.Select(mine => Task.Run(async () =>
        {
            using var connection = new Connection(requests.To);
            var request = requests.Copy();
            for (long now; (now = Stopwatch.GetTimestamp()) < end;)
            {
                requests.Fill(request, same ? 42 : Interlocked.Increment(ref _number));
                var status = await connection.AskAsync(request);
                var ended = Stopwatch.GetTimestamp();
                Interlocked.Increment(ref _asked);
                if (ended < begin || ended >= end)
                    continue;
                if (status == 200)
                    mine.Add(Stopwatch.GetElapsedTime(now, ended).TotalMilliseconds);
                else
                    Interlocked.Increment(ref failures);
            }
        })));
        return Measurement.Of(measured.TotalSeconds, failures, latencies);
    }
}
