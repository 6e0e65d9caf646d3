using System.Text;
using System.Text.Json;

namespace SpeedupLlm.Benchmark.Results;

/// <summary><c>trials.jsonl</c>: appended to as trials end, sorted when all have ended.</summary>
internal sealed class TrialFile : IDisposable
{
    private readonly Lock _gate = new();
    private readonly StreamWriter _writer;

    /// <summary>Opens the file for appending; each line is handed to the system as soon as it is written.</summary>
    public TrialFile(string path)
    {
        _writer = new(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read), new UTF8Encoding(false)) { AutoFlush = false };
    }

    /// <summary>Appends the trials as one write, so that a reader sees whole lines.</summary>
    public void Append(IEnumerable<Trial> trials)
    {
        var lines = new StringBuilder();
        foreach (var trial in trials)
            lines.Append(Format(trial)).Append('\n');
        lock (_gate)
        {
            _writer.Write(lines.ToString());
            _writer.Flush();
        }
    }

    public void Dispose() => _writer.Dispose();

    /// <summary>One line, without its end.</summary>
    public static string Format(Trial trial) => JsonSerializer.Serialize(trial, ResultsJson.Line.Trial);

    /// <summary>All trials of a file. A torn last line (a run that was killed) is left out; any other bad line is an error.</summary>
    /// <exception cref="InvalidDataException">A line is not a trial: names file and line.</exception>
    public static IReadOnlyList<Trial> Read(string path)
    {
        var lines = File.ReadAllText(path).Split('\n');
        var trials = new List<Trial>(lines.Length);
        for (var i = 0; i < lines.Length; i++)
        {
            if (string.IsNullOrWhiteSpace(lines[i]))
                continue;
            try
            {
                var trial = JsonSerializer.Deserialize(lines[i], ResultsJson.Line.Trial) ?? throw new JsonException("null");
                if (trial.FormatVersion != Trial.CurrentFormat)
                    throw new InvalidDataException(FormattableString.Invariant($"{path} line {i + 1}: format {trial.FormatVersion} is not {Trial.CurrentFormat}."));
                trials.Add(trial);
            }
            catch (JsonException) when (i == lines.Length - 1)
            {
                // no line end after it: the run was killed in the middle of a write
            }
            catch (JsonException error)
            {
                throw new InvalidDataException(FormattableString.Invariant($"{path} line {i + 1}: not a trial ({error.Message})"), error);
            }
        }

        return trials;
    }

    /// <summary>Replaces the file by these trials in their final order, atomically.</summary>
    public static void WriteSorted(string path, IEnumerable<Trial> trials)
    {
        var text = new StringBuilder();
        foreach (var trial in Sort(trials))
            text.Append(Format(trial)).Append('\n');
        ResultsFolder.WriteAtomically(path, text.ToString());
    }

    /// <summary>The final order: by cell, group and level.</summary>
    public static IEnumerable<Trial> Sort(IEnumerable<Trial> trials) => trials
        .OrderBy(t => t.Checkpoint)
        .ThenBy(t => t.Similarity, StringComparer.Ordinal)
        .ThenBy(t => t.Scaling, StringComparer.Ordinal)
        .ThenBy(t => t.Memory, StringComparer.Ordinal)
        .ThenBy(t => t.Group)
        .ThenBy(t => t.Level);
}
