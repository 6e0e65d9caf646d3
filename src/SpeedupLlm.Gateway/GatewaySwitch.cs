namespace SpeedupLlm.Gateway;

/// <summary>The mode in force: one call turns everything off. Thread-safe.</summary>
internal sealed class GatewaySwitch(ExperienceMode configured)
{
    private volatile int _mode = (int)configured;

    public ExperienceMode Mode
    {
        get => (ExperienceMode)_mode;
        set => _mode = (int)value;
    }
}
