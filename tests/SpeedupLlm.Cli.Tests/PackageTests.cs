using System.Diagnostics;
using System.IO.Compression;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Cli.Tests;

/// <summary>The packages, made from what was built, and the tool as somebody installs it.</summary>
public sealed class PackageTests : IDisposable
{
    private static readonly string Source = Path.Combine(Testing.Repository.Root, "src");

    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Libraries() => [.. Directory.GetFiles(Source, "*.csproj", SearchOption.AllDirectories)
        .Where(p => File.ReadAllText(p) is var text && text.Contains("<IsPackable>true", StringComparison.Ordinal) && !text.Contains("<PackAsTool>", StringComparison.Ordinal))
        .Select(p => Path.GetFileNameWithoutExtension(p)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task Library_Packed_HasItsReadmeDocsLicenceAndSymbols(string library)
    {
        await PackAsync(library);
        using var package = ZipFile.OpenRead(Assert.Single(Directory.GetFiles(_folder["packages"], "*.nupkg")));
        var files = package.Entries.Select(e => e.FullName).ToList();
        foreach (var file in (string[])["README.md", $"lib/net10.0/{library}.dll", $"lib/net10.0/{library}.xml"])
            Assert.Contains(file, files);
        using var reader = new StreamReader(package.Entries.Single(e => e.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open());
        var description = await reader.ReadToEndAsync();
        Assert.Contains("<license type=\"expression\">MIT</license>", description, StringComparison.Ordinal);
        Assert.Contains("<readme>README.md</readme>", description, StringComparison.Ordinal);
        using var symbols = ZipFile.OpenRead(Assert.Single(Directory.GetFiles(_folder["packages"], "*.snupkg")));
        Assert.Contains($"lib/net10.0/{library}.pdb", symbols.Entries.Select(e => e.FullName));
    }

    [Fact]
    public async Task Tool_PackedAndInstalled_AnswersAQuestion()
    {
        await PackAsync("SpeedupLlm.Cli");
        // nothing but this package: the tool brings all it needs, the weights among it
        var config = _folder.Write("nuget.config", "<configuration><packageSources><clear /><add key=\"here\" value=\"packages\" /></packageSources></configuration>");
        await RunAsync("dotnet", "tool", "install", "SpeedupLlm.Cli", "--tool-path", _folder["tools"], "--configfile", config);
        var tool = Path.Combine(_folder["tools"], OperatingSystem.IsWindows() ? "speedup.exe" : "speedup");
        Assert.Matches(@"^\d+\.\d+\.\d+", await RunAsync(tool, "--version"));
        Assert.Contains("kept as ", await RunAsync(tool, "ask", WorldCatalogue.All[0].HelpExamples[0], "--store", _folder["e.db"], "--seed", "1"), StringComparison.Ordinal);
    }

    private async Task PackAsync(string project)
    {
        var configuration = Directory.GetParent(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar))!.Name;
        await RunAsync("dotnet", "pack", Path.Combine(Source, project), "-c", configuration, "--no-build", "--output", _folder["packages"]);
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })
            ?? throw new InvalidOperationException($"{program} did not start.");
        var outcome = await Speedup.EndAsync(process);
        Assert.True(outcome.Status == 0, $"{program} {string.Join(' ', arguments)}\n{outcome.Output}{outcome.Error}");
        return outcome.Output;
    }
}
