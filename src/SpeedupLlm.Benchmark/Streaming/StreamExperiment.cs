using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Benchmark.Streaming;

/// <summary>A run over a workload in time order: each arm answers the same questions one after another, with one memory from the first to the last.</summary>
/// <remarks>
/// Streams of chance are keyed by (seed, place in time), the arm left out, so that arms are paired. What learning from a question cost is charged to it.
/// Results but for <c>time</c> do not depend on how many arms run at once.
/// </remarks>
public sealed class StreamExperiment
{
    private readonly ExperimentSettings _settings;
    private readonly ExperimentModel _model;
    private readonly IExampleSource _data;
    private readonly ResultsFolder _folder;
    private readonly TimeProvider _clock;
    private readonly QuestionRunner _runner;
    private readonly IReadOnlyList<StreamQuestion> _questions;
    private readonly StreamKey _root;

    /// <param name="settings">All parameters; <see cref="ExperimentSettings.Stream"/> must be given.</param>
    /// <param name="model">The model.</param>
    /// <param name="data">The questions: groups with levels.</param>
    /// <param name="folder">Where the results go.</param>
    /// <param name="clock">The clock.</param>
    /// <exception cref="UnknownNameException">A name is unknown.</exception>
    /// <exception cref="ArgumentException">A parameter is out of range, or does not fit model or data.</exception>
    public StreamExperiment(ExperimentSettings settings, ExperimentModel model, IExampleSource data, ResultsFolder folder, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        if (settings.Stream is not { } stream)
            throw new ArgumentException("The settings are of a grid, not of a stream.");
        _settings = settings with { Memory = [CellKey.NoMemory, .. settings.Memory.Where(m => m != CellKey.NoMemory)], Data = data.Name };
        Methods.Validate(_settings);
        if (model.NoMemoryBecause is { } reason)
            throw new ArgumentException($"Memory cannot be used: {reason}.");
        foreach (var memory in _settings.Memory)
            (Methods.Memory(memory, _settings) as IModelRequirement)?.Require(model.Traits, model.Client.GetService(typeof(IAdapterTrainer)) as IAdapterTrainer);
        _root = StreamKey.Root(_settings.Seed).Child("stream");
        _questions = Workload.Draw(data, stream, _root.Child("workload"));
        _model = model;
        _data = data;
        _folder = folder;
        _clock = clock;
        _runner = new(_settings, model, data, clock);
    }

    /// <summary>Hears how far the run is; may be called from several threads.</summary>
    public Action<ExperimentProgress>? Progress { get; init; }

    /// <summary>Runs it, or what is left of it, and writes all files.</summary>
    /// <param name="resume">Whether arms that were finished are used again; one that was not is lived anew from its first question, since memory is not kept.</param>
    /// <param name="cancellationToken">Stops the run: what is finished is summed up, then it throws.</param>
    /// <exception cref="ResumeRefusedException">The folder's run has other parameters.</exception>
    /// <exception cref="ResultsExistException">The folder holds a run and resuming was not asked for.</exception>
    /// <exception cref="ModelUnusableException">The first call failed.</exception>
    /// <exception cref="IOException">Another process is writing to the folder.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the files say what is there.</exception>
    public async Task RunAsync(bool resume, CancellationToken cancellationToken)
    {
        if (_folder.HasRun && !resume)
            throw new ResultsExistException(_folder.Path);
        Directory.CreateDirectory(_folder.Path);
        await using var alone = _folder.Lock();
        var start = _clock.GetTimestamp();
        var manifest = Manifest.Of(_settings, _model.Traits, _data, Planned, _clock.GetUtcNow(), _settings.Memory.Count);
        var kept = resume && _folder.HasRun ? Reuse(manifest) : [];
        _folder.Write(manifest);
        StreamFile.WriteSorted(_folder.StreamPath, kept, _settings.Memory);
        var tally = new Tally(kept.Count, Planned, _clock, start, Progress);
        tally.Begin();
        var status = "interrupted";
        try
        {
            await LiveAsync(kept.Select(t => t.Memory).ToHashSet(StringComparer.Ordinal), tally, cancellationToken).ConfigureAwait(false);
            status = "complete";
        }
        finally
        {
            var trials = StreamFile.Read(_folder.StreamPath);
            StreamFile.WriteSorted(_folder.StreamPath, trials, _settings.Memory);
            _folder.Write(manifest with
            {
                Status = status,
                FinishedTrials = trials.Count,
                Time = manifest.Time with { ElapsedMs = _clock.GetElapsedTime(start).TotalMilliseconds },
            });
            _folder.SummarizeStream();
        }
    }

    private int Planned => _settings.Memory.Count * _questions.Count;

    private IReadOnlyList<StreamTrial> Reuse(Manifest now)
    {
        _folder.ReadManifest().RefuseOther(now, _folder.Path);
        return [.. StreamFile.Read(_folder.StreamPath).GroupBy(t => t.Memory).Where(arm => arm.Select(t => t.Index).Distinct().Count() == _questions.Count).SelectMany(arm => arm)];
    }

    private async Task LiveAsync(HashSet<string> done, Tally tally, CancellationToken cancellationToken)
    {
        using var file = StreamFile.Open(_folder.StreamPath);
        await Parallel.ForEachAsync(
            _settings.Memory.Where(m => !done.Contains(m)),
            new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, _settings.Memory.Count), CancellationToken = cancellationToken },
            async (arm, ct) =>
            {
                await foreach (var trial in LiveAsync(arm, ct).ConfigureAwait(false))
                {
                    file.Append([trial]);
                    tally.Add(1, trial.Error is null ? 0 : 1);
                }
            }).ConfigureAwait(false);
    }

    private async IAsyncEnumerable<StreamTrial> LiveAsync(string arm, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var scaling = _settings.Scaling[0];
        var memory = Methods.Memory(arm, _settings, _data, _model.Prior) is { } m ? new TimedMemory(m, _clock) : null;
        await using var store = memory is null ? null : new InMemoryStore();
        var library = await _runner.LearnLibraryAsync(scaling, memory, store, _questions.Select(q => q.Example), _root.Child("library"), arm, cancellationToken).ConfigureAwait(false);
        foreach (var question in _questions)
        {
            var stream = _root.Child("trial").Child(question.Index);
            var solved = await _runner.SolveAsync(scaling, memory, store, question.Example, stream, arm, cancellationToken).ConfigureAwait(false);
            if (question.Index == 0 && solved.Error is { } error)
                throw new ModelUnusableException(error);
            var learnt = memory is null || question.Index == _questions.Count - 1
                ? null
                : await _runner.LearnAsync(scaling, memory, store!, solved, _runner.FeedbackOn(solved), cancellationToken).ConfigureAwait(false);
            var health = store is null ? null : await store.CheckAsync(cancellationToken).ConfigureAwait(false);
            yield return TrialOf(arm, question, solved, question.Index == 0 ? QuestionRunner.Together(library, learnt) : learnt, health, memory?.Recalling ?? TimeSpan.Zero);
        }
    }

    private static StreamTrial TrialOf(string arm, StreamQuestion question, Solved solved, Learnt? learnt, StoreHealth? health, TimeSpan recalling)
    {
        var bill = (solved.Solution?.Bill ?? Bill.Empty).Plus(learnt?.Bill ?? Bill.Empty);
        return new()
        {
            Memory = arm,
            Index = question.Index,
            Topic = question.Topic,
            Kind = question.Kind,
            Visit = question.Visit,
            Question = question.Example.Id,
            Answer = solved.Solution?.Best?.Final,
            Expected = question.Example.Expected,
            Correct = solved.Correct,
            Accepted = solved.Solution?.Accepted ?? false,
            Stop = (solved.Solution?.Stop ?? Reasoning.StopReason.Exhausted).ToString().ToLowerInvariant(),
            Operations = solved.Solution?.Bill.Operations ?? 0,
            OutputTokens = bill.Output,
            FullCost = PriceSheet.Relative.Cost(bill),
            Bill = BillLine.Of(bill),
            Hints = solved.Solution?.Used.Hints.Count ?? 0,
            Stored = (health?.Episodes ?? 0) + (health?.Documents ?? 0),
            Error = solved.Error ?? learnt?.Degraded,
            Time = new(solved.Time.StartedAt, solved.Time.ElapsedMs, solved.Time.ToAcceptedMs, recalling.TotalMilliseconds),
        };
    }
}
