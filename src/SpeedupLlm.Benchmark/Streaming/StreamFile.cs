using SpeedupLlm.Benchmark.Results;

namespace SpeedupLlm.Benchmark.Streaming;

/// <summary><c>stream.jsonl</c>.</summary>
internal static class StreamFile
{
    public static LineFile<StreamTrial> Open(string path) => new(path, ResultsJson.Line.StreamTrial);

    /// <summary>All trials; none if there is no file. A torn last line is left out.</summary>
    /// <exception cref="InvalidDataException">A line is not a trial: names file and line.</exception>
    public static IReadOnlyList<StreamTrial> Read(string path) => LineFile<StreamTrial>.Read(path, ResultsJson.Line.StreamTrial, "a trial of a stream",
        t => t.FormatVersion == StreamTrial.CurrentFormat ? null : FormattableString.Invariant($"format {t.FormatVersion} is not {StreamTrial.CurrentFormat}"));

    /// <summary>Replaces the file: by arm in the order of the settings, then by time.</summary>
    public static void WriteSorted(string path, IEnumerable<StreamTrial> trials, IReadOnlyList<string> arms) => LineFile<StreamTrial>.Write(
        path, trials.OrderBy(t => arms.ToList().IndexOf(t.Memory)).ThenBy(t => t.Index), ResultsJson.Line.StreamTrial);
}
