using System.CommandLine;
using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Cli.Commands;

/// <summary>How every study is told whom to ask, and what.</summary>
internal sealed class StudyOptions
{
    private readonly Option<string> _model = new("--model") { Description = "embedded, novice, recorded:FILE, or the URL of an OpenAI-compatible endpoint.", DefaultValueFactory = _ => ModelSource.Embedded };
    private readonly Option<string?> _modelName = new("--model-name") { Description = "The model's name at the endpoint." };
    private readonly Option<int> _checkpoint = new("--checkpoint") { Description = "Which of the embedded models, from 1.", DefaultValueFactory = _ => 1 };
    private readonly Option<string?> _data = new("--data") { Description = $"A world ({string.Join(", ", WorldCatalogue.Names)}), gsm-plus:FILE or jsonl:FILE. Default: the world of the model, or the questions of the recorded answers." };
    private readonly Option<long> _seed = new("--seed") { Description = "The seed of everything.", DefaultValueFactory = _ => new ExperimentSettings().Seed };

    /// <summary>Adds them to a command, in front of what it has.</summary>
    public void AddTo(Command command)
    {
        foreach (var (place, option) in ((Option[])[_model, _modelName, _checkpoint, _data]).Index())
            command.Options.Insert(place, option);
        command.Options.Add(_seed);
    }

    /// <summary>Settings that are what they say, and else the defaults.</summary>
    public ExperimentSettings SettingsOf(ParseResult parsed) => new()
    {
        Model = parsed.GetValue(_model)!,
        ModelName = parsed.GetValue(_modelName),
        Checkpoint = parsed.GetValue(_checkpoint),
        Seed = parsed.GetValue(_seed),
    };

    /// <summary>The model; a world that is named picks its weights.</summary>
    public ModelSource OpenModel(ParseResult parsed) => ModelSource.Open(
        parsed.GetValue(_model)!, parsed.GetValue(_modelName), parsed.GetValue(_checkpoint), parsed.GetValue(_seed), DataSource.WorldOf(parsed.GetValue(_data)));

    /// <summary>The questions.</summary>
    /// <param name="parsed">What the user wrote.</param>
    /// <param name="model">The model.</param>
    /// <param name="programs">Runs programs that are answers, or null.</param>
    public IExampleSource OpenData(ParseResult parsed, ModelSource model, PythonSandbox? programs = null) =>
        DataSource.Open(parsed.GetValue(_data), model, parsed.GetValue(_seed), programs);
}
