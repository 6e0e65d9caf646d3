using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using SpeedupLlm.Benchmark.Sensitivity;
using SpeedupLlm.Prompts;
using SpeedupLlm.Testing;
using SpeedupLlm.Transformer.Formats;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Cli.Tests;

/// <summary>The study under <c>docs/results/</c> is of the weights, the world, the prompts and the protocol that are in the repo: none of them can change without it.</summary>
public sealed class PublishedResultsTests
{
    private static string Results { get; } = Path.Combine(Repository.Root, "docs", "results");

    public static TheoryData<string> Runs() => [.. With("manifest.json")];

    /// <summary>Those of cells; a stream has none.</summary>
    public static TheoryData<string> Grids() => [.. With("summary.json")];

    [Theory]
    [MemberData(nameof(Runs))]
    public void Run_IsOfWhatIsInTheRepo(string run)
    {
        var manifest = Json(run, "manifest.json");
        Assert.Equal("complete", manifest.GetProperty("status").GetString());
        var parameters = manifest.GetProperty("parameters");
        Assert.Equal(2026, parameters.GetProperty("seed").GetInt64());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(Repository.Root, "docs", "protocol.md")))), manifest.GetProperty("protocolSha256").GetString());
        var world = WorldCatalogue.Find(parameters.GetProperty("data").GetString()!)!;
        var name = parameters.GetProperty("model").GetString() == "novice" ? "novice" : world == WorldCatalogue.All[0] ? "apprentice" : world.Name;
        var weights = $"{name}-{parameters.GetProperty("checkpoint").GetInt32().ToString(CultureInfo.InvariantCulture)}.safetensors";
        Assert.Equal(ModelFile.Load(Path.Combine(Repository.Root, "weights", weights)).Fingerprint(), manifest.GetProperty("modelFingerprint").GetString());
        Assert.Equal(new CompactPrompts().Fingerprint, manifest.GetProperty("promptFingerprint").GetString());
        Assert.Equal(world.Fingerprint + "/sealed", manifest.GetProperty("dataFingerprint").GetString());
    }

    [Fact]
    public void TheoryAndSensitivity_AreOfTheSealedFirmsAndWhole()
    {
        var theory = Json("theory", "theory.json");
        Assert.Equal(2026, theory.GetProperty("seed").GetInt64());
        Assert.Equal(ModelFile.Load(Path.Combine(Repository.Root, "weights", "apprentice-1.safetensors")).Fingerprint(), theory.GetProperty("modelFingerprint").GetString());
        Assert.Equal((24, 80), (theory.GetProperty("answers").GetArrayLength(), theory.GetProperty("premises").GetArrayLength()));

        var sensitivity = Json("sensitivity", "sensitivity.json");
        Assert.Equal("complete", sensitivity.GetProperty("status").GetString());
        Assert.Equal(2026, sensitivity.GetProperty("parameters").GetProperty("seed").GetInt64());
        Assert.Equal(Sweeps.Names, sensitivity.GetProperty("sweeps").EnumerateArray().Select(s => s.GetProperty("name").GetString()));
    }

    [Theory]
    [MemberData(nameof(Grids))]
    public void Run_HasAllCellsInEachFile(string run)
    {
        var parameters = Json(run, "manifest.json").GetProperty("parameters");
        var cells = Json(run, "summary.json").GetProperty("cells").EnumerateArray().ToList();
        var expected = parameters.GetProperty("similarity").GetArrayLength() * parameters.GetProperty("scaling").GetArrayLength() * parameters.GetProperty("memory").GetArrayLength();
        Assert.Equal(expected, cells.Count);
        Assert.All(cells, c => Assert.Equal(parameters.GetProperty("groups").GetInt32() * parameters.GetProperty("rounds").GetInt32(), c.GetProperty("trials").GetInt32()));
        Assert.All(cells, c => Assert.Equal(0, c.GetProperty("failed").GetInt32()));
        Assert.Equal(expected + 1, File.ReadAllLines(Path.Combine(Results, run, "cells.csv")).Length);
        var report = File.ReadAllText(Path.Combine(Results, run, "report.html"));
        Assert.Contains("seed 2026", report, StringComparison.Ordinal);
        // nothing is fetched when the report is read
        Assert.DoesNotContain("src=\"http", report, StringComparison.Ordinal);
    }

    /// <summary>Acceptance without memory lies between 0.1 and 0.9: a model that never or always finds an answer would show nothing.</summary>
    [Theory]
    [MemberData(nameof(Grids))]
    public void Run_WithoutMemory_AcceptsSome(string run)
    {
        foreach (var cell in Json(run, "summary.json").GetProperty("cells").EnumerateArray().Where(c => c.GetProperty("memory").GetString() == "none"))
            Assert.InRange(cell.GetProperty("accepted").GetDouble() / cell.GetProperty("trials").GetDouble(), 0.1, 0.9);
    }

    private static IEnumerable<string> With(string file) =>
        Directory.GetFiles(Results, file, SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Results, Path.GetDirectoryName(f)!)).Order(StringComparer.Ordinal);

    private static JsonElement Json(string run, string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Results, run, name)));
        return document.RootElement.Clone();
    }
}
