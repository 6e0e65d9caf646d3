using System.Text.Json;

namespace SpeedupLlm.Benchmark.Results;

/// <summary><c>trials.jsonl</c>: appended to as trials end, sorted when all have ended.</summary>
internal static class TrialFile
{
    /// <summary>Opens the file for appending.</summary>
    public static LineFile<Trial> Open(string path) => new(path, ResultsJson.Line.Trial);

    /// <summary>One line, without its end.</summary>
    public static string Format(Trial trial) => JsonSerializer.Serialize(trial, ResultsJson.Line.Trial);

    /// <summary>All trials of a file; none if it is not there. A torn last line (a run that was killed) is left out; any other bad line is an error.</summary>
    /// <exception cref="InvalidDataException">A line is not a trial: names file and line.</exception>
    public static IReadOnlyList<Trial> Read(string path) => LineFile<Trial>.Read(path, ResultsJson.Line.Trial, "a trial", Wrong);

    /// <summary>The trials of a text like such a file's.</summary>
    /// <param name="text">The lines.</param>
    /// <param name="place">Where they are from, for errors.</param>
    /// <exception cref="InvalidDataException">A line is not a trial: names place and line.</exception>
    public static IReadOnlyList<Trial> Parse(string text, string place) => LineFile<Trial>.Parse(text, place, ResultsJson.Line.Trial, "a trial", Wrong);

    /// <summary>Replaces the file by these trials in their final order, atomically.</summary>
    public static void WriteSorted(string path, IEnumerable<Trial> trials) => LineFile<Trial>.Write(path, Sort(trials), ResultsJson.Line.Trial);

    private static string? Wrong(Trial trial) =>
        trial.FormatVersion == Trial.CurrentFormat ? null : FormattableString.Invariant($"format {trial.FormatVersion} is not {Trial.CurrentFormat}");

    /// <summary>The final order: by cell, group and level.</summary>
    public static IEnumerable<Trial> Sort(IEnumerable<Trial> trials) => trials
        .OrderBy(t => t.Checkpoint)
        .ThenBy(t => t.Similarity, StringComparer.Ordinal)
        .ThenBy(t => t.Scaling, StringComparer.Ordinal)
        .ThenBy(t => t.Memory, StringComparer.Ordinal)
        .ThenBy(t => t.Group)
        .ThenBy(t => t.Level);
}
