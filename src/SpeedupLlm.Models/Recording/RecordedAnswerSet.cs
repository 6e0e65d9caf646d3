using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace SpeedupLlm.Models;

/// <summary>One answer that a model gave once.</summary>
/// <param name="Text">The whole answer.</param>
/// <param name="Correct">Whether it is right, or null if the file does not say.</param>
/// <param name="Model">Who gave it, or null.</param>
public sealed record RecordedCandidate(string Text, bool? Correct, string? Model);

/// <summary>A question with its reference answer and the recorded answers.</summary>
/// <param name="Id">The identity that <see cref="Question.FromText"/> gives to the text.</param>
/// <param name="Text">The question.</param>
/// <param name="Answer">The reference answer.</param>
/// <param name="Candidates">At least one, in the order of the file.</param>
/// <param name="Line">1-based line of the file.</param>
public sealed record RecordedQuestion(string Id, string Text, string Answer, IReadOnlyList<RecordedCandidate> Candidates, int Line);

/// <summary>Questions with several recorded answers each (JSONL: <c>question</c>, <c>answer</c>, <c>candidates[].text</c>, optionally <c>candidates[].correct</c> and <c>.model</c>).</summary>
/// <remarks>The answers never saw memory: a run over them must refuse every memory but <c>none</c>. A client that gives this as a service is such a model.</remarks>
public sealed class RecordedAnswerSet
{
    private RecordedAnswerSet(string file, string fingerprint, IReadOnlyList<RecordedQuestion> questions) =>
        (File, Fingerprint, Questions) = (file, fingerprint, questions);

    /// <summary>The file that it was read from.</summary>
    public string File { get; }

    /// <summary>A hash of the content.</summary>
    public string Fingerprint { get; }

    /// <summary>In the order of the file; no two have the same text.</summary>
    public IReadOnlyList<RecordedQuestion> Questions { get; }

    /// <summary>Reads an answer set.</summary>
    /// <exception cref="InvalidDataException">The file is malformed; the message names file, line and field.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static RecordedAnswerSet Load(string file)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        var bytes = System.IO.File.ReadAllBytes(file);
        var questions = new List<RecordedQuestion>();
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        var number = 0;
        foreach (var range in bytes.AsSpan().Split((byte)'\n'))
        {
            number++;
            var line = bytes.AsMemory(range);
            if (number == 1 && line.Span.StartsWith(Encoding.UTF8.Preamble))
                line = line[3..];
            if (line.Span.IndexOfAnyExcept(" \t\r"u8) < 0)
                continue;
            var question = Line(file, number, line);
            if (!lines.TryAdd(question.Text.Normalize(), number))
                throw RecordingReader.Bad(file, number, $"question: it stands in line {lines[question.Text.Normalize()].ToString(CultureInfo.InvariantCulture)} already");
            questions.Add(question);
        }
        if (questions.Count == 0)
            throw RecordingReader.Bad(file, 1, "there is no question in it");
        return new(file, "answers:" + Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 8)), questions);
    }

    private static RecordedQuestion Line(string file, int number, ReadOnlyMemory<byte> line)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(line);
        }
        catch (JsonException e)
        {
            throw RecordingReader.Bad(file, number, RecordingReader.Problem(e), e);
        }
        using (document)
        {
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                throw RecordingReader.Bad(file, number, "an object is missing");
            var text = Field(file, number, root, "question", "question");
            var answer = Field(file, number, root, "answer", "answer");
            if (root.Get("candidates") is not { ValueKind: JsonValueKind.Array } list || list.GetArrayLength() == 0)
                throw RecordingReader.Bad(file, number, "candidates: a list with at least one answer is missing");
            var candidates = list.EnumerateArray().Select((c, i) => Candidate(file, number, c, i)).ToList();
            return new(Question.FromText(text).Id, text, answer, candidates, number);
        }
    }

    private static RecordedCandidate Candidate(string file, int number, JsonElement candidate, int index)
    {
        var path = $"candidates[{index.ToString(CultureInfo.InvariantCulture)}]";
        var text = Field(file, number, candidate, "text", path + ".text", mayBeEmpty: true);
        bool? correct = candidate.Get("correct") is { } label
            ? label.ValueKind is JsonValueKind.True or JsonValueKind.False ? label.GetBoolean() : throw RecordingReader.Bad(file, number, path + ".correct: it is neither true nor false")
            : null;
        return new(text, correct, candidate.Text("model"));
    }

    private static string Field(string file, int number, JsonElement element, string name, string path, bool mayBeEmpty = false)
    {
        var text = element.Get(name) switch
        {
            { ValueKind: JsonValueKind.String } value => SurrogateJoiner.Whole(value.Characters()),
            { ValueKind: JsonValueKind.Number } value => value.GetRawText(),
            null => throw RecordingReader.Bad(file, number, path + ": it is missing"),
            _ => throw RecordingReader.Bad(file, number, path + ": it is no text"),
        };
        return mayBeEmpty || !string.IsNullOrWhiteSpace(text) ? text : throw RecordingReader.Bad(file, number, path + ": it is empty");
    }
}
