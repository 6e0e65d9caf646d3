using System.Diagnostics;
using System.Globalization;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Training;

namespace SpeedupLlm.Benchmarks;

/// <summary>Training the 0.83 M model on random texts of 150 to 300 tokens, beside PyTorch on the same texts with one thread.</summary>
internal static class TrainingSpeed
{
    /// <summary>Tokens a second: by the clock, the best of some stretches, and by processor time over the whole run, which other programs on the machine disturb less.</summary>
    private readonly record struct Speed(double Clock, double Processor);

    public static void Run(string[] arguments)
    {
        var tokens = arguments.Length > 0 ? long.Parse(arguments[0], CultureInfo.InvariantCulture) : 200_000;
        Ours(1, 50_000);
        var one = Ours(1, tokens);
        Print("ours, 1 thread", one);
        if (arguments.Contains("alone"))
            return;
        var torch = PyTorch();
        Print("PyTorch, 1 thread", torch);
        Print("ours / PyTorch", one, torch);
        var two = Ours(2, 2 * tokens);
        Print("ours, 2 threads", two);
        Print("2 threads / 1", two, one);
    }

    private static void Print(string name, Speed speed) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {speed.Clock:F0} tokens/s, {speed.Processor:F0} tokens per processor second"));

    private static void Print(string name, Speed speed, Speed reference) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} = {speed.Clock / reference.Clock:F2} by the clock, {speed.Processor / reference.Processor:F2} by processor time"));

    private static Speed Ours(int threads, long tokens)
    {
        var recipe = new TrainingRecipe { Shape = new(512), Tokens = tokens, WarmUpSteps = 10 };
        var (best, used) = (0.0, Environment.CpuUsage.TotalTime);
        new Trainer(recipe, Text).Train(new() { Threads = threads, ReportEvery = 10, Report = p => best = Math.Max(best, p.TokensPerSecond) }, CancellationToken.None);
        return new(best, tokens / (Environment.CpuUsage.TotalTime - used).TotalSeconds);
    }

    /// <summary>150 to 300 tokens; two thirds are a prompt of small weight, as in the trial.</summary>
    private static TrainingExample Text(long index)
    {
        var state = (uint)index * 2654435761u + 1;
        uint Next() => state = state * 1664525 + 1013904223;
        var length = 150 + (int)((Next() >> 8) % 151);
        var tokens = new int[length];
        var weights = new float[length];
        for (var t = 0; t < length; t++)
            (tokens[t], weights[t]) = ((int)((Next() >> 8) % 512), t == 0 ? 0 : t < length * 2 / 3 ? 0.1f : 1);
        return new(tokens, weights);
    }

    private static Speed PyTorch()
    {
        var script = Path.Combine(AppContext.BaseDirectory, "torch_training.py");
        var start = new ProcessStartInfo("/usr/bin/python3", [script]) { RedirectStandardOutput = true };
        start.Environment["OMP_NUM_THREADS"] = start.Environment["OPENBLAS_NUM_THREADS"] = "1";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var numbers = output.Split().Where(n => n.Length > 0).Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToArray();
        return new(numbers[0], numbers[1]);
    }
}
