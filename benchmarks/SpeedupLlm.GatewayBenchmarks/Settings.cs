using System.Globalization;

namespace SpeedupLlm.GatewayBenchmarks;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    /// <summary>Where results are written too, or null.</summary>
    public string? Out { get; private init; }

    /// <summary>Seconds of one measurement.</summary>
    public double Seconds { get; private init; } = 4;

    /// <summary>How often each is made.</summary>
    public int Repeats { get; private init; } = 5;

    /// <summary>Connections of the closed loop.</summary>
    public IReadOnlyList<int> Connections { get; private init; } = [1, 64, 512];

    /// <summary>Targets by name; empty is all.</summary>
    public IReadOnlyList<string> Targets { get; private init; } = [];

    /// <summary>Requests a second of the open loop.</summary>
    public double Rate { get; private init; } = 2000;

    /// <summary>Minutes of the soak.</summary>
    public double Minutes { get; private init; } = 30;

    public TimeSpan Measured => TimeSpan.FromSeconds(Seconds);

    public TimeSpan WarmUp => TimeSpan.FromSeconds(Seconds / 4);

    /// <exception cref="ArgumentException">An option is unknown, or has no value.</exception>
    public static Settings Parse(IEnumerable<string> arguments)
    {
        var settings = new Settings();
        var rest = new Queue<string>(arguments);
        while (rest.TryDequeue(out var name))
        {
            if (!name.StartsWith("--", StringComparison.Ordinal))
                continue;
            var value = rest.TryDequeue(out var given) ? given : throw new ArgumentException($"{name} needs a value.", nameof(arguments));
            settings = name switch
            {
                "--out" => settings with { Out = value },
                "--seconds" => settings with { Seconds = double.Parse(value, CultureInfo.InvariantCulture) },
                "--repeats" => settings with { Repeats = int.Parse(value, CultureInfo.InvariantCulture) },
                "--connections" => settings with { Connections = [.. value.Split(',').Select(n => int.Parse(n, CultureInfo.InvariantCulture))] },
                "--targets" => settings with { Targets = value.Split(',') },
                "--rate" => settings with { Rate = double.Parse(value, CultureInfo.InvariantCulture) },
                "--minutes" => settings with { Minutes = double.Parse(value, CultureInfo.InvariantCulture) },
                _ => throw new ArgumentException($"{name} is no option.", nameof(arguments)),
            };
        }
        return settings;
    }

    /// <summary>Whether a target is wanted; <c>direct</c> always is.</summary>
    public bool Wants(string target) => Targets.Count == 0 || target == "direct" || Targets.Contains(target, StringComparer.Ordinal);
}
