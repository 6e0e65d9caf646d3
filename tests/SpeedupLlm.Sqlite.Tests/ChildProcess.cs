using System.Diagnostics;

namespace SpeedupLlm.Sqlite.Tests;

/// <summary>This test assembly as another process.</summary>
internal static class ChildProcess
{
    /// <summary>Starts <see cref="ChildProgram"/>.</summary>
    /// <param name="asNobody">Without root's right to write everywhere.</param>
    /// <param name="arguments">See <see cref="ChildProgram"/>.</param>
    public static Process Start(bool asNobody, params string[] arguments)
    {
        var assembly = typeof(ChildProgram).Assembly.Location;
        string[] command = [Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet", "exec", assembly, .. arguments];
        if (asNobody)
            command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", .. command];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        return Process.Start(start)!;
    }

    /// <summary>Waits for the end and gives what was printed.</summary>
    public static async Task<string> OutputAsync(this Process process)
    {
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"The child ended with {process.ExitCode}: {await errors}");
        return output.Trim();
    }
}
