using System.Diagnostics;
using System.Runtime.InteropServices;

namespace SpeedupLlm.Cli.Tests;

/// <summary>What a run of the program gave.</summary>
internal sealed record Outcome(int Status, string Output, string Error)
{
    /// <summary>Asserts one line of error and this status: no stack trace, nothing else.</summary>
    public void AssertRefused(int status, params string[] says)
    {
        Assert.Equal(status, Status);
        var line = Assert.Single(Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("speedup: ", line, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", line, StringComparison.Ordinal);
        foreach (var part in says)
            Assert.Contains(part, line, StringComparison.Ordinal);
    }
}

/// <summary>The program as a process.</summary>
internal static class Speedup
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "speedup.dll");

    public static async Task<Outcome> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        return await EndAsync(process);
    }

    public static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.ArgumentList.Add(Program);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["OPENAI_API_KEY"] = "";
        return Process.Start(start) ?? throw new InvalidOperationException("The program did not start.");
    }

    public static async Task<Outcome> EndAsync(Process process)
    {
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new(process.ExitCode, await output, await error);
    }

    /// <summary>As Ctrl-C does.</summary>
    public static void Interrupt(Process process) => Assert.Equal(0, Kill(process.Id, 2));

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);
}

/// <summary>A folder of one test's own that goes away.</summary>
internal sealed class Folder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("speedup-cli-").FullName;

    public string this[string name] => Path.Combine(_path, name);

    public string Write(string name, params string[] lines)
    {
        File.WriteAllLines(this[name], lines);
        return this[name];
    }

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
