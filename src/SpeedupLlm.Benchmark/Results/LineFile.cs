using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace SpeedupLlm.Benchmark.Results;

/// <summary>A file of one JSON object a line that grows while a run goes on. Thread-safe.</summary>
internal sealed class LineFile<T> : IDisposable
{
    private readonly Lock _gate = new();
    private readonly JsonTypeInfo<T> _type;
    private readonly StreamWriter _writer;

    /// <summary>Opens the file for appending; each line is handed to the system as soon as it is written.</summary>
    public LineFile(string path, JsonTypeInfo<T> type)
    {
        _type = type;
        _writer = new(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read), new UTF8Encoding(false)) { AutoFlush = false };
    }

    /// <summary>Appends the items as one write, so that a reader sees whole lines.</summary>
    public void Append(IEnumerable<T> items)
    {
        var text = Format(items, _type);
        lock (_gate)
        {
            _writer.Write(text);
            _writer.Flush();
        }
    }

    public void Dispose() => _writer.Dispose();

    /// <summary>Replaces the file by these items, atomically.</summary>
    public static void Write(string path, IEnumerable<T> items, JsonTypeInfo<T> type) => ResultsFolder.WriteAtomically(path, Format(items, type));

    /// <summary>All items of a file; none if it is not there. A torn last line (a run that was killed) is left out; any other bad line is an error.</summary>
    /// <param name="path">The file.</param>
    /// <param name="type">How an item is written.</param>
    /// <param name="what">What an item is, for errors.</param>
    /// <param name="check">Says what is wrong with an item, or null.</param>
    /// <exception cref="InvalidDataException">A line is not an item: names file and line.</exception>
    public static IReadOnlyList<T> Read(string path, JsonTypeInfo<T> type, string what, Func<T, string?> check) =>
        File.Exists(path) ? Parse(File.ReadAllText(path), path, type, what, check) : [];

    /// <summary>As <see cref="Read"/>, of a text.</summary>
    public static IReadOnlyList<T> Parse(string text, string path, JsonTypeInfo<T> type, string what, Func<T, string?> check)
    {
        var lines = text.Split('\n');
        var items = new List<T>(lines.Length);
        for (var i = 0; i < lines.Length; i++)
        {
            if (string.IsNullOrWhiteSpace(lines[i]))
                continue;
            try
            {
                var item = JsonSerializer.Deserialize(lines[i], type) ?? throw new JsonException("null");
                if (check(item) is { } wrong)
                    throw new InvalidDataException(FormattableString.Invariant($"{path} line {i + 1}: {wrong}."));
                items.Add(item);
            }
            catch (JsonException) when (i == lines.Length - 1)
            {
                // no line end after it: the run was killed in the middle of a write
            }
            catch (JsonException error)
            {
                throw new InvalidDataException(FormattableString.Invariant($"{path} line {i + 1}: not {what} ({error.Message})"), error);
            }
        }

        return items;
    }

    private static string Format(IEnumerable<T> items, JsonTypeInfo<T> type)
    {
        var text = new StringBuilder();
        foreach (var item in items)
            text.Append(JsonSerializer.Serialize(item, type)).Append('\n');
        return text.ToString();
    }
}
