namespace SpeedupLlm.Cli.Tests;

/// <summary>A very small model, trained by the program itself for a moment: it writes nonsense, in the right form of files.</summary>
public sealed class TinyModel : IAsyncLifetime
{
    /// <summary>A question of Tariff World.</summary>
    public const string Question = "Orpi North posts parcels. 4 km and 3 kg cost 22. 2 km and 7 kg cost 30. What do 5 km and 5 kg cost?";

    private readonly Folder _folder = new();

    /// <summary>What <c>--model</c> takes.</summary>
    public string Name => "embedded:" + File;

    /// <summary>The weights.</summary>
    public string File => _folder["tiny.safetensors"];

    /// <summary>What training said.</summary>
    internal Outcome Training { get; private set; } = new(-1, "", "");

    /// <summary>The recipe.</summary>
    public string Recipe { get; private set; } = "";

    public async Task InitializeAsync()
    {
        Recipe = _folder.Write("recipe.json",
            """{"name":"tiny","world":"tariff","withMemory":true,"seed":1,"promptWeight":0.1,"longestText":600,"tokens":20000,"rate":0.003,"batchTokens":2048,"width":32,"layers":1,"heads":1,"hidden":64}""");
        Training = await Speedup.RunAsync("model", "train", "--recipe", Recipe, "--out", File, "--threads", "1");
    }

    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }
}
