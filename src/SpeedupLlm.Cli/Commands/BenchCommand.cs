using System.CommandLine;
using System.Globalization;
using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Benchmark.Rivals;
using SpeedupLlm.Benchmark.Streaming;
using SpeedupLlm.Cli.Terminal;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Cli.Commands;

/// <summary><c>speedup bench</c>: what experience saves, on any model and any questions.</summary>
internal static class BenchCommand
{
    private const int QuickGroups = 4, QuickRounds = 2;

    private static readonly string[] StreamMemories = ["none", "in-context", "reflect-update", "auto", .. RivalCatalogue.Names];

    public static Command Create(TimeProvider clock)
    {
        var defaults = new ExperimentSettings();
        var workload = new WorkloadOptions();
        Option<bool> quick = new("--quick") { Description = "A smaller run of the same grid; its figures are indicative." };
        var study = new StudyOptions();
        Option<string?> library = new("--library") { Description = "jsonl:FILE: worked solutions of other questions, which every memory knows before the first question. With --stream, or for questions without groups." };
        Option<bool> runCode = new("--run-code") { Description = "Allows to run programs that a model wrote, in a sandbox (Linux with bubblewrap): questions of the kind code need it." };
        Option<string?> scaling = new("--scaling") { Description = $"Scaling methods, comma-separated, or all: {string.Join(", ", Catalogue.ScalingMethods.Names)}." };
        Option<string?> memory = new("--memory") { Description = $"Memories, comma-separated, or all: {string.Join(", ", Catalogue.Memories.Names)}." };
        Option<string?> similarity = new("--similarity") { Description = "Levels, comma-separated, or all: S1, S2, S3, S4." };
        Option<string?> scorer = new("--scorer") { Description = $"Who scores attempts: {string.Join(", ", Catalogue.Scorers.Names)}. Default judge; agreement for recorded answers." };
        Option<double> tau = new("--tau") { Description = "An attempt with at least this score is accepted.", DefaultValueFactory = _ => defaults.Tau, CustomParser = Numbers.Real };
        Option<int> samples = new("--samples") { Description = "N of Best-of-N and Self-Consistency.", DefaultValueFactory = _ => defaults.Samples };
        Option<int> width = new("--width") { Description = "k of Tree-of-Thoughts: steps proposed at a node.", DefaultValueFactory = _ => defaults.Width };
        Option<int> depth = new("--depth") { Description = "Steps of a path of Tree-of-Thoughts at most.", DefaultValueFactory = _ => defaults.Depth };
        Option<int> nodes = new("--nodes") { Description = "Nodes that Tree-of-Thoughts expands at most.", DefaultValueFactory = _ => defaults.Nodes };
        Option<int> refinements = new("--refinements") { Description = "Answers that Self-Refine writes at most, the first counted.", DefaultValueFactory = _ => defaults.Refinements };
        Option<int?> thinking = new("--thinking") { Description = "Tokens of Long CoT's thought at most. Default: the cap of the prompts (480 with the embedded reasoner)." };
        Option<int> waves = new("--waves") { Description = "Calls that a search makes at once (not Self-Refine, Long CoT): sooner answers for more calls.", DefaultValueFactory = _ => defaults.Waves };
        Option<string> stop = new("--stop") { Description = "When Self-Consistency stops: adaptive-consistency[:P], esc[:W] or none.", DefaultValueFactory = _ => defaults.Stop };
        Option<string> feedback = new("--feedback") { Description = "What is told after answering: none, verdict or reference.", DefaultValueFactory = _ => "none" };
        Option<int?> groups = new("--groups") { Description = "Groups (in a world: subjects). Default 20, with --quick 4; all of a file." };
        Option<int?> rounds = new("--rounds") { Description = "Levels of experience after the first question. Default 4, with --quick 2." };
        Option<int> distractors = new("--distractors") { Description = "Memory holds verified answers of this many other groups and learns nothing: what memory costs that cannot help.", DefaultValueFactory = _ => 0 };
        Option<int?> cases = new("--cases") { Description = "Cases that In-Context puts into a prompt at most. Default 3." };
        Option<double?> minimumSimilarity = new("--minimum-similarity") { Description = "In-Context leaves out cases whose cosine similarity is below this. Default: none.", CustomParser = Numbers.RealOrNone };
        Option<bool> fixedBudget = new("--fixed-budget") { Description = "auto searches in full always, instead of as far as experience says is worth it." };
        Option<double> judgeError = new("--judge-error") { Description = "The share of the scorer's verdicts that are turned round on purpose.", DefaultValueFactory = _ => 0, CustomParser = Numbers.Real };
        Option<bool> stream = new("--stream") { Description = "A workload in time order instead of the grid: topics come and come again, rules change halfway, one memory lives through it all." };
        Option<int> length = new("--questions") { Description = "With --stream: how many questions.", DefaultValueFactory = _ => workload.Questions };
        Option<double> zipf = new("--zipf") { Description = "With --stream: the exponent of Zipf's law over topics.", DefaultValueFactory = _ => workload.Zipf, CustomParser = Numbers.Real };
        Option<string> mix = new("--mix") { Description = "With --stream: how questions stand to those before.", DefaultValueFactory = _ => workload.Mix.ToString() };
        Option<string?> output = new("--out") { Description = "The folder for the results. Default: a new one under results/." };
        Option<bool> resume = new("--resume") { Description = "Goes on with the run in --out; finished trials are used again." };
        Option<string?> workers = new("--workers") { Description = "postgres://user:password@host:port/database: processes and machines that name the same database and the same last part of --out share one run." };
        Option<bool> discard = new("--discard") { Description = "With --workers: removes what the database keeps of the run, and runs nothing." };
        var command = new Command("bench", "Shows with statistics what experience saves.")
        {
            quick, library, runCode, scaling, memory, similarity, scorer, tau, samples, width, depth, nodes, refinements, thinking, waves, stop, feedback, groups, rounds, distractors, cases, minimumSimilarity, fixedBudget, judgeError, stream, length, zipf, mix, output, resume, workers, discard,
        };
        study.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var isQuick = parsed.GetValue(quick);
            if (parsed.GetValue(resume) && parsed.GetValue(output) is null)
                throw new UsageException("--resume needs --out: the folder to go on with.");
            if (parsed.GetValue(workers) is not null && parsed.GetValue(output) is null)
                throw new UsageException("--workers needs --out: the last part of its name is the run's.");
            if (parsed.GetValue(discard))
                return await DiscardAsync(parsed.GetValue(workers) ?? throw new UsageException("--discard needs --workers: the database that keeps the run."), parsed.GetValue(output)!, clock, cancellationToken).ConfigureAwait(false);
            var isStream = parsed.GetValue(stream);
            if (isStream && parsed.GetValue(workers) is not null)
                throw new UsageException("--workers shares a grid; a stream is asked in order, by one process.");
            // names before files: what is misspelt is said at once
            var settings = study.SettingsOf(parsed) with
            {
                Scaling = Names.Of("scaling method", parsed.GetValue(scaling), isStream ? [defaults.Scaling[0]] : defaults.Scaling, Catalogue.ScalingMethods.Names),
                Memory = isStream
                    ? Names.Of("memory", parsed.GetValue(memory), StreamMemories, [.. Catalogue.Memories.Names, .. RivalCatalogue.Names])
                    : Names.Of("memory", parsed.GetValue(memory), defaults.Memory, Catalogue.Memories.Names),
                Similarity = Names.Of("similarity", parsed.GetValue(similarity), defaults.Similarity, ["S1", "S2", "S3", "S4"]),
                Scorer = parsed.GetValue(scorer) ?? defaults.Scorer,
                Tau = parsed.GetValue(tau),
                Samples = parsed.GetValue(samples),
                Width = parsed.GetValue(width),
                Depth = parsed.GetValue(depth),
                Nodes = parsed.GetValue(nodes),
                Refinements = parsed.GetValue(refinements),
                Thinking = parsed.GetValue(thinking),
                Waves = parsed.GetValue(waves),
                Stop = parsed.GetValue(stop)!,
                Feedback = FeedbackOf(parsed.GetValue(feedback)!),
                Groups = parsed.GetValue(groups),
                Rounds = parsed.GetValue(rounds) ?? (isQuick ? QuickRounds : defaults.Rounds),
                Distractors = parsed.GetValue(distractors),
                Cases = parsed.GetValue(cases),
                MinimumSimilarity = parsed.GetValue(minimumSimilarity),
                FixedBudget = parsed.GetValue(fixedBudget),
                JudgeError = parsed.GetValue(judgeError),
                Stream = isStream ? new() { Questions = parsed.GetValue(length), Zipf = parsed.GetValue(zipf), Mix = WorkloadMix.Parse(parsed.GetValue(mix)!) } : null,
                Quick = isQuick,
            };
            settings.Validate();
            await using var source = study.OpenModel(parsed);
            var programs = parsed.GetValue(runCode) ? await PythonSandbox.OpenAsync(cancellationToken).ConfigureAwait(false) : null;
            var questions = study.OpenData(parsed, source, programs);
            if (parsed.GetValue(library) is { } known)
                questions = new QuestionsWithLibrary(questions, DataSource.Library(known));
            settings = Fit(settings, source, questions, parsed.GetValue(scorer), parsed.GetValue(memory), parsed.GetValue(scaling)) with
            {
                Groups = settings.Groups ?? (questions.Groups is { } all ? (isQuick ? Math.Min(all, 50) : all) : isQuick ? QuickGroups : 20),
            };
            var folder = new ResultsFolder(parsed.GetValue(output) ?? FreshFolder(isQuick, clock));
            return parsed.GetValue(workers) is { } place
                ? await RunSharedAsync(settings, source, questions, folder, place, clock, cancellationToken).ConfigureAwait(false)
                : await RunAsync(settings, source, questions, folder, parsed.GetValue(resume), clock, cancellationToken).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<int> RunSharedAsync(
        ExperimentSettings settings, ModelSource source, IExampleSource questions, ResultsFolder folder, string place, TimeProvider clock, CancellationToken cancellationToken)
    {
        await using var shared = await SharedRun.OpenAsync(place, folder.Path, clock, cancellationToken).ConfigureAwait(false);
        using var view = new ProgressView(folder.Path);
        try
        {
            await new Experiment(settings, source.ForExperiment(), questions, folder, clock) { Progress = view.Show }.RunSharedAsync(shared, cancellationToken).ConfigureAwait(false);
            view.Dispose();
            Show(folder);
            return 0;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            view.Dispose();
            Console.Error.WriteLine($"speedup: interrupted; what is finished is kept by {shared.Name}, others go on, and the same command joins them again");
            return Failure.Interrupted;
        }
    }

    private static async Task<int> DiscardAsync(string place, string folder, TimeProvider clock, CancellationToken cancellationToken)
    {
        await using var shared = await SharedRun.OpenAsync(place, folder, clock, cancellationToken).ConfigureAwait(false);
        Console.WriteLine(await shared.RemoveAsync(cancellationToken).ConfigureAwait(false) ? $"removed {shared.Name}" : $"there is nothing of {shared.Name}");
        return 0;
    }

    private static async Task<int> RunAsync(
        ExperimentSettings settings, ModelSource source, IExampleSource questions, ResultsFolder folder, bool resume, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var view = new ProgressView(folder.Path);
        try
        {
            if (settings.Stream is null)
                await new Experiment(settings, source.ForExperiment(), questions, folder, clock) { Progress = view.Show }.RunAsync(resume, cancellationToken).ConfigureAwait(false);
            else
                await new StreamExperiment(settings, source.ForExperiment(), questions, folder, clock) { Progress = view.Show }.RunAsync(resume, cancellationToken).ConfigureAwait(false);
            view.Dispose();
            Show(folder);
            return 0;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            view.Dispose();
            Show(folder);
            Console.Error.WriteLine($"speedup: interrupted; what is finished is in {folder.Path}, and --resume --out {folder.Path} goes on");
            return Failure.Interrupted;
        }
    }

    /// <summary>The tables of a run, whatever it was.</summary>
    internal static void Show(ResultsFolder folder)
    {
        if (folder.ReadManifest().Parameters.Stream is null)
            ResultsTable.Write(folder);
        else
            StreamTable.Write(folder);
    }

    /// <summary>Recorded answers were given without memory, and cannot judge.</summary>
    private static ExperimentSettings Fit(
        ExperimentSettings settings, ModelSource source, IExampleSource questions, string? scorer, string? memory, string? scaling)
    {
        if (source.Answers is null)
            return questions.LevelsAt(SimilarityLevel.S1) is null && memory is null ? settings with { Memory = ["none"] } : settings;
        return settings with
        {
            Scorer = scorer ?? "agreement",
            Memory = memory is null ? ["none"] : settings.Memory,
            Scaling = scaling is null ? ["self-consistency"] : settings.Scaling,
        };
    }

    private static FeedbackMode FeedbackOf(string name) => name switch
    {
        "none" => FeedbackMode.None,
        "verdict" => FeedbackMode.Verdict,
        "reference" => FeedbackMode.Reference,
        _ => throw new UnknownNameException("feedback", name, ["none", "verdict", "reference"]),
    };

    private static string FreshFolder(bool quick, TimeProvider clock)
    {
        var stem = Path.Combine("results", string.Create(CultureInfo.InvariantCulture, $"{(quick ? "quick" : "bench")}-{clock.GetLocalNow():yyyyMMdd-HHmmss}"));
        var path = stem;
        for (var n = 2; Directory.Exists(path); n++)
            path = string.Create(CultureInfo.InvariantCulture, $"{stem}-{n}");
        return path;
    }
}
