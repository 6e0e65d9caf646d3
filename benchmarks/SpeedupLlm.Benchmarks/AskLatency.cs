using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace SpeedupLlm.Benchmarks;

/// <summary>From the start of the process <c>speedup ask</c> to the first token that the embedded reasoner generates, with an empty store and with a given one.</summary>
internal static class AskLatency
{
    private const int Runs = 7;

    /// <param name="arguments">A store to compare with an empty one, such as <c>store</c> makes with the model's fingerprint.</param>
    public static async Task RunAsync(string[] arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "speedup.dll");
        var empty = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"speedup-ask-{Environment.ProcessId}.db"));
        foreach (var (name, store) in new[] { ("empty store", empty), ("given store", arguments.ElementAtOrDefault(0)) })
        {
            if (store is null)
                continue;
            var times = new List<double>();
            for (var run = 0; run < Runs; run++)
                times.Add(await FirstTokenAsync(program, store));
            times.Sort();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ask     {name}   first token after {times[Runs / 2]:0.00} s (median of {Runs}, {times[0]:0.00} to {times[^1]:0.00})"));
        }

        foreach (var file in Directory.GetFiles(Path.GetTempPath(), Path.GetFileName(empty) + "*"))
            File.Delete(file);
        if (Directory.Exists(empty + ".index"))
            Directory.Delete(empty + ".index", recursive: true);
    }

    private static async Task<double> FirstTokenAsync(string program, string store)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var argument in (string[])[program, "ask", "Orpi North posts parcels. 4 km and 3 kg cost 15. 2 km and 7 kg cost 21. What do 5 km and 5 kg cost?", "--store", store, "--samples", "1", "--memory", "in-context"])
            start.ArgumentList.Add(argument);
        var begin = Stopwatch.GetTimestamp();
        using var process = Process.Start(start) ?? throw new InvalidOperationException("The program did not start.");
        var heard = new StringBuilder();
        var buffer = new byte[64];
        double? first = null;
        for (int read; (read = await process.StandardOutput.BaseStream.ReadAsync(buffer)) > 0;)
        {
            heard.Append(Encoding.UTF8.GetString(buffer, 0, read));
            // what follows "1. " was generated
            if (first is null && heard.ToString().IndexOf("1. ", StringComparison.Ordinal) is >= 0 and var at && heard.Length > at + 3)
                first = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        }

        await process.WaitForExitAsync();
        return first ?? throw new InvalidOperationException("Nothing was generated: " + heard);
    }
}
