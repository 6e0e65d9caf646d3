namespace SpeedupLlm.Benchmark.Experiments;

/// <summary>How far a run is.</summary>
/// <param name="Done">Finished trials.</param>
/// <param name="Planned">All trials.</param>
/// <param name="Failed">Finished ones that failed.</param>
/// <param name="Elapsed">Time since this run began.</param>
/// <param name="Left">Estimate of the time left, or null while there is too little to tell.</param>
public sealed record ExperimentProgress(int Done, int Planned, int Failed, TimeSpan Elapsed, TimeSpan? Left)
{
    /// <summary>What is counted.</summary>
    public string Unit { get; init; } = "trials";
}

/// <summary>A run cannot be continued: its parameters differ. Remedy: the parameters of the first run, or another folder.</summary>
public sealed class ResumeRefusedException(string folder, IReadOnlyList<string> differences)
    : Exception($"Cannot resume {folder}: {string.Join("; ", differences)}.")
{
    /// <summary>What differs, each as "name: then, now".</summary>
    public IReadOnlyList<string> Differences { get; } = differences;
}

/// <summary>The folder holds results, and resuming was not asked for. Remedy: resume, or another folder.</summary>
public sealed class ResultsExistException(string folder) : Exception($"{folder} holds results already: continue them with --resume, or choose another --out.")
{
    /// <summary>The folder.</summary>
    public string Folder { get; } = folder;
}
