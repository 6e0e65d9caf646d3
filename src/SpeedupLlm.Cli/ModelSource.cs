using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.AI;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using SpeedupLlm.Models;
using SpeedupLlm.Transformer.Adapter;
using SpeedupLlm.Transformer.Formats;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Cli;

/// <summary>A model that a command named: <c>embedded</c>, <c>novice</c>, <c>recorded:FILE</c> or a URL; <c>embedded:FILE</c> is one of one's own.</summary>
internal sealed class ModelSource : IAsyncDisposable
{
    public const string Embedded = "embedded", Novice = "novice", Recorded = "recorded:";

    private const string EmbeddedFile = "embedded:";
    private readonly IChatClient _client;

    private ModelSource(string name, IChatClient client, ModelTraits traits)
    {
        Name = name;
        _client = client;
        Traits = traits;
    }

    public string Name { get; }

    public IChatClient Client => _client;

    public ModelTraits Traits { get; }

    /// <summary>Whether it is a reasoner of this program, which knows its worlds only.</summary>
    public bool IsEmbedded => _client is ApprenticeChatClient;

    /// <summary>The world that an embedded one was trained on; of any other model the first.</summary>
    public IWorld World { get; private init; } = WorldCatalogue.All[0];

    /// <summary>The answer set, if that is what it is.</summary>
    public RecordedAnswerSet? Answers => _client.GetService(typeof(RecordedAnswerSet)) as RecordedAnswerSet;

    /// <summary>What auto is told of it beforehand: the file beside the weights, if it was measured on these very weights.</summary>
    /// <exception cref="UsageException">The file cannot be read.</exception>
    public AutoPrior? Prior => PriorFile is { } file && File.Exists(file) && ReadPrior(file) is var prior && prior.ModelFingerprint == Traits.Fingerprint ? prior : null;

    // read when it is asked for: what measures it anew does not need it
    private string? PriorFile { get; init; }

    /// <summary>Refuses questions that an embedded one was not trained for: its answers would say nothing.</summary>
    /// <exception cref="UsageException">It was trained on another world.</exception>
    public void RequireWorld(IWorld world)
    {
        if (IsEmbedded && World != world)
            throw new UsageException($"'{Name}' was trained on {World.Name} questions and knows nothing of {world.Name} questions");
    }

    /// <summary>The model as an experiment takes it.</summary>
    public ExperimentModel ForExperiment() => new(_client, Traits)
    {
        Prior = Prior,
        NoMemoryBecause = Answers is null ? null : $"the answers of {Path.GetFileName(Answers.File)} were given without memory",
    };

    /// <summary>Opens a model.</summary>
    /// <param name="model">What the user wrote.</param>
    /// <param name="name">The model's name at an endpoint.</param>
    /// <param name="checkpoint">Which of the embedded ones, from 1.</param>
    /// <param name="seed">Orders the candidates of an answer set.</param>
    /// <param name="world">The world whose questions an embedded one answers: each world has weights of its own. Null is the first.</param>
    /// <exception cref="UsageException">There is no such model.</exception>
    public static ModelSource Open(string model, string? name, int checkpoint, long seed, IWorld? world = null)
    {
        if (model is Embedded or Novice)
            return OpenEmbedded(model, WeightsOf(model, checkpoint, world));
        if (model.StartsWith(EmbeddedFile, StringComparison.Ordinal))
            return OpenEmbedded(model, model[EmbeddedFile.Length..]);
        if (model.StartsWith(Recorded, StringComparison.Ordinal))
        {
            var recorded = RecordedModel.Open(DataSource.Existing(model[Recorded.Length..]), StreamKey.Root(seed));
            return new(model, recorded, TraitsOf(recorded));
        }

        if (!model.Contains("://", StringComparison.Ordinal))
            throw new UnknownNameException("model", model, [Embedded, Novice, "recorded:FILE", "URL"]);
        if (name is null)
            throw new UsageException($"--model-name is missing: which model of {model}?");
        var client = new OpenAiChatClient(new() { Endpoint = OpenAiOptions.ParseEndpoint(model), Model = name });
        return new(model, client, TraitsOf(client));
    }

    /// <summary>The file of an embedded model's weights for a world; null is the first.</summary>
    /// <exception cref="UsageException">There is none of that number.</exception>
    public static string WeightsOf(string model, int checkpoint, IWorld? world = null)
    {
        world ??= WorldCatalogue.All[0];
        var file = WeightsFile(model, checkpoint, world);
        if (File.Exists(file))
            return file;
        var there = Enumerable.Range(1, 99).Where(n => File.Exists(WeightsFile(model, n, world))).ToList();
        throw new UsageException(there.Count == 0
            ? $"the weights of '{model}' for {world.Name} questions are not there: {Path.GetFileName(file)} is missing beside the program"
            : string.Create(CultureInfo.InvariantCulture, $"there is no checkpoint {checkpoint} of '{model}' for {world.Name} questions. Valid: {string.Join(", ", there)}."));
    }

    public async ValueTask DisposeAsync()
    {
        if (_client is IAsyncDisposable asynchronous)
            await asynchronous.DisposeAsync().ConfigureAwait(false);
        else
            _client.Dispose();
    }

    private static ModelSource OpenEmbedded(string name, string file)
    {
        var weights = ModelFile.Load(DataSource.Existing(file));
        // it knows the world that it was trained on, and says so of any other question
        var world = WorldCatalogue.OfFingerprint(weights.Origin.World) ?? WorldCatalogue.All[0];
        var client = new ApprenticeChatClient(weights, new() { Understands = world.Understands, Help = $"{world.Help} For example: {world.HelpExamples[0]}" });
        return new(name, client, client.Traits) { World = world, PriorFile = Path.ChangeExtension(file, ".prior.json") };
    }

    private static AutoPrior ReadPrior(string file)
    {
        try
        {
            return AutoPrior.Parse(File.ReadAllText(file));
        }
        catch (JsonException e)
        {
            throw new UsageException($"{Path.GetFileName(file)} cannot be read: {e.Message} Measure it again with './speedup calibrate prior FILE', or remove it.");
        }
    }

    private static string WeightsFile(string model, int checkpoint, IWorld world)
    {
        // the first world's are the Apprentice and the Novice; those of another bear its name
        var stem = (world == WorldCatalogue.All[0], model == Novice) switch
        {
            (true, true) => "novice",
            (true, false) => "apprentice",
            (false, true) => world.Name + "-novice",
            _ => world.Name,
        };
        return Path.Combine(AppContext.BaseDirectory, "weights", string.Create(CultureInfo.InvariantCulture, $"{stem}-{checkpoint}.safetensors"));
    }

    private static ModelTraits TraitsOf(IChatClient client) =>
        (ModelTraits?)client.GetService(typeof(ModelTraits)) ?? throw new InvalidOperationException("The client does not say what it can do.");
}
