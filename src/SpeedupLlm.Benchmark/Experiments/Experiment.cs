using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Results;

namespace SpeedupLlm.Benchmark.Experiments;

/// <summary>A run of the study: cells × groups × levels, as docs/protocol.md says (arXiv 2505.20643). Results do not depend on the parallelism.</summary>
public sealed class Experiment
{
    /// <summary>The similarity of data without levels.</summary>
    internal const string AnySimilarity = "any";

    private readonly ExperimentPlan _plan;
    private readonly ExperimentModel _model;
    private readonly IExampleSource _data;
    private readonly ResultsFolder _folder;
    private readonly TimeProvider _clock;

    /// <param name="settings">All parameters.</param>
    /// <param name="model">The model.</param>
    /// <param name="data">The questions.</param>
    /// <param name="folder">Where the results go.</param>
    /// <param name="clock">The clock.</param>
    /// <exception cref="UnknownNameException">A name is unknown.</exception>
    /// <exception cref="ArgumentException">A parameter is out of range, or does not fit model or data.</exception>
    public Experiment(ExperimentSettings settings, ExperimentModel model, IExampleSource data, ResultsFolder folder, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        _plan = new(settings, model, data);
        _model = model;
        _data = data;
        _folder = folder;
        _clock = clock;
    }

    /// <summary>How many lifelines are lived at once. Default 64: the embedded engine answers them in batches.</summary>
    public int Parallelism { get; init; } = 64;

    /// <summary>Hears how far the run is, after each lifeline; may be called from several threads.</summary>
    public Action<ExperimentProgress>? Progress { get; init; }

    /// <summary>How many trials a whole run has.</summary>
    public int PlannedTrials => _plan.Trials;

    /// <summary>Runs it, or what is left of it, and writes all files.</summary>
    /// <param name="resume">Whether finished trials in the folder are used again; without it the folder must hold no run.</param>
    /// <param name="cancellationToken">Stops the run: what is finished is summed up, then it throws.</param>
    /// <exception cref="ResumeRefusedException">The folder's run has other parameters.</exception>
    /// <exception cref="ResultsExistException">The folder holds a run and resuming was not asked for.</exception>
    /// <exception cref="ModelUnusableException">The first call failed.</exception>
    /// <exception cref="IOException">Another process is writing to the folder.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the files say what is there.</exception>
    public async Task<Summary> RunAsync(bool resume, CancellationToken cancellationToken)
    {
        if (_folder.HasRun && !resume)
            throw new ResultsExistException(_folder.Path);
        Directory.CreateDirectory(_folder.Path);
        await using var alone = _folder.Lock();
        var start = _clock.GetTimestamp();
        // the manifest comes first: wherever the process is killed, what is there says what it is of
        var manifest = Describe(_clock.GetUtcNow());
        var (kept, plainKept) = resume && _folder.HasRun ? Reuse(manifest) : ([], []);
        _folder.Write(manifest);
        _folder.Write(_plan.Relevancy());
        TrialFile.WriteSorted(_folder.TrialsPath, kept);
        TrialFile.WriteSorted(_folder.PlainCallsPath, plainKept);
        var progress = new Tally(kept.Count, PlannedTrials, _clock, start, Progress);
        progress.Begin();
        var runner = new StrandRunner(_plan, _model, _data, _clock, cancellationToken);
        var status = "interrupted";
        try
        {
            await AskPlainlyAsync(runner, plainKept, cancellationToken).ConfigureAwait(false);
            await LiveAsync(runner, kept, progress, cancellationToken).ConfigureAwait(false);
            status = "complete";
        }
        finally
        {
            var trials = TrialFile.Read(_folder.TrialsPath);
            if (status == "complete")
            {
                TrialFile.WriteSorted(_folder.TrialsPath, trials);
                TrialFile.WriteSorted(_folder.PlainCallsPath, TrialFile.Read(_folder.PlainCallsPath));
            }

            _folder.Write(manifest with
            {
                Status = status,
                FinishedTrials = trials.Count,
                Time = manifest.Time with { ElapsedMs = _clock.GetElapsedTime(start).TotalMilliseconds },
            });
            _folder.Summarize();
        }

        return _folder.ReadSummary();
    }

    /// <summary>Lives it together with other processes: each takes what nobody else has, and all end with the files that one process alone would have written, but for <c>time</c>.</summary>
    /// <remarks>Called again it goes on, without a word of resuming: what is finished is in the shared run. The folder's own finished lifelines are used again.</remarks>
    /// <param name="shared">Where they meet.</param>
    /// <param name="cancellationToken">Stops this process: what it holds is given back, and the others go on.</param>
    /// <exception cref="ResumeRefusedException">The shared run, or the folder's, has other parameters.</exception>
    /// <exception cref="ModelUnusableException">The first call failed.</exception>
    /// <exception cref="SharedRunRemovedException">Somebody removed the shared run meanwhile.</exception>
    public async Task<Summary> RunSharedAsync(ISharedRun shared, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(shared);
        var own = Describe(_clock.GetUtcNow());
        if (IsComplete())
            return _folder.ReadSummary();
        var (kept, plainKept) = _folder.HasRun ? Reuse(own) : ([], []);
        Directory.CreateDirectory(_folder.Path);
        var together = new SharedExperiment(_plan, shared, new(_plan, _model, _data, _clock, cancellationToken), _clock) { Parallelism = Parallelism, Progress = Progress };
        var begun = await together.RunAsync(own, [.. kept, .. plainKept], cancellationToken).ConfigureAwait(false);
        return await together.WriteAsync(begun, _folder, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether the folder has this very run, and all of it.</summary>
    /// <exception cref="ResumeRefusedException">The folder's run has other parameters.</exception>
    internal bool IsComplete()
    {
        if (!_folder.HasRun)
            return false;
        var there = _folder.ReadManifest();
        there.RefuseOther(Describe(_clock.GetUtcNow()), _folder.Path);
        return there.Status == "complete";
    }

    /// <summary>Finished lifelines of an earlier run of the same parameters.</summary>
    private (IReadOnlyList<Trial> Trials, IReadOnlyList<Trial> PlainCalls) Reuse(Manifest now)
    {
        _folder.ReadManifest().RefuseOther(now, _folder.Path);
        return (_plan.Finished(TrialFile.Read(_folder.TrialsPath)), [.. TrialFile.Read(_folder.PlainCallsPath).DistinctBy(t => (t.Similarity, t.Group, t.Level))]);
    }

    private async Task AskPlainlyAsync(StrandRunner runner, IReadOnlyList<Trial> kept, CancellationToken cancellationToken)
    {
        var done = kept.Select(t => (t.Similarity, t.Group, t.Level)).ToHashSet();
        var asked = _plan.PlainCalls().SelectMany(k => _plan.PlainLevels(k.Similarity).Select(level => (Key: k, Level: level)))
            .Where(k => !done.Contains((k.Key.Similarity, k.Key.Group, k.Level))).ToList();
        if (asked.Count == 0)
            return;
        using var file = TrialFile.Open(_folder.PlainCallsPath);
        file.Append([await runner.TryModelAsync(asked[0].Key, asked[0].Level, cancellationToken).ConfigureAwait(false)]);
        await Parallel.ForEachAsync(asked.Skip(1), Options(cancellationToken), async (k, ct) =>
            file.Append([await runner.AskPlainlyAsync(k.Key, k.Level, ct).ConfigureAwait(false)])).ConfigureAwait(false);
    }

    private async Task LiveAsync(StrandRunner runner, IReadOnlyList<Trial> kept, Tally tally, CancellationToken cancellationToken)
    {
        var done = kept.Select(ExperimentPlan.KeyOf).ToHashSet();
        using var file = TrialFile.Open(_folder.TrialsPath);
        await Parallel.ForEachAsync(_plan.Strands(_plan.Lifelines().Where(k => !done.Contains(k))), Options(cancellationToken), async (strand, ct) =>
        {
            await foreach (var trials in runner.LiveAsync(strand, ct).ConfigureAwait(false))
            {
                file.Append(trials);
                tally.Add(trials);
            }
        }).ConfigureAwait(false);
    }

    private ParallelOptions Options(CancellationToken cancellationToken) => new() { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken };

    private Manifest Describe(DateTimeOffset startedAt) =>
        Manifest.Of(_plan.Settings, _model.Traits, _data, PlannedTrials, startedAt, Parallelism) with { Caveats = [.. Caveats()] };

    private IEnumerable<string> Caveats()
    {
        foreach (var caveat in Manifest.CaveatsOf(_plan.Settings))
            yield return caveat;
        if (!_plan.HasLevels && _plan.Settings.Memory.Count > 1)
            yield return "The data has no groups or levels: an arm with memory is one lifeline over all questions, and its intervals take questions as independent.";
    }
}

/// <summary>The model cannot be used at all: its first call failed. Remedy: what the message says.</summary>
public sealed class ModelUnusableException(string message) : Exception(message);
