using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using SpeedupLlm.Compute;

namespace SpeedupLlm.GatewayBenchmarks.Load;

/// <summary>Requests that come when they come, whether earlier ones are answered or not: their times are drawn beforehand (Poisson), and latency counts from the time that a request was due, so a stall is felt by all that were due in it.</summary>
internal static partial class OpenLoop
{
    // enough that none waits for a connection while the server keeps up
    private const int Connections = 256;

    /// <param name="requests">What is asked.</param>
    /// <param name="perSecond">The rate.</param>
    /// <param name="warmUp">How long before anything counts.</param>
    /// <param name="measured">How long then.</param>
    /// <param name="seed">Of the times.</param>
    /// <param name="same">Whether all ask the same question.</param>
    public static async Task<Measurement> RunAsync(Requests requests, double perSecond, TimeSpan warmUp, TimeSpan measured, long seed, bool same)
    {
        var due = Channel.CreateUnbounded<(long At, long Number)>(new() { SingleWriter = true });
        var begin = Stopwatch.GetTimestamp() + Stopwatch.Frequency / 10;
        var counts = begin + (long)(warmUp.TotalSeconds * Stopwatch.Frequency);
        var end = counts + (long)(measured.TotalSeconds * Stopwatch.Frequency);
        long failures = 0;
        var latencies = Enumerable.Range(0, Connections).Select(_ => new List<double>()).ToArray();
        var running = Task.WhenAll(latencies.Select(mine => Task.Run(async () =>
        {
            using var connection = new Connection(requests.To);
            var request = requests.Copy();
            await foreach (var (at, number) in due.Reader.ReadAllAsync())
            {
                requests.Fill(request, same ? 42 : number);
                var status = await connection.AskAsync(request);
                if (at < counts)
                    continue;
                if (status == 200)
                    mine.Add(Stopwatch.GetElapsedTime(at).TotalMilliseconds);
                else
                    Interlocked.Increment(ref failures);
            }
        })));
        var pace = new Thread(() => Pace(due.Writer, begin, end, perSecond, seed));
        pace.Start();
        await running;
        pace.Join();
        return Measurement.Of(measured.TotalSeconds, failures, latencies);
    }

    private static void Pace(ChannelWriter<(long At, long Number)> due, long begin, long end, double perSecond, long seed)
    {
        var chance = new StreamRandom(StreamKey.Root(seed));
        double at = begin;
        for (long number = seed * 1_000_000; at < end; number++)
        {
            for (long left; (left = (long)at - Stopwatch.GetTimestamp()) > 0;)
                Sleep(left);
            due.TryWrite(((long)at, number));
            at -= Math.Log(1 - chance.NextDouble()) / perSecond * Stopwatch.Frequency;
        }
        due.Complete();
    }

    /// <summary>Sleeps to some 60 µs: the runtime's own timers know milliseconds, and spinning would take a core from what is measured.</summary>
    private static void Sleep(long ticks)
    {
        var time = new TimeSpec { Seconds = ticks / Stopwatch.Frequency, Nanoseconds = ticks % Stopwatch.Frequency * (1_000_000_000 / Stopwatch.Frequency) };
        _ = NanoSleep(in time, 0);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int NanoSleep(in TimeSpec time, nint left);
}
