using System.Reflection;
using System.Runtime.InteropServices;
using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Results;

/// <summary><c>manifest.json</c>: everything that a run's results depend on, and what of them is there.</summary>
public sealed record Manifest
{
    /// <summary>The version of the format that this code writes.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The version of the format.</summary>
    public int FormatVersion { get; init; } = CurrentFormat;

    /// <summary>The program's version.</summary>
    public required string Version { get; init; }

    /// <summary><c>running</c>, <c>complete</c> or <c>interrupted</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Whether the figures are only indicative (<c>--quick</c>).</summary>
    public required bool Indicative { get; init; }

    /// <summary>What must be said beside every figure of this run, such as the use of the oracle.</summary>
    public required IReadOnlyList<string> Caveats { get; init; }

    /// <summary>All parameters.</summary>
    public required ExperimentSettings Parameters { get; init; }

    /// <summary>Fingerprint of the model: changes when its answers may change.</summary>
    public required string ModelFingerprint { get; init; }

    /// <summary>Fingerprint of the prompts.</summary>
    public required string PromptFingerprint { get; init; }

    /// <summary>Fingerprint of the world or data file.</summary>
    public required string DataFingerprint { get; init; }

    /// <summary>SHA-256 of <c>docs/protocol.md</c>.</summary>
    public required string ProtocolSha256 { get; init; }

    /// <summary>The price sheet of the full cost.</summary>
    public required PriceSheet Prices { get; init; }

    /// <summary>How many trials a whole run has.</summary>
    public required int PlannedTrials { get; init; }

    /// <summary>How many are in <c>trials.jsonl</c>.</summary>
    public required int FinishedTrials { get; init; }

    /// <summary>Everything that depends on the clock or the machine.</summary>
    public required ManifestTime Time { get; init; }

    /// <summary>The manifest of a run that begins now.</summary>
    internal static Manifest Of(ExperimentSettings settings, ModelTraits model, IExampleSource data, int plannedTrials, DateTimeOffset startedAt, int parallelism) => new()
    {
        Version = typeof(Manifest).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown",
        Status = "running",
        Indicative = settings.Quick,
        Caveats = [.. CaveatsOf(settings)],
        Parameters = settings,
        ModelFingerprint = model.Fingerprint,
        PromptFingerprint = Catalogue.Prompts.Create(model.Prompts).Fingerprint,
        DataFingerprint = data.Fingerprint,
        ProtocolSha256 = Resources.ProtocolSha256,
        Prices = PriceSheet.Relative,
        PlannedTrials = plannedTrials,
        FinishedTrials = 0,
        Time = new(startedAt, 0, Environment.ProcessorCount, RuntimeInformation.FrameworkDescription, RuntimeInformation.OSDescription, parallelism),
    };

    /// <summary>What the settings alone make necessary to say.</summary>
    internal static IEnumerable<string> CaveatsOf(ExperimentSettings settings)
    {
        if (Catalogue.Scorers.Create(settings.Scorer).Flagged)
            yield return $"Scored by {settings.Scorer}, which looks at the reference answers: these figures show what a perfect judge would give, and are not to be published.";
        if (settings.JudgeError > 0)
            yield return FormattableString.Invariant($"Of the scorer's verdicts {100 * settings.JudgeError:0.#} % were turned round on purpose: these figures show what a noisier judge would do.");
    }

    /// <summary>Throws if this run cannot be gone on with as <paramref name="now"/>.</summary>
    /// <exception cref="ResumeRefusedException">It says what differs.</exception>
    internal void RefuseOther(Manifest now, string folder)
    {
        var differences = Parameters.DifferencesTo(now.Parameters).ToList();
        Compare("model fingerprint", ModelFingerprint, now.ModelFingerprint);
        Compare("prompts", PromptFingerprint, now.PromptFingerprint);
        Compare("data", DataFingerprint, now.DataFingerprint);
        Compare("protocol", ProtocolSha256, now.ProtocolSha256);
        Compare("version", Version, now.Version);
        if (differences.Count > 0)
            throw new ResumeRefusedException(folder, differences);

        void Compare(string name, string then, string its)
        {
            if (then != its)
                differences.Add($"{name}: {then}, now {its}");
        }
    }
}

/// <summary>When, how long, and on what.</summary>
public sealed record ManifestTime(DateTimeOffset StartedAt, double ElapsedMs, int Processors, string Runtime, string System, int Parallelism);
