using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Models;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Cli;

/// <summary>Questions that a command named: a world, <c>gsm-plus:FILE</c> or <c>jsonl:FILE</c>; an answer set carries its own.</summary>
internal static class DataSource
{
    public const string GsmPlusPrefix = "gsm-plus:", JsonlPrefix = "jsonl:";

    /// <param name="data">What the user wrote, or null.</param>
    /// <param name="model">The model.</param>
    /// <param name="seed">Picks the groups of a world.</param>
    public static IExampleSource Open(string? data, ModelSource model, long seed)
    {
        if (data is null)
            return model.Answers is { } answers ? Of(answers) : new WorldExamples(WorldCatalogue.All[0], seed);
        if (data.StartsWith(GsmPlusPrefix, StringComparison.Ordinal))
            return GsmPlus.Load(Existing(data[GsmPlusPrefix.Length..]));
        if (data.StartsWith(JsonlPrefix, StringComparison.Ordinal))
            return QuestionList.Load(Existing(data[JsonlPrefix.Length..]));
        return WorldCatalogue.Find(data) is { } world
            ? new WorldExamples(world, seed)
            : throw new UnknownNameException("data", data, [.. WorldCatalogue.Names, "gsm-plus:FILE", "jsonl:FILE"]);
    }

    private static QuestionList Of(RecordedAnswerSet answers) => new(
        ModelSource.Recorded + Path.GetFileName(answers.File),
        answers.Fingerprint,
        [.. answers.Questions.Select(q => new Example(q.Id, q.Text, q.Answer, "", "", "", false))]);

    /// <summary>The file, if it is there.</summary>
    public static string Existing(string file) =>
        File.Exists(file) ? file : throw new UsageException(file.Length == 0 ? "a file name is missing" : $"{file}: there is no such file");
}
