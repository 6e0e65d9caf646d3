using System.Globalization;
using System.Runtime.InteropServices;
using SpeedupLlm.GatewayBenchmarks.Load;

namespace SpeedupLlm.GatewayBenchmarks;

/// <summary>Writes results to the console, and to a file if one is asked for.</summary>
internal sealed class Report : IDisposable
{
    private readonly TextWriter? _file;

    public Report(string section, Settings settings)
    {
        if (settings.Out is { } folder)
        {
            Directory.CreateDirectory(folder);
            _file = File.CreateText(Path.Combine(folder, section + ".txt"));
        }
        Line($"dotnet run --project benchmarks/SpeedupLlm.GatewayBenchmarks -c Release -- {string.Join(' ', Environment.GetCommandLineArgs().Skip(1))}");
        Line(string.Create(CultureInfo.InvariantCulture, $"{Processor()}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}"));
        Line("The load, the upstream and the server between them share these cores. Medians of the repeats, and their least and most in brackets.");
        Line("");
    }

    public void Line(string line)
    {
        Console.WriteLine(line);
        _file?.WriteLine(line);
        _file?.Flush();
    }

    /// <summary>The median of the repeats, and their range.</summary>
    public static string Spread(IEnumerable<Measurement> repeats, Func<Measurement, double> figure, string format) => Spread(repeats.Select(figure), format);

    /// <inheritdoc cref="Spread(IEnumerable{Measurement}, Func{Measurement, double}, string)"/>
    public static string Spread(IEnumerable<double> figures, string format)
    {
        var sorted = figures.Order().ToArray();
        return string.Create(CultureInfo.InvariantCulture, $"{Median(sorted).ToString(format, CultureInfo.InvariantCulture)} [{sorted[0].ToString(format, CultureInfo.InvariantCulture)}, {sorted[^1].ToString(format, CultureInfo.InvariantCulture)}]");
    }

    public static double Median(IEnumerable<double> figures)
    {
        var sorted = figures.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    public void Dispose() => _file?.Dispose();

    private static string Processor() =>
        File.Exists("/proc/cpuinfo") && File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) is { } line
            ? line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
            : RuntimeInformation.ProcessArchitecture.ToString();
}
