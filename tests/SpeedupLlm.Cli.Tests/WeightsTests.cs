using System.Text.Json;
using SpeedupLlm.Cli.Apprentice;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Testing;
using SpeedupLlm.Transformer.Formats;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Cli.Tests;

/// <summary>The weights that ship with the repo: they are what their recipes, worlds and prompts make, and they work.</summary>
public sealed class WeightsTests
{
    private static string Weights { get; } = Path.Combine(Repository.Root, "weights");

    public static TheoryData<string> Files() => [.. Directory.GetFiles(Weights, "*.safetensors").Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Weights_CarryTheHashesOfRecipeWorldAndPrompts(string name)
    {
        var origin = ModelFile.Load(Path.Combine(Weights, name + ".safetensors")).Origin;
        var recipe = ApprenticeRecipe.FromJson(File.ReadAllText(Path.Combine(Weights, name + ".recipe.json")));
        Assert.Equal(name, recipe.Name);
        Assert.Equal(name, origin.Name);
        Assert.Equal(recipe.Hash(), origin.Recipe);
        Assert.Equal(WorldCatalogue.Find(recipe.World)!.Fingerprint, origin.World);
        Assert.Equal(new CompactPrompts().Fingerprint, origin.Prompts);
        Assert.True(File.Exists(Path.Combine(Weights, name + ".log")), "The log of the training is missing.");
    }

    public static TheoryData<string> Priors() => [.. Directory.GetFiles(Weights, "*.prior.json").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];

    /// <summary>A prior measured on other weights would not be used, and nobody would notice.</summary>
    [Theory]
    [MemberData(nameof(Priors))]
    public async Task Prior_IsOfTheWeightsBesideIt(string file)
    {
        var prior = AutoPrior.Parse(await File.ReadAllTextAsync(Path.Combine(Weights, file)));
        await using var model = ModelSource.Open("embedded:" + Path.Combine(Weights, file.Replace(".prior.json", ".safetensors", StringComparison.Ordinal)), null, 1, 1);
        Assert.Equal(model.Traits.Fingerprint, prior.ModelFingerprint);
        Assert.NotNull(model.Prior);
        Assert.All(prior.Bands, b => Assert.InRange(b.Effort, 0.125, 1));
    }

    [Fact]
    public void Weights_TakeAtMostThirtyTwoMegabytes() =>
        Assert.InRange(Directory.GetFiles(Weights, "*.safetensors").Sum(f => new FileInfo(f).Length), 1_000_000, 32_000_000);

    [Fact]
    public async Task Bench_OnTheShippedApprentice_AcceptsSomeAndKeepsItsPromises()
    {
        using var folder = new Folder();
        var outcome = await Speedup.RunAsync("bench", "--quick", "--groups", "3", "--rounds", "1", "--out", folder["run"]);
        Assert.Equal(0, outcome.Status);
        Assert.Contains("indicative", outcome.Output, StringComparison.Ordinal);
        var trials = File.ReadAllLines(Path.Combine(folder["run"], "trials.jsonl")).Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal(96 * 3 * 2, trials.Count);
        Assert.DoesNotContain(trials, t => t.GetProperty("error").ValueKind != JsonValueKind.Null);
        // a model that never finds an answer, or never misses one, would show nothing
        Assert.Contains(trials, t => t.GetProperty("accepted").GetBoolean());
        Assert.Contains(trials, t => !t.GetProperty("accepted").GetBoolean());
        // every memory was exercised for real: weights were trained, lessons were written
        Assert.Contains(trials, t => Purposes(t, "sft").Contains("train"));
        foreach (var memory in new[] { "reflect", "multi-reflect", "reflect-update" })
            Assert.Contains(trials, t => Purposes(t, memory).Contains("learn"));
    }

    private static IEnumerable<string?> Purposes(JsonElement trial, string memory) => trial.GetProperty("memory").GetString() == memory
        ? trial.GetProperty("bill").EnumerateArray().Select(b => b.GetProperty("purpose").GetString())
        : [];
}
