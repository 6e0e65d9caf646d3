using System.Text.Json;

namespace SpeedupLlm.Gateway.Administration;

/// <summary>Who changed or took out what, a JSON line each, appended only. Holds no question and no answer. Thread-safe.</summary>
internal sealed class AuditLog : IDisposable
{
    private readonly Lock _lock = new();
    private readonly FileStream? _file;
    private readonly TimeProvider _clock;

    /// <param name="path">The file, or null for none.</param>
    /// <param name="clock">The clock.</param>
    public AuditLog(string? path, TimeProvider clock)
    {
        _clock = clock;
        _file = path is null ? null : new(path, FileMode.Append, FileAccess.Write, FileShare.Read);
    }

    /// <summary>Writes a line; it is on the disk when this returns.</summary>
    /// <param name="action">What was done: <c>forget</c>, <c>mark</c>, <c>erase</c>, <c>export</c>, <c>mode</c>, <c>retention</c>.</param>
    /// <param name="by">Who did it: <c>admin</c>, <c>retention</c>, or a tenant's name.</param>
    /// <param name="tenant">Whose memory, or null.</param>
    /// <param name="target">The episode, user or mode.</param>
    /// <param name="records">How many records it touched.</param>
    public void Write(string action, string by, string? tenant, string? target, long records)
    {
        if (_file is null)
            return;
        using var line = new MemoryStream();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteNumber("formatVersion", 1);
            json.WriteString("at", _clock.GetUtcNow());
            json.WriteString("action", action);
            json.WriteString("by", by);
            json.WriteString("tenant", tenant);
            json.WriteString("target", target);
            json.WriteNumber("records", records);
            json.WriteEndObject();
        }
        line.WriteByte((byte)'\n');
        lock (_lock)
        {
            _file.Write(line.GetBuffer(), 0, (int)line.Length);
            _file.Flush(flushToDisk: true);
        }
    }

    public void Dispose() => _file?.Dispose();
}
