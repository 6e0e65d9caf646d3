using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using SpeedupLlm.Testing;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Tests.Experiments;

/// <summary>Small runs on a scripted model, in folders of their own that go away.</summary>
internal sealed class Runs : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("speedup-bench-").FullName;

    public static ExperimentSettings Quick { get; } = new() { Groups = 3, Rounds = 2, Quick = true };

    public ResultsFolder Folder(string name) => new(Path.Combine(_root, name));

    public void Dispose() => Directory.Delete(_root, recursive: true);

    /// <summary>Right in 3 of 10 attempts, in 7 of 10 with a case or a lesson.</summary>
    public static ScriptedChatClient Model(double p = 0.3, double pWithMemory = 0.7)
    {
        var world = WorldCatalogue.Find("tariff")!;
        var answers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var seed in new long[] { 1, 2 })
        {
            var data = new WorldExamples(world, seed);
            for (var group = 0; group < 8; group++)
            {
                foreach (var similarity in Enum.GetValues<Relevancy.SimilarityLevel>().Where(s => s > 0))
                {
                    for (var level = 0; level <= 6; level++)
                    {
                        var example = data.At(group, similarity, level);
                        answers[example.Question] = example.Expected;
                    }
                }
            }
        }

        return ScriptedApprentice.Create(p, pWithMemory, q => answers.GetValueOrDefault(q, "42")).With<IAdapterTrainer>(new TinyTrainer());
    }

    public static Experiment Make(
        ExperimentSettings settings, ResultsFolder folder, ScriptedChatClient? client = null, int parallelism = 8, Action<ExperimentProgress>? progress = null, AutoPrior? prior = null)
    {
        client ??= Model();
        var traits = (ModelTraits)client.GetService(typeof(ModelTraits))!;
        return new(settings, new(client, traits) { Prior = prior }, new WorldExamples(WorldCatalogue.Find("tariff")!, settings.Seed), folder, TimeProvider.System)
        {
            Parallelism = parallelism,
            Progress = progress,
        };
    }
}
