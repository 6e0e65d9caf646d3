using System.Text;

namespace SpeedupLlm.Transformer.Adapter;

/// <summary>Cuts a stream of text at the stop string that is whole first (the longer one of two that end together); holds back what may turn out to be its beginning. Not thread-safe.</summary>
internal sealed class StopText
{
    private readonly string[] _stops;
    private string _held = "";

    /// <summary>Empty strings are left out.</summary>
    public StopText(IEnumerable<string> stops)
    {
        _stops = [.. stops.Where(s => s.Length > 0)];
    }

    /// <summary>Everything let through so far.</summary>
    public StringBuilder Text { get; } = new();

    /// <summary>Whether a stop string came.</summary>
    public bool Stopped { get; private set; }

    /// <summary>What can be shown after this piece.</summary>
    public string Push(string piece)
    {
        if (Stopped || piece.Length == 0)
            return "";
        var text = _held + piece;
        var (cut, end) = (-1, int.MaxValue);
        foreach (var stop in _stops)
            if (text.IndexOf(stop, StringComparison.Ordinal) is var at and >= 0 && (at + stop.Length, at).CompareTo((end, cut)) < 0)
                (cut, end) = (at, at + stop.Length);
        Stopped = cut >= 0;
        var show = Stopped ? cut : text.Length - HeldLength(text);
        _held = Stopped ? "" : text[show..];
        Text.Append(text, 0, show);
        return text[..show];
    }

    /// <summary>What was held back, at the end of the text.</summary>
    public string Flush()
    {
        var rest = _held;
        _held = "";
        Text.Append(rest);
        return rest;
    }

    /// <summary>Length of the longest end of the text that begins a stop string.</summary>
    private int HeldLength(string text)
    {
        var held = 0;
        foreach (var stop in _stops)
            for (var length = Math.Min(stop.Length - 1, text.Length); length > held; length--)
                if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                    held = length;
        return held;
    }
}
