using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Models;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Cli;

/// <summary>Questions that a command named: a world, <c>gsm-plus:FILE</c> or <c>jsonl:FILE</c>; an answer set carries its own.</summary>
internal static class DataSource
{
    public const string GsmPlusPrefix = "gsm-plus:", JsonlPrefix = "jsonl:";

    /// <param name="data">What the user wrote, or null.</param>
    /// <param name="model">The model.</param>
    /// <param name="seed">Picks the groups of a world.</param>
    /// <param name="programs">Runs answers that are programs; null if that was not allowed.</param>
    /// <exception cref="UsageException">There is no such file, or its answers are programs and nobody allowed to run them.</exception>
    public static IExampleSource Open(string? data, ModelSource model, long seed, PythonSandbox? programs = null)
    {
        if (data is null)
            return model.Answers is { } answers ? Of(answers) : new WorldExamples(model.World, seed);
        if (data.StartsWith(GsmPlusPrefix, StringComparison.Ordinal))
            return Readable(GsmPlus.Load(Existing(data[GsmPlusPrefix.Length..])), model);
        if (data.StartsWith(JsonlPrefix, StringComparison.Ordinal))
        {
            var questions = QuestionFile.Load(Existing(data[JsonlPrefix.Length..]), programs);
            return programs is not null || !questions.AsksForPrograms ? Readable(questions, model)
                : throw new UsageException($"{questions.Name} asks for programs, which are judged by running them: --run-code allows that, in a sandbox without network and files");
        }

        var world = World(data, "gsm-plus:FILE", "jsonl:FILE");
        model.RequireWorld(world);
        return new WorldExamples(world, seed);
    }

    /// <summary>Questions with worked solutions that memories know beforehand: <c>jsonl:FILE</c>, whose groups and levels do not matter.</summary>
    /// <exception cref="UsageException">There is no such file, or it is named otherwise.</exception>
    public static QuestionList Library(string name)
    {
        if (!name.StartsWith(JsonlPrefix, StringComparison.Ordinal))
            throw new UsageException($"--library is {JsonlPrefix}FILE, not '{name}'");
        return QuestionFile.LoadFlat(Existing(name[JsonlPrefix.Length..]));
    }

    /// <summary>The world that a command named; null where it named none, or a file.</summary>
    public static IWorld? WorldOf(string? data) => data is null ? null : WorldCatalogue.Find(data);

    /// <summary>A world.</summary>
    /// <param name="name">What the user wrote.</param>
    /// <param name="others">What else the command takes.</param>
    public static IWorld World(string name, params string[] others) =>
        WorldCatalogue.Find(name) ?? throw new UnknownNameException("data", name, [.. WorldCatalogue.Names, .. others]);

    /// <summary>A number of groups that something can be told from.</summary>
    public static int AtLeastTwo(int groups) => groups >= 2 ? groups : throw new UsageException("--groups is at least 2");

    /// <summary>Refuses a file that an embedded model can read nothing of: a run would show zeros everywhere.</summary>
    private static T Readable<T>(T questions, ModelSource model)
        where T : IExampleSource =>
        !model.IsEmbedded || Enumerable.Range(0, questions.Groups ?? 0).Any(g => model.World.Understands(questions.At(g, SimilarityLevel.S1, 0).Question)) ? questions
            : throw new UsageException($"'{model.Name}' is a small model that was trained on {model.World.Name} questions, and {questions.Name} has none: name a model that can read them, --model URL --model-name NAME");

    private static QuestionList Of(RecordedAnswerSet answers) => new(
        ModelSource.Recorded + Path.GetFileName(answers.File),
        answers.Fingerprint,
        [.. answers.Questions.Select(q => new Example(q.Id, q.Text, q.Answer, "", "", "", false))]);

    /// <summary>The file, if it is there.</summary>
    public static string Existing(string file) =>
        File.Exists(file) ? file : throw new UsageException(file.Length == 0 ? "a file name is missing" : $"{file}: there is no such file");
}
