using SpeedupLlm.Gateway.Administration;

namespace SpeedupLlm.Gateway;

/// <summary>The mode in force: one call turns everything off. Thread-safe.</summary>
internal sealed class GatewaySwitch(ExperienceMode configured, AuditLog audit)
{
    private volatile int _mode = (int)configured;

    public ExperienceMode Mode => (ExperienceMode)_mode;

    /// <summary>The modes by the names that people use for them.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Enum.GetNames<ExperienceMode>().Select(n => n.ToLowerInvariant())];

    /// <summary>Switches to a mode by its name; says whether there is such a mode. It is in the audit log.</summary>
    public bool Set(string name, string by)
    {
        var mode = Names.ToList().FindIndex(n => n.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (mode < 0)
            return false;
        _mode = (int)Enum.Parse<ExperienceMode>(Names[mode], ignoreCase: true);
        audit.Write("mode", by, null, Names[mode], 0);
        return true;
    }
}
