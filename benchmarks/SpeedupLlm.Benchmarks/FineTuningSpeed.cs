using System.Diagnostics;
using System.Globalization;
using SpeedupLlm.Compute;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Training;

namespace SpeedupLlm.Benchmarks;

/// <summary>Fine-tuning the 0.83 M model on one past case of 200 tokens, eight steps; the goal is 0.25 s.</summary>
internal static class FineTuningSpeed
{
    public static void Run()
    {
        var weights = Weights.Initial(new(512), StreamKey.Root(1));
        var text = new TrainingExample([.. Enumerable.Range(0, 200).Select(t => t * 37 % 512)], [0, .. Enumerable.Repeat(1f, 199)]);
        foreach (var rank in (int?[])[null, 8])
        {
            double[] seconds = new double[12], processor = new double[12];
            for (var i = 0; i < seconds.Length; i++)
            {
                var (start, used) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
                FineTuning.Train(weights, [text], new() { Rank = rank }, StreamKey.Root(2), CancellationToken.None);
                (seconds[i], processor[i]) = (Stopwatch.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - used).TotalSeconds);
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{(rank is null ? "all weights" : "rank 8"),-12} first {seconds[0]:F3} s, then best {seconds[1..].Min():F3} s, worst {seconds[1..].Max():F3} s, processor {processor[1..].Min():F3} s; best / 0.25 s = {seconds[1..].Min() / 0.25:F2}"));
        }
    }
}
