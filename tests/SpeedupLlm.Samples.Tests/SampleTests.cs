using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace SpeedupLlm.Samples.Tests;

/// <summary>Each sample as a process, on the embedded reasoner.</summary>
public sealed class SampleTests
{
    [Theory]
    [InlineData("SupportDesk")]
    [InlineData("SearchHelper")]
    [InlineData("ClinicIntake")]
    public async Task Sample_ItsAfternoon_CostsLessThanItsMorning(string sample)
    {
        var output = await RunAsync(sample);
        var (morning, afternoon) = (Half(output, "morning"), Half(output, "afternoon"));
        Assert.True(afternoon.Cost < morning.Cost, output);
        Assert.True(afternoon.Recalled > morning.Recalled, output);
        Assert.Equal(morning.Questions, afternoon.Questions);
    }

    [Fact]
    public async Task ClinicIntake_WhatPatientsSayOfThemselves_IsNotKept()
    {
        var output = await RunAsync("ClinicIntake");
        var said = Regex.Match(output, @"^(\d+) patients said who they are; of (\d+) episodes kept, (\d+) say it too$", RegexOptions.Multiline | RegexOptions.CultureInvariant);
        Assert.True(said.Success, output);
        Assert.True(Number(said, 1) > 0 && Number(said, 2) > 0, output);
        Assert.Equal(0, Number(said, 3));
    }

    private static (long Questions, long Cost, long Recalled) Half(string output, string name)
    {
        var half = Regex.Match(output, $@"^{name}\s+(\d+) questions, full cost (\d+), (\d+) answered from memory, \d+ right$", RegexOptions.Multiline | RegexOptions.CultureInvariant);
        Assert.True(half.Success, output);
        return (Number(half, 1), Number(half, 2), Number(half, 3));
    }

    private static long Number(Match match, int group) => long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    private static async Task<string> RunAsync(string sample)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, sample + ".dll"));
        using var process = Process.Start(start) ?? throw new InvalidOperationException("The sample did not start.");
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await error);
        return await output;
    }
}
