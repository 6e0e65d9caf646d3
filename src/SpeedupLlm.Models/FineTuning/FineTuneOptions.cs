namespace SpeedupLlm.Models;

/// <summary>How an endpoint's fine-tuning API is used.</summary>
public sealed record FineTuneOptions
{
    /// <summary>Passes over the pairs, in [1, 50], or null for what the endpoint finds right.</summary>
    public int? Epochs { get; init; }

    /// <summary>A word that the endpoint puts into the new model's name, at most 64 characters, or null.</summary>
    public string? Suffix { get; init; } = "speedup";

    /// <summary>How long to wait between two looks at a job.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a job may take; then it is cancelled.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromHours(6);

    /// <summary>Whether the uploaded pairs stay at the endpoint. They hold questions and answers, so by default they are deleted when the job has ended.</summary>
    public bool KeepFile { get; init; }

    internal void Validate()
    {
        if (Epochs is { } epochs)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(epochs, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(epochs, 50);
        }
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Suffix?.Length ?? 0, 64);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(PollInterval, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(Deadline, TimeSpan.Zero);
    }
}
