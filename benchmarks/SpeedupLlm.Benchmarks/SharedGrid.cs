using System.Diagnostics;
using System.Globalization;

namespace SpeedupLlm.Benchmarks;

/// <summary>A grid of one process with one thread, beside the same grid shared by two such processes: the whole time, from the start of the processes to the last file.</summary>
internal static class SharedGrid
{
    private const string Run = "shared-grid";

    /// <param name="arguments">The address of a database, and how many groups.</param>
    public static async Task RunAsync(string[] arguments)
    {
        var address = arguments.ElementAtOrDefault(0) ?? throw new ArgumentException("workers ADDRESS [GROUPS]", nameof(arguments));
        var groups = arguments.ElementAtOrDefault(1) ?? "6";
        var root = Directory.CreateTempSubdirectory("speedup-workers-");
        try
        {
            var single = await TimeAsync([Start(root, "alone", groups, core: 0)]);
            Print("one process, one thread", single, "s");
            string[] shared = ["--workers", address];
            await TimeAsync([Start(root, "one", groups, core: 0, [.. shared, "--discard"])]);
            var two = await TimeAsync([Start(root, "one", groups, core: 0, shared), Start(root, "two", groups, core: 1, shared)]);
            Print("two processes, one thread each", two, string.Create(CultureInfo.InvariantCulture, $"s, {two / single:0.00} x the one (aim: 0.65)"));
            await TimeAsync([Start(root, "one", groups, core: 0, [.. shared, "--discard"])]);
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    /// <summary>A process that has one core, and knows it, on the folder of a machine of its own.</summary>
    private static Process Start(DirectoryInfo root, string machine, string groups, int core, params string[] more)
    {
        string[] command = [Path.Combine(AppContext.BaseDirectory, "speedup.dll"), "bench", "--groups", groups, "--out", Path.Combine(root.FullName, machine, Run), .. more];
        var start = new ProcessStartInfo("dotnet", command) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_PROCESSOR_COUNT"] = "1";
        var process = Process.Start(start) ?? throw new InvalidOperationException("The program did not start.");
        // told of one core alone, the threads of decoding, training and the pool would still share two
        if (OperatingSystem.IsLinux() || OperatingSystem.IsWindows())
            process.ProcessorAffinity = 1 << core;
        return process;
    }

    /// <summary>Seconds until all have ended.</summary>
    private static async Task<double> TimeAsync(Process[] processes)
    {
        var begin = Stopwatch.GetTimestamp();
        await Task.WhenAll(processes.Select(EndAsync));
        return Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private static async Task EndAsync(Process process)
    {
        using (process)
        {
            var error = process.StandardError.ReadToEndAsync();
            await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            if (process.ExitCode != 0)
                throw new InvalidOperationException(await error);
        }
    }

    private static void Print(string what, double value, string unit) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"workers    {what,-40} {value,10:N1} {unit}"));
}
