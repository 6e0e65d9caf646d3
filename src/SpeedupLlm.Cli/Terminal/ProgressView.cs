using System.Globalization;
using SpeedupLlm.Benchmark.Experiments;

namespace SpeedupLlm.Cli.Terminal;

/// <summary>Shows how far a run is, on standard error: one line that is rewritten on a terminal, a line now and then elsewhere. Thread-safe.</summary>
internal sealed class ProgressView(string folder) : IDisposable
{
    private const int BarWidth = 28;
    private readonly Lock _gate = new();
    private readonly bool _terminal = !Console.IsErrorRedirected;
    private TimeSpan _last = TimeSpan.MinValue;
    private bool _over;

    public void Show(ExperimentProgress progress)
    {
        lock (_gate)
        {
            var pause = TimeSpan.FromSeconds(_terminal ? 0.1 : 5);
            if (_over || (progress.Done < progress.Planned && _last != TimeSpan.MinValue && progress.Elapsed - _last < pause))
                return;
            if (_last == TimeSpan.MinValue)
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{progress.Planned} {progress.Unit}; results go to {folder}"));
            _last = progress.Elapsed;
            var line = Describe(progress);
            if (_terminal)
                Console.Error.Write("\r" + Bar(progress) + line + "\x1b[K");
            else
                Console.Error.WriteLine(line);
        }
    }

    /// <summary>Ends the line; nothing is shown after it.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (!_over && _terminal && _last != TimeSpan.MinValue)
                Console.Error.WriteLine();
            _over = true;
        }
    }

    internal static string Describe(ExperimentProgress p)
    {
        var share = p.Planned == 0 ? 1 : (double)p.Done / p.Planned;
        var text = string.Create(CultureInfo.InvariantCulture, $"{100 * share,3:0} %  {p.Done}/{p.Planned} {p.Unit}  {Span(p.Elapsed)} gone");
        if (p.Left is { } left && p.Done < p.Planned)
            text += $", about {Span(left)} left";
        return p.Failed > 0 ? string.Create(CultureInfo.InvariantCulture, $"{text}, {p.Failed} failed") : text;
    }

    private static string Bar(ExperimentProgress p)
    {
        var full = p.Planned == 0 ? BarWidth : BarWidth * p.Done / p.Planned;
        return new string('█', full) + new string('░', BarWidth - full) + " ";
    }

    private static string Span(TimeSpan span) => span.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalHours}:{span.Minutes:00}:{span.Seconds:00}")
        : string.Create(CultureInfo.InvariantCulture, $"{span.Minutes}:{span.Seconds:00}");
}
