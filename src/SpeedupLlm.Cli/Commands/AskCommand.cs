using System.CommandLine;
using System.Globalization;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Cli.Terminal;
using SpeedupLlm.Memory;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Cli.Commands;

/// <summary><c>speedup ask</c>: answers one question, says how it was reached and what it cost, and learns from it.</summary>
internal static class AskCommand
{
    public static Command Create(TimeProvider clock)
    {
        var defaults = new ExperimentSettings();
        Argument<string> text = new("TEXT") { Description = "The question." };
        Option<string> model = new("--model") { Description = "embedded, novice, recorded:FILE, or the URL of an OpenAI-compatible endpoint.", DefaultValueFactory = _ => ModelSource.Embedded };
        Option<string?> modelName = new("--model-name") { Description = "The model's name at the endpoint." };
        Option<int> checkpoint = new("--checkpoint") { Description = "Which of the embedded models, from 1.", DefaultValueFactory = _ => 1 };
        Option<string> memory = new("--memory") { Description = $"What is kept and recalled: {string.Join(", ", Catalogue.Memories.Names)}.", DefaultValueFactory = _ => Auto.CatalogueName };
        Option<string> scaling = new("--scaling") { Description = $"How the answer is searched: {string.Join(", ", Catalogue.ScalingMethods.Names)}.", DefaultValueFactory = _ => "best-of-n" };
        Option<string> scorer = new("--scorer") { Description = $"Who scores attempts: {string.Join(", ", Catalogue.Scorers.Names)}.", DefaultValueFactory = _ => "judge" };
        Option<double> tau = new("--tau") { Description = "An attempt with at least this score is accepted.", DefaultValueFactory = _ => defaults.Tau, CustomParser = Numbers.Real };
        Option<int> samples = new("--samples") { Description = "N of Best-of-N and Self-Consistency.", DefaultValueFactory = _ => defaults.Samples };
        Option<string?> store = StoreSource.Option();
        Option<long?> seed = new("--seed") { Description = "Makes the answer repeatable. Default: a fresh one each time." };
        Option<bool> json = new("--json") { Description = "One JSON object instead of text." };
        var command = new Command("ask", "Answers a question, and answers the next one like it for less.")
        {
            text, model, modelName, checkpoint, memory, scaling, scorer, tau, samples, store, seed, json,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var question = parsed.GetValue(text)!;
            if (string.IsNullOrWhiteSpace(question))
                throw new UsageException("the question is empty");
            var settings = new ExperimentSettings
            {
                Memory = [parsed.GetValue(memory)!],
                Scaling = [parsed.GetValue(scaling)!],
                Scorer = parsed.GetValue(scorer)!,
                Tau = parsed.GetValue(tau),
                Samples = parsed.GetValue(samples),
            };
            settings.Validate();
            if (settings.Scorer == "oracle")
                throw new UsageException("the oracle needs a reference answer; it scores in bench only");
            // an embedded reasoner knows one world: the one that understands the question picks the weights
            var world = WorldCatalogue.All.FirstOrDefault(w => w.Understands(question));
            await using var source = ModelSource.Open(parsed.GetValue(model)!, parsed.GetValue(modelName), parsed.GetValue(checkpoint), parsed.GetValue(seed) ?? 1, world);
            if (source.IsEmbedded && source.World != world)
                throw new UsageException("the embedded reasoner answers questions of its worlds only, such as: "
                    + string.Join(" Or: ", (world is null ? WorldCatalogue.All : [source.World]).Select(w => w.HelpExamples[0])));
            await using var opened = settings.Memory[0] == NoMemory.CatalogueName ? null : await StoreSource.OpenAsync(parsed.GetValue(store), cancellationToken).ConfigureAwait(false);
            await using var solver = new Solver(source.Client, new()
            {
                Scaling = settings.ScalingMethod(),
                Scorer = Catalogue.Scorers.Create(settings.Scorer),
                Threshold = settings.Tau,
                Memory = opened is null ? null : settings.MemoryOf(source.Prior),
                Store = opened,
                Embedder = new HashedNgramEmbedder(),
                Clock = clock,
            });
            // the calls of one question share their prompt's beginning, which a cache would not bill twice
            var request = new SolveRequest { CacheScope = "ask", Stream = parsed.GetValue(seed) is { } s ? Compute.StreamKey.Root(s).Child(question) : null };
            return await AnswerAsync(solver, question, request, settings, parsed.GetValue(json), cancellationToken).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<int> AnswerAsync(
        Solver solver, string text, SolveRequest request, ExperimentSettings settings, bool json, CancellationToken cancellationToken)
    {
        var writer = json ? null : new AnswerWriter(Console.Out, settings);
        Solution? solution = null;
        Learnt? learnt = null;
        await foreach (var happened in solver.StreamAndLearnAsync(Question.FromText(text), request, cancellationToken).ConfigureAwait(false))
        {
            writer?.Write(happened);
            if (happened is Finished finished)
                solution = finished.Solution;
            if (happened is Learnt after)
                learnt = after;
        }

        if (solution is null)
            throw new InvalidOperationException("the question was not answered");
        if (solution.Attempts.Count > 0 && solution.Attempts.All(a => a.Error is not null))
            throw new ModelUnusableException(solution.Failures.FirstOrDefault()?.Message ?? solution.Attempts[0].Error!);
        var account = AnswerAccount.Of(solution, learnt, settings);
        if (json)
            Console.WriteLine(account.ToJson());
        else
            writer!.Conclude(account);
        return 0;
    }
}
