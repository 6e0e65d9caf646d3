using System.Collections.Concurrent;
using SpeedupLlm.Benchmark.Calibration;
using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Memory;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Benchmark.Experiments;

/// <summary>A run of the study: cells × groups × levels, as docs/protocol.md says (arXiv 2505.20643). Results do not depend on the parallelism.</summary>
public sealed class Experiment
{
    /// <summary>The similarity of data without levels.</summary>
    internal const string AnySimilarity = "any";

    private readonly ExperimentSettings _settings;
    private readonly ExperimentModel _model;
    private readonly IExampleSource _data;
    private readonly ResultsFolder _folder;
    private readonly TimeProvider _clock;
    private readonly LifelineRunner _runner;
    private readonly IReadOnlyList<int> _groups;
    private readonly bool _hasLevels;

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
        _hasLevels = data.LevelsAt(SimilarityLevel.S1) is not null;
        _settings = settings with
        {
            Memory = [CellKey.NoMemory, .. settings.Memory.Where(m => m != CellKey.NoMemory)],
            Similarity = _hasLevels ? settings.Similarity : [AnySimilarity],
            Rounds = _hasLevels ? settings.Rounds : 0,
            Groups = GroupsOf(settings, data),
            Data = data.Name,
        };
        Methods.Validate(_settings);
        if (_settings.Distractors > 0 && !_hasLevels)
            throw new ArgumentException($"{data.Name} has no groups that could distract from each other.");
        if (_settings.Distractors >= _settings.Groups)
            throw new ArgumentException(FormattableString.Invariant($"{_settings.Distractors} other groups can distract in a run of more than {_settings.Groups}: ask for more groups."));
        if (model.NoMemoryBecause is { } reason && _settings.Memory.Count > 1)
            throw new ArgumentException($"Memory {_settings.Memory[1]} cannot be used: {reason}.");
        foreach (var memory in _settings.Memory)
            (Methods.Memory(memory) as IModelRequirement)?.Require(model.Traits, model.Client.GetService(typeof(IAdapterTrainer)) as IAdapterTrainer);
        _model = model;
        _data = data;
        _folder = folder;
        _clock = clock;
        _groups = [.. Enumerable.Range(0, _settings.Groups!.Value)];
        _runner = new(_settings, model, data, clock);
    }

    /// <summary>How many lifelines are lived at once. Default 64: the embedded engine answers them in batches.</summary>
    public int Parallelism { get; init; } = 64;

    /// <summary>Hears how far the run is, after each lifeline; may be called from several threads.</summary>
    public Action<ExperimentProgress>? Progress { get; init; }

    /// <summary>How many trials a whole run has.</summary>
    public int PlannedTrials => Lifelines().Sum(k => LevelsOf(k) + 1);

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
        var startedAt = _clock.GetUtcNow();
        var (kept, plainKept) = resume && _folder.HasRun ? Reuse() : ([], []);
        // the manifest comes first: wherever the process is killed, what is there says what it is of
        var manifest = Describe(startedAt);
        _folder.Write(manifest);
        if (_hasLevels && _settings.Memory.Count > 1)
            _folder.Write(RelevancyStudy.Of(_data.Name, Pair.Of(_data, _groups.Count)));
        TrialFile.WriteSorted(_folder.TrialsPath, kept);
        TrialFile.WriteSorted(_folder.PlainCallsPath, plainKept);
        var progress = new Tally(kept.Count, PlannedTrials, _clock, start, Progress);
        progress.Begin();
        var status = "interrupted";
        try
        {
            await AskPlainlyAsync(plainKept, cancellationToken).ConfigureAwait(false);
            await LiveAsync(kept, progress, cancellationToken).ConfigureAwait(false);
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

    /// <summary>Finished lifelines of an earlier run of the same parameters; unfinished ones are lived anew, since memory is not kept.</summary>
    private (IReadOnlyList<Trial> Trials, IReadOnlyList<Trial> PlainCalls) Reuse()
    {
        _folder.ReadManifest().RefuseOther(Describe(_clock.GetUtcNow()), _folder.Path);
        var planned = Lifelines().ToHashSet();
        var trials = TrialFile.Read(_folder.TrialsPath)
            .GroupBy(KeyOf)
            .Where(l => planned.Contains(l.Key) && l.Select(t => t.Level).Distinct().Count() == LevelsOf(l.Key) + 1)
            .SelectMany(l => l.DistinctBy(t => t.Level)).ToList();
        if (!_hasLevels)
            trials = [.. trials.GroupBy(t => t.Cell).Where(c => c.Key.IsBaseline || c.Count() == _groups.Count).SelectMany(c => c)];
        return (trials, [.. TrialFile.Read(_folder.PlainCallsPath).DistinctBy(t => (t.Similarity, t.Group, t.Level))]);
    }

    private async Task AskPlainlyAsync(IReadOnlyList<Trial> kept, CancellationToken cancellationToken)
    {
        var done = kept.Select(t => (t.Similarity, t.Group, t.Level)).ToHashSet();
        var asked = Lifelines().Select(k => (k.Similarity, k.Group)).Distinct()
            .SelectMany(k => Enumerable.Range(_hasLevels ? 1 : 0, _hasLevels ? LevelsOf(k.Similarity) : 1).Select(level => (k.Similarity, k.Group, Level: level)))
            .Where(k => !done.Contains(k)).ToList();
        if (asked.Count == 0)
            return;
        using var file = TrialFile.Open(_folder.PlainCallsPath);
        // the first call alone: a model that cannot be reached fails the run at once, not trial by trial
        var (similarity, group, firstLevel) = asked[0];
        var first = await _runner.AskPlainlyAsync(group, similarity, firstLevel, cancellationToken).ConfigureAwait(false);
        if (first.Error is { } error)
            throw new ModelUnusableException(error);
        file.Append([first]);
        await Parallel.ForEachAsync(asked.Skip(1), Options(cancellationToken), async (k, ct) =>
            file.Append([await _runner.AskPlainlyAsync(k.Group, k.Similarity, k.Level, ct).ConfigureAwait(false)])).ConfigureAwait(false);
    }

    private async Task LiveAsync(IReadOnlyList<Trial> kept, Tally tally, CancellationToken cancellationToken)
    {
        var done = kept.Select(KeyOf).ToHashSet();
        var left = Lifelines().Where(k => !done.Contains(k)).ToList();
        using var file = TrialFile.Open(_folder.TrialsPath);
        if (!_hasLevels)
        {
            await StreamAsync(left, file, tally, cancellationToken).ConfigureAwait(false);
            return;
        }

        var bases = new ConcurrentDictionary<(int, string), Lazy<Task<Solved>>>();
        // the shared base question runs under the whole run's token: one lifeline's end is not another's
        Task<Solved> BaseOf(int @group, string scaling) =>
            bases.GetOrAdd((@group, scaling), _ => new(() => _runner.BaseAsync(@group, scaling, cancellationToken))).Value;
        await Parallel.ForEachAsync(left, Options(cancellationToken), async (key, ct) =>
        {
            var others = new List<Solved>();
            for (var other = 1; other <= _settings.Distractors; other++)
                others.Add(await BaseOf((key.Group + other) % _groups.Count, key.Scaling).ConfigureAwait(false));
            var trials = await _runner.LiveAsync(key, LevelsOf(key), await BaseOf(key.Group, key.Scaling).ConfigureAwait(false), others, ct).ConfigureAwait(false);
            file.Append(trials);
            tally.Add(trials);
        }).ConfigureAwait(false);
    }

    /// <summary>Without levels: the baseline's questions know nothing of each other; an arm with memory is one long lifeline.</summary>
    private async Task StreamAsync(IReadOnlyList<LifelineKey> left, LineFile<Trial> file, Tally tally, CancellationToken cancellationToken)
    {
        var strands = left.GroupBy(k => (k.Scaling, k.Memory))
            .SelectMany(arm => arm.Key.Memory == CellKey.NoMemory ? arm.Select(k => new[] { k }) : [[.. arm]])
            .ToList();
        await Parallel.ForEachAsync(strands, Options(cancellationToken), async (strand, ct) =>
        {
            await foreach (var trial in _runner.StreamAsync(strand[0].Scaling, strand[0].Memory, [.. strand.Select(k => k.Group)], ct).ConfigureAwait(false))
            {
                file.Append([trial]);
                tally.Add([trial]);
            }
        }).ConfigureAwait(false);
    }

    /// <summary>All lifelines, group by group, so that an interrupted run has whole groups in all cells.</summary>
    private IEnumerable<LifelineKey> Lifelines() =>
        from @group in _groups
        from scaling in _settings.Scaling
        from similarity in _settings.Similarity
        from memory in _settings.Memory
        select new LifelineKey(@group, similarity, scaling, memory);

    private static LifelineKey KeyOf(Trial trial) => new(trial.Group, trial.Similarity, trial.Scaling, trial.Memory);

    private int LevelsOf(LifelineKey key) => LevelsOf(key.Similarity);

    private int LevelsOf(string similarity) =>
        _hasLevels ? Math.Min(_settings.Rounds, _data.LevelsAt(Enum.Parse<SimilarityLevel>(similarity)) ?? 0) : 0;

    private static int GroupsOf(ExperimentSettings settings, IExampleSource data) =>
        settings.Groups is { } asked && data.Groups is { } there && asked > there
            ? throw new ArgumentException(FormattableString.Invariant($"{data.Name} has {there} groups, not {asked}."))
            : settings.Groups ?? data.Groups ?? 20;

    private ParallelOptions Options(CancellationToken cancellationToken) => new() { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken };

    private Manifest Describe(DateTimeOffset startedAt) =>
        Manifest.Of(_settings, _model.Traits, _data, PlannedTrials, startedAt, Parallelism) with { Caveats = [.. Caveats()] };

    private IEnumerable<string> Caveats()
    {
        foreach (var caveat in Manifest.CaveatsOf(_settings))
            yield return caveat;
        if (!_hasLevels && _settings.Memory.Count > 1)
            yield return "The data has no groups or levels: an arm with memory is one lifeline over all questions, and its intervals take questions as independent.";
    }
}

/// <summary>The model cannot be used at all: its first call failed. Remedy: what the message says.</summary>
public sealed class ModelUnusableException(string message) : Exception(message);
