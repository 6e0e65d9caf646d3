using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.AI;
using SpeedupLlm.Cli.Apprentice;
using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Transformer.Formats;
using SpeedupLlm.Transformer.Training;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Cli.Commands;

/// <summary><c>speedup model</c>: the embedded reasoner's weights.</summary>
internal static class ModelCommand
{
    public static Command Create(TimeProvider clock) => new("model", "Shows, trains, exports and times the embedded reasoner.") { Info(), Train(clock), Export(), Bench(clock) };

    private static Option<string> Model() => new("--model") { Description = "embedded, novice, or embedded:FILE.", DefaultValueFactory = _ => ModelSource.Embedded };

    private static Option<int> Checkpoint() => new("--checkpoint") { Description = "Which of them, from 1.", DefaultValueFactory = _ => 1 };

    private static Option<string?> Data() => new("--data") { Description = $"The world whose weights are meant: {string.Join(", ", WorldCatalogue.Names)}. Default: the first." };

    private static Command Info()
    {
        Option<string> model = Model();
        Option<int> checkpoint = Checkpoint();
        Option<string?> data = Data();
        Option<int> evaluate = new("--evaluate") { Description = "Also asks it N questions of each kind of its world and says how it does; 0 does not.", DefaultValueFactory = _ => 0 };
        var command = new Command("info", "Says what a model is and where it comes from.") { model, checkpoint, data, evaluate };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var questions = parsed.GetValue(evaluate);
            if (questions < 0)
                throw new UsageException("--evaluate takes 0 or more questions");
            var path = FileOf(parsed.GetValue(model)!, parsed.GetValue(checkpoint), World(parsed.GetValue(data)));
            var file = ModelFile.Load(path);
            var shape = file.Weights.Shape;
            Line("name", file.Origin.Name.Length > 0 ? file.Origin.Name : Path.GetFileName(path));
            Line("fingerprint", file.Fingerprint());
            Line("parameters", file.Weights.Values.Length.ToString("N0", CultureInfo.InvariantCulture));
            Line("shape", string.Create(CultureInfo.InvariantCulture,
                $"{shape.Layers} layers, width {shape.Width}, {shape.Heads} heads, hidden {shape.Hidden}, context {shape.Context}, {shape.Vocabulary} tokens"));
            Line("recipe", file.Origin.Recipe);
            Line("world", file.Origin.World);
            Line("prompts", file.Origin.Prompts);
            if (questions > 0)
                await EvaluateAsync(parsed.GetValue(model)!, parsed.GetValue(checkpoint), World(parsed.GetValue(data)), questions, cancellationToken).ConfigureAwait(false);
            return 0;
        });
        return command;
    }

    /// <summary>A line a condition: what share of the answers had each property, with how many were asked.</summary>
    private static async Task EvaluateAsync(string model, int checkpoint, IWorld? world, int questions, CancellationToken cancellationToken)
    {
        await using var source = ModelSource.Open(model, null, checkpoint, 1, world);
        var figures = new List<Figure>();
        await source.World.EvaluateAsync(source.Client, new EvaluationOptions { N = questions, Concurrency = 64 }, new Collected(figures), cancellationToken).ConfigureAwait(false);
        foreach (var condition in figures.GroupBy(f => (f.Part, f.Condition)))
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{condition.Key.Part,-9}{condition.Key.Condition,-28}{string.Join(", ", condition.Select(f => FormattableString.Invariant($"{f.Measure} {f.Value:0.00}")))}  (n {condition.First().N})"));
    }

    /// <summary>Takes figures as they come, on the caller's thread: a <see cref="Progress{T}"/> would post them.</summary>
    private sealed class Collected(List<Figure> figures) : IProgress<Figure>
    {
        public void Report(Figure value) => figures.Add(value);
    }

    private static Command Train(TimeProvider clock)
    {
        Option<string> recipe = new("--recipe") { Description = "The recipe, a JSON file.", Required = true };
        Option<string> output = new("--out") { Description = "The weights to write, safetensors.", Required = true };
        Option<int> threads = new("--threads") { Description = "Threads; any number gives the same weights. Default: all cores.", DefaultValueFactory = _ => Environment.ProcessorCount };
        var command = new Command("train", "Trains an embedded reasoner from nothing, or goes on where it was interrupted.") { recipe, output, threads };
        command.SetAction((parsed, cancellationToken) =>
            // training computes on this thread for minutes to hours
            Task.Run(() => Train(parsed.GetValue(recipe)!, parsed.GetValue(output)!, parsed.GetValue(threads), clock, cancellationToken), cancellationToken));
        return command;
    }

    private static int Train(string recipeFile, string output, int threads, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (threads < 1)
            throw new UsageException("there is at least 1 thread");
        ApprenticeRecipe recipe;
        try
        {
            recipe = ApprenticeRecipe.FromJson(File.ReadAllText(DataSource.Existing(recipeFile)));
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{recipeFile}: {error.Message}", error);
        }

        var world = WorldCatalogue.Find(recipe.World) ?? throw new UnknownNameException("world", recipe.World, WorldCatalogue.Names);
        var vocabulary = ApprenticeTexts.Vocabulary(world);
        var texts = new ApprenticeTexts(recipe, world);
        var training = recipe.Training(vocabulary.Count);
        var checkpoint = output + ".checkpoint";
        var weights = new Trainer(training, texts.Example).Train(
            new()
            {
                Threads = threads,
                CheckpointFile = checkpoint,
                Time = clock,
                Report = p => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{p.Tokens / 1e6:0.00} of {training.Tokens / 1e6:0.00} M tokens, answer loss {p.Loss.Answer:0.0000}, rate {p.Rate:0.00E0}, {p.TokensPerSecond:0} tokens/s")),
            },
            cancellationToken);
        new ModelFile(weights, vocabulary, new(recipe.Name, recipe.Hash(), world.Fingerprint, new CompactPrompts().Fingerprint)).Save(output);
        File.Delete(checkpoint);
        Console.WriteLine($"wrote {output}");
        return 0;
    }

    private static Command Export()
    {
        Argument<string> output = new("FILE") { Description = "FILE.gguf for llama.cpp, or FILE.safetensors." };
        Option<string> model = Model();
        Option<int> checkpoint = Checkpoint();
        Option<string?> data = Data();
        var command = new Command("export", "Writes the weights for other programs.") { output, model, checkpoint, data };
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(output)!;
            var file = ModelFile.Load(FileOf(parsed.GetValue(model)!, parsed.GetValue(checkpoint), World(parsed.GetValue(data))));
            switch (Path.GetExtension(path))
            {
                case ".gguf":
                    using (var stream = File.Create(path))
                        GgufFile.Write(stream, file.Weights, file.Vocabulary, file.Origin.Name);
                    break;
                case ".safetensors":
                    file.Save(path);
                    break;
                default:
                    throw new UsageException($"{path}: the name must end in .gguf or .safetensors");
            }

            Console.WriteLine($"wrote {path}");
            return 0;
        });
        return command;
    }

    private static Command Bench(TimeProvider clock)
    {
        Option<string> model = Model();
        Option<int> checkpoint = Checkpoint();
        Option<string?> data = Data();
        var command = new Command("bench", "Times decoding, one sequence and 64 at once.") { model, checkpoint, data };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var source = ModelSource.Open(parsed.GetValue(model)!, null, parsed.GetValue(checkpoint), 1, World(parsed.GetValue(data)));
            if (!source.IsEmbedded)
                throw new UsageException("only embedded models are timed");
            foreach (var together in new[] { 1, 64 })
            {
                await SpeedAsync(source, together, 1, clock, cancellationToken).ConfigureAwait(false);
                var speed = await SpeedAsync(source, together, 8, clock, cancellationToken).ConfigureAwait(false);
                Line(string.Create(CultureInfo.InvariantCulture, $"{together} at once"), string.Create(CultureInfo.InvariantCulture, $"{speed:N0} tokens/s"));
            }

            return 0;
        });
        return command;
    }

    /// <summary>Generated tokens a second over answers to questions of the model's world.</summary>
    private static async Task<double> SpeedAsync(ModelSource source, int together, int rounds, TimeProvider clock, CancellationToken cancellationToken)
    {
        var prompts = new CompactPrompts();
        var start = clock.GetTimestamp();
        long tokens = 0;
        for (var round = 0; round < rounds; round++)
        {
            var replies = Enumerable.Range(0, together).Select(i =>
            {
                var question = Question.FromText(source.World.Group(i, Split.Development, StreamKey.Root(1)).Base.Question);
                var prompt = prompts.Solve(PromptTask.Guess, question, []);
                var call = new CallInfo(CallPurpose.Solve, StreamKey.Root(round).Child(i), 0, question.Id);
                return source.Client.GetResponseAsync(prompt.Messages, new ChatOptions
                {
                    MaxOutputTokens = prompt.MaxOutputTokens,
                    AdditionalProperties = new() { [CallInfo.Key] = call },
                }, cancellationToken);
            }).ToList();
            foreach (var reply in await Task.WhenAll(replies).ConfigureAwait(false))
                tokens += reply.Usage?.OutputTokenCount ?? 0;
        }

        return tokens / Math.Max(1e-9, clock.GetElapsedTime(start).TotalSeconds);
    }

    private static string FileOf(string model, int checkpoint, IWorld? world) => model switch
    {
        ModelSource.Embedded or ModelSource.Novice => ModelSource.WeightsOf(model, checkpoint, world),
        _ when model.StartsWith("embedded:", StringComparison.Ordinal) => DataSource.Existing(model["embedded:".Length..]),
        _ => throw new UnknownNameException("model", model, [ModelSource.Embedded, ModelSource.Novice, "embedded:FILE"]),
    };

    private static IWorld? World(string? data) => data is null ? null : DataSource.World(data);

    private static void Line(string name, string value) => Console.WriteLine($"{name,-12} {value}");
}
