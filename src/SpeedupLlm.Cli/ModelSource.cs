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

    /// <summary>The answer set, if that is what it is.</summary>
    public RecordedAnswerSet? Answers => _client.GetService(typeof(RecordedAnswerSet)) as RecordedAnswerSet;

    /// <summary>What auto is told of it beforehand: the file beside the weights, if it was measured on these very weights.</summary>
    /// <exception cref="UsageException">The file cannot be read.</exception>
    public AutoPrior? Prior => PriorFile is { } file && File.Exists(file) && ReadPrior(file) is var prior && prior.ModelFingerprint == Traits.Fingerprint ? prior : null;

    // read when it is asked for: what measures it anew does not need it
    private string? PriorFile { get; init; }

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
    /// <exception cref="UsageException">There is no such model.</exception>
    public static ModelSource Open(string model, string? name, int checkpoint, long seed)
    {
        if (model is Embedded or Novice)
            return OpenEmbedded(model, WeightsOf(model, checkpoint));
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

    /// <summary>The file of an embedded model's weights.</summary>
    /// <exception cref="UsageException">There is none of that number.</exception>
    public static string WeightsOf(string model, int checkpoint)
    {
        var file = WeightsFile(model, checkpoint);
        if (File.Exists(file))
            return file;
        var there = Enumerable.Range(1, 99).Where(n => File.Exists(WeightsFile(model, n))).ToList();
        throw new UsageException(there.Count == 0
            ? $"the weights of '{model}' are not there: {Path.GetFileName(file)} is missing beside the program"
            : string.Create(CultureInfo.InvariantCulture, $"there is no checkpoint {checkpoint} of '{model}'. Valid: {string.Join(", ", there)}."));
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
        var client = new ApprenticeChatClient(ModelFile.Load(DataSource.Existing(file)), new()
        {
            Understands = static text => WorldCatalogue.All.Any(w => w.Understands(text)),
            Help = string.Join('\n', WorldCatalogue.All.Select(w => $"{w.Help} For example: {w.HelpExamples[0]}")),
        });
        return new(name, client, client.Traits) { PriorFile = Path.ChangeExtension(file, ".prior.json") };
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

    private static string WeightsFile(string model, int checkpoint)
    {
        var stem = model == Novice ? "novice" : "apprentice";
        return Path.Combine(AppContext.BaseDirectory, "weights", string.Create(CultureInfo.InvariantCulture, $"{stem}-{checkpoint}.safetensors"));
    }

    private static ModelTraits TraitsOf(IChatClient client) =>
        (ModelTraits?)client.GetService(typeof(ModelTraits)) ?? throw new InvalidOperationException("The client does not say what it can do.");
}
