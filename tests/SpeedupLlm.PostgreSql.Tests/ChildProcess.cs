using System.Diagnostics;

namespace SpeedupLlm.PostgreSql.Tests;

/// <summary>This test assembly as another process.</summary>
internal static class ChildProcess
{
    /// <summary>Starts <see cref="ChildProgram"/>.</summary>
    public static Process Start(params string[] arguments)
    {
        var assembly = typeof(ChildProgram).Assembly.Location;
        var host = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        return Process.Start(new ProcessStartInfo(host, ["exec", assembly, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    }

    /// <summary>Waits for the end and gives the lines that were printed.</summary>
    public static async Task<string[]> LinesAsync(this Process process)
    {
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"The child ended with {process.ExitCode}: {await errors}");
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>The next line, or what went wrong.</summary>
    public static async Task<string> LineAsync(this Process process) =>
        await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException(await process.StandardError.ReadToEndAsync());
}
