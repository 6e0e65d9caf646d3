using System.Globalization;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Data;

/// <summary>
/// <c>jsonl:FILE</c>: one JSON object a line with <c>text</c> (or <c>question</c>) and <c>answer</c>, and optionally <c>id</c>, <c>solution</c> (worked), <c>kind</c>
/// (<c>number</c>, <c>choice</c>, <c>text</c> or <c>code</c>, which has <c>tests</c>), <c>group</c> and <c>similarity</c>. Without groups every question counts for itself. With groups each has one base
/// question (no <c>similarity</c>, or <c>base</c>) and questions at S2, S3 or S4, asked in the order of the file; the base question asked again is S1.
/// </summary>
public sealed class QuestionFile : IExampleSource
{
    private const string Base = "base", Code = "code";
    private static readonly string[] Kinds = ["number", "choice", "text", Code];
    private static readonly SimilarityLevel[] Written = [SimilarityLevel.S2, SimilarityLevel.S3, SimilarityLevel.S4];

    private readonly IReadOnlyList<Group> _groups;
    private readonly AnswerCheck _check;

    private QuestionFile(string file, string fingerprint, IReadOnlyList<Group> groups, PythonSandbox? programs)
    {
        Name = NameOf(file);
        Fingerprint = fingerprint;
        _groups = groups;
        _check = new(programs);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Fingerprint { get; }

    /// <inheritdoc/>
    public int? Groups => _groups.Count;

    /// <inheritdoc/>
    public bool AsksForPrograms => _groups.Any(g => g.Levels.Values.SelectMany(l => l).Prepend(g.Base).Any(e => e.Tests.Length > 0));

    /// <inheritdoc/>
    public IAnswerComparer Answers => _check.Answers;

    /// <summary>Reads the file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="programs">Runs answers of kind <c>code</c>; null is for those who only read.</param>
    /// <returns>Questions in groups with levels, or a <see cref="QuestionList"/> where no line has a group.</returns>
    /// <exception cref="InvalidDataException">A line is malformed, or a group is not whole; names file, line and field.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IExampleSource Load(string file, PythonSandbox? programs = null)
    {
        var read = JsonLines.Read(file);
        var questions = read.Lines.Select(l => (Line: l, Example: ExampleOf(l), Group: l.Optional("group"), Similarity: SimilarityOf(l))).ToList();
        if (questions.GroupBy(q => q.Example.Id, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw read.Bad($"the id {twice.Key} stands twice.");
        if (questions.All(q => q.Group is null && q.Similarity is null))
            return new QuestionList(NameOf(file), read.Fingerprint, [.. questions.Select(q => q.Example)], programs);
        if (questions.FirstOrDefault(q => q.Group is null) is { Line: not null } alone)
            throw alone.Line.Bad("the field group is missing, and other lines have one");
        return new QuestionFile(file, read.Fingerprint, [.. questions.GroupBy(q => q.Group!, StringComparer.Ordinal).Select(g => GroupOf(read, g.Key, [.. g.Select(q => (q.Line, q.Example, q.Similarity))]))], programs);
    }

    /// <summary>All questions of a file in its order, groups and similarities left aside.</summary>
    /// <exception cref="InvalidDataException">A line is malformed; names file, line and field.</exception>
    public static QuestionList LoadFlat(string file)
    {
        var read = JsonLines.Read(file);
        return new(NameOf(file), read.Fingerprint, [.. read.Lines.Select(ExampleOf)]);
    }

    /// <inheritdoc/>
    /// <remarks>The least over groups, so that all have it; 0 where some group has no question at that similarity.</remarks>
    public int? LevelsAt(SimilarityLevel similarity) =>
        similarity == SimilarityLevel.S1 ? int.MaxValue : _groups.Min(g => g.Levels.TryGetValue(similarity, out var questions) ? questions.Count : 0);

    /// <inheritdoc/>
    public Example At(int group, SimilarityLevel similarity, int level)
    {
        var questions = _groups[group];
        return level == 0 ? questions.Base
            : similarity == SimilarityLevel.S1 ? questions.Base with { Id = string.Create(CultureInfo.InvariantCulture, $"{questions.Base.Id}/{level}") }
            : questions.Levels[similarity][level - 1];
    }

    /// <inheritdoc/>
    public Question QuestionOf(Example example) => AnswerCheck.QuestionOf(example);

    /// <inheritdoc/>
    public ValueTask<bool> IsCorrectAsync(Example example, string? final, CancellationToken cancellationToken) => _check.IsCorrectAsync(example, final, cancellationToken);

    private static string NameOf(string file) => "jsonl:" + Path.GetFileName(file);

    private static Example ExampleOf(JsonLine line)
    {
        var text = line.Optional("text") is { Length: > 0 } named ? named : line.Text(line.Has("question") ? "question" : "text");
        var answer = line.Text("answer");
        var kind = line.Optional("kind") ?? "";
        if (kind.Length > 0 && !Kinds.Contains(kind))
            throw line.Bad($"the field kind is none of {string.Join(", ", Kinds)}");
        // a number's canonical writing begins with a digit, whatever it was written in
        if (kind == "number" && AnswerComparer.Canonical(answer).TrimStart('-') is not [>= '0' and <= '9', ..])
            throw line.Bad("the field answer is no number, and kind says that it is");
        if (kind == "choice" && AnswerComparer.Canonical(answer) is not [_])
            throw line.Bad("the field answer is no choice such as B, and kind says that it is");
        var tests = line.Optional("tests") ?? "";
        if (kind == Code != tests.Length > 0)
            throw line.Bad(kind == Code ? "the kind code needs the field tests: Python that raises where the program is wrong" : "the field tests is for the kind code");
        return new(line.Optional("id") ?? Question.FromText(text).Id, text, answer, line.Optional("solution") ?? "", "", kind, false) { Tests = tests };
    }

    private static SimilarityLevel? SimilarityOf(JsonLine line) => line.Optional("similarity") switch
    {
        null or "" or Base => null,
        var name when Enum.TryParse<SimilarityLevel>(name, out var level) && Written.Contains(level) && level.ToString() == name => level,
        _ => throw line.Bad($"the field similarity is none of {Base}, {string.Join(", ", Written)}; S1 is the base question asked again"),
    };

    private static Group GroupOf(JsonLines read, string name, IReadOnlyList<(JsonLine Line, Example Example, SimilarityLevel? Similarity)> questions)
    {
        var bases = questions.Where(q => q.Similarity is null).ToList();
        if (bases.Count == 0)
            throw read.Bad($"the group {name} has no base question, one without similarity.");
        if (bases.Count > 1)
            throw bases[1].Line.Bad(FormattableString.Invariant($"the group {name} has a base question already, on line {bases[0].Line.Number}"));
        return new(bases[0].Example, questions.Where(q => q.Similarity is not null).GroupBy(q => q.Similarity!.Value).ToDictionary(g => g.Key, g => (IReadOnlyList<Example>)[.. g.Select(q => q.Example)]));
    }

    private sealed record Group(Example Base, IReadOnlyDictionary<SimilarityLevel, IReadOnlyList<Example>> Levels);
}
