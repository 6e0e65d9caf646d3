using System.Diagnostics;

namespace SpeedupLlm.Gateway.Tests.Dashboard;

/// <summary>The dashboard in Chromium: by keyboard, live, in both colour schemes, on a phone.</summary>
public sealed class BrowserTests
{
    /// <summary>The folder that pictures go to, if anybody wants to look at them; <c>dashboard.png</c> is the one in the docs.</summary>
    private static string? Pictures => Environment.GetEnvironmentVariable("SPEEDUP_PICTURES");

    [Fact]
    public async Task Dashboard_InChromium_HoldsEveryStep()
    {
        var script = await InstallAsync();
        await using var week = await ScriptedWeek.LiveAsync(questionsAStep: 8);
        await using var gateway = await week.StartAgainAsync();

        var (output, error, exit) = await RunAsync("node", script, gateway.Address.AbsoluteUri.TrimEnd('/'), ScriptedWeek.AdminKey, ScriptedWeek.TenantKey, Pictures ?? "");

        Assert.True(exit == 0, output + error);
        Assert.EndsWith("ok no faults", output.TrimEnd(), StringComparison.Ordinal);
    }

    private static async Task<string> InstallAsync()
    {
        var (_, error, exit) = await RunAsync(Path.Combine(Testing.Repository.Root, "tests", "install-npm.sh"), "dashboard");
        Assert.True(exit == 0, error);
        return Path.Combine(Testing.Repository.Root, ".cache", "dashboard", "dashboard.mjs");
    }

    private static async Task<(string Output, string Error, int Exit)> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (await output, await error, process.ExitCode);
    }
}
