using System.Globalization;
using System.Text;
using System.Text.Json;

namespace SpeedupLlm.Models;

/// <summary>Reads JSONL files line by line; what is wrong is said with file, line and field.</summary>
internal static class RecordingReader
{
    /// <summary>The header of a recording.</summary>
    public static RecordingHeader Header(string file, FileStream stream)
    {
        stream.Seek(0, SeekOrigin.Begin);
        using var reader = new StreamReader(stream, new UTF8Encoding(false), leaveOpen: true);
        return Header(file, reader.ReadLine() ?? "");
    }

    public static RecordingHeader Header(string file, string line)
    {
        RecordingHeader header;
        try
        {
            header = JsonSerializer.Deserialize(line, RecordingJson.Default.RecordingHeader) ?? throw Bad(file, 1, "an object is missing");
        }
        catch (JsonException e)
        {
            throw Bad(file, 1, Problem(e), e);
        }
        if (header.FormatVersion != RecordingHeader.CurrentFormat)
            throw Bad(file, 1, $"formatVersion: {header.FormatVersion.ToString(CultureInfo.InvariantCulture)} was written by a newer version");
        return header.Recording == "calls" ? header : throw Bad(file, 1, $"recording: “{header.Recording}” is no kind of recording");
    }

    /// <summary>All calls of a recording. A last line without its end is a crash's doing and is passed over (case 45).</summary>
    public static (RecordingHeader Header, List<RecordedLine> Lines) Read(string file)
    {
        var text = File.ReadAllText(file, new UTF8Encoding(false));
        var torn = !text.EndsWith('\n');
        RecordingHeader? header = null;
        var lines = new List<RecordedLine>();
        var number = 0;
        foreach (var range in text.AsSpan().Split('\n'))
        {
            number++;
            var line = text.AsSpan(range).Trim();
            if (line.IsEmpty || (torn && header is not null && range.End.Value == text.Length))
                continue;
            if (header is null)
                header = Header(file, line.ToString());
            else
                lines.Add(Line(file, number, line));
        }
        return (header ?? throw Bad(file, 1, "the file is empty"), lines);
    }

    /// <summary>One line that says file, line and what is wrong.</summary>
    public static InvalidDataException Bad(string file, int line, string problem, Exception? inner = null) =>
        new($"{file}:{line.ToString(CultureInfo.InvariantCulture)}: {problem}", inner);

    /// <summary>What is wrong with a line of JSON, with the field if it is known.</summary>
    public static string Problem(JsonException e)
    {
        var message = e.Message;
        var at = message.IndexOf(" Path: ", StringComparison.Ordinal);
        if (at >= 0)
            message = message[..at];
        at = message.IndexOf(" LineNumber: ", StringComparison.Ordinal);
        if (at >= 0)
            message = message[..at];
        var field = e.Path?.TrimStart('$', '.');
        return $"{(string.IsNullOrEmpty(field) ? "" : field + ": ")}{ErrorBody.Line(message).TrimEnd('.')} (byte {e.BytePositionInLine?.ToString(CultureInfo.InvariantCulture) ?? "?"})";
    }

    private static RecordedLine Line(string file, int number, ReadOnlySpan<char> text)
    {
        RecordedLine line;
        try
        {
            line = JsonSerializer.Deserialize(text, RecordingJson.Default.RecordedLine) ?? throw Bad(file, number, "an object is missing");
        }
        catch (JsonException e)
        {
            throw Bad(file, number, Problem(e), e);
        }
        if (line.Response is null && line.Training is null && line.Error is null)
            throw Bad(file, number, "response: it is missing, and so are training and error");
        if (line.Response is { Messages.ValueKind: not JsonValueKind.Array })
            throw Bad(file, number, "response.messages: it is no list");
        return line;
    }
}
