using System.Text.Json;
using SpeedupLlm.Benchmark.Results;

namespace SpeedupLlm.Benchmark.Experiments;

/// <summary>This process's part in a run that several share, and the files at its end.</summary>
internal sealed class SharedExperiment(ExperimentPlan plan, ISharedRun shared, StrandRunner runner, TimeProvider clock)
{
    private static readonly TimeSpan Glance = TimeSpan.FromSeconds(1);

    /// <summary>Longer than anybody takes to write the files.</summary>
    private static readonly TimeSpan LongestWrite = TimeSpan.FromMinutes(5);

    private readonly IReadOnlyList<Strand> _strands = [.. plan.Strands(plan.PlainCalls()), .. plan.Strands(plan.Lifelines())];

    private int _failed;

    public required int Parallelism { get; init; }

    public required Action<ExperimentProgress>? Progress { get; init; }

    /// <summary>Takes and lives what is left until all of it is done, by whomever.</summary>
    /// <param name="own">What this process would run.</param>
    /// <param name="known">Trials that are there already.</param>
    /// <param name="cancellationToken">Stops this process.</param>
    /// <returns>The manifest of who began the run.</returns>
    public async Task<Manifest> RunAsync(Manifest own, IReadOnlyList<Trial> known, CancellationToken cancellationToken)
    {
        // a process whose model cannot be used would fill the run of all others with failed trials
        if (plan.PlainCalls().FirstOrDefault(k => plan.PlainLevels(k.Similarity).Any()) is { Similarity: not null } first)
            await runner.TryModelAsync(first, plan.PlainLevels(first.Similarity).First(), cancellationToken).ConfigureAwait(false);
        var manifest = await shared.BeginAsync(JsonSerializer.Serialize(own, ResultsJson.Line.Manifest), cancellationToken).ConfigureAwait(false);
        var begun = JsonSerializer.Deserialize(manifest, ResultsJson.Line.Manifest) ?? throw new InvalidDataException($"{shared.Name}: its manifest is empty.");
        begun.RefuseOther(own, shared.Name);
        await shared.AddAsync([.. _strands.Select(s => s.Name)], cancellationToken).ConfigureAwait(false);
        var byName = _strands.ToDictionary(s => s.Name, StringComparer.Ordinal);
        var kept = known.ToLookup(ExperimentPlan.KeyOf);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = WatchAsync(over.Token);
        try
        {
            while (true)
            {
                var options = new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken };
                await Parallel.ForEachAsync(Enumerable.Range(0, Parallelism), options, async (_, ct) => await WorkAsync(byName, kept, ct).ConfigureAwait(false)).ConfigureAwait(false);
                // what is left is others': it comes back if they die
                var (done, all) = await shared.CountAsync(cancellationToken).ConfigureAwait(false);
                if (all != _strands.Count)
                    throw new SharedRunRemovedException(shared.Name);
                if (done == all)
                    return begun;
                await Task.Delay(Glance, clock, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Writes the files, unless another process on this machine has done so already.</summary>
    public async Task<Summary> WriteAsync(Manifest begun, ResultsFolder folder, CancellationToken cancellationToken)
    {
        await using var alone = await LockAsync(folder, cancellationToken).ConfigureAwait(false);
        if (folder.HasRun && folder.ReadManifest().Status == "complete")
            return folder.ReadSummary();
        var lines = await shared.ResultsAsync(cancellationToken).ConfigureAwait(false);
        var all = TrialFile.Parse(string.Concat(lines), shared.Name).ToLookup(t => t.Scaling == LifelineRunner.PlainCall);
        if (all[false].Count() != plan.Trials)
            throw new SharedRunRemovedException(shared.Name);
        // unfinished until the last file is written: a process that is killed here leaves what another one goes on with
        folder.Write(begun);
        folder.Write(plan.Relevancy());
        TrialFile.WriteSorted(folder.PlainCallsPath, all[true]);
        TrialFile.WriteSorted(folder.TrialsPath, all[false]);
        folder.Write(begun with
        {
            Status = "complete",
            FinishedTrials = plan.Trials,
            Time = begun.Time with { ElapsedMs = Math.Max(0, (clock.GetUtcNow() - begun.Time.StartedAt).TotalMilliseconds) },
        });
        return folder.Summarize();
    }

    private async Task WorkAsync(Dictionary<string, Strand> strands, ILookup<LifelineKey, Trial> kept, CancellationToken cancellationToken)
    {
        while (await shared.TakeAsync(cancellationToken).ConfigureAwait(false) is { } piece)
        {
            await using var held = piece.ConfigureAwait(false);
            if (!strands.TryGetValue(piece.Name, out var strand))
                throw new InvalidDataException($"{shared.Name}: there is no lifeline {piece.Name} in this run.");
            var trials = Kept(strand, kept) ?? await LiveAsync(strand, cancellationToken).ConfigureAwait(false);
            if (await piece.CompleteAsync(string.Concat(trials.Select(t => TrialFile.Format(t) + "\n")), cancellationToken).ConfigureAwait(false))
                Interlocked.Add(ref _failed, trials.Count(t => t.Error is not null));
        }
    }

    private async Task<IReadOnlyList<Trial>> LiveAsync(Strand strand, CancellationToken cancellationToken)
    {
        var lived = new List<Trial>();
        await foreach (var trials in runner.LiveAsync(strand, cancellationToken).ConfigureAwait(false))
            lived.AddRange(trials);
        return lived;
    }

    /// <summary>A strand's trials where all of them are there; else null.</summary>
    private List<Trial>? Kept(Strand strand, ILookup<LifelineKey, Trial> kept)
    {
        var trials = strand.Keys.SelectMany(k => kept[k]).ToList();
        var first = strand.Keys[0];
        var whole = first.Scaling == LifelineRunner.PlainCall ? plan.PlainLevels(first.Similarity).Count() : strand.Keys.Sum(k => plan.LevelsOf(k.Similarity) + 1);
        return trials.Count > 0 && trials.Count == whole ? trials : null;
    }

    /// <summary>Shows how far all processes together are. A database that is away is the business of those who work.</summary>
    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        var start = clock.GetTimestamp();
        for (long? atFirst = null; ; await Task.Delay(Glance, clock, cancellationToken).ConfigureAwait(false))
        {
            var (done, _) = await shared.CountAsync(cancellationToken).ConfigureAwait(false);
            atFirst ??= done;
            var elapsed = clock.GetElapsedTime(start);
            var fresh = done - atFirst.Value;
            Progress?.Invoke(new((int)done, _strands.Count, Volatile.Read(ref _failed), elapsed, fresh > 0 ? elapsed * ((double)(_strands.Count - done) / fresh) : null) { Unit = "lifelines" });
        }
    }

    /// <summary>Waits while another process of the run writes.</summary>
    private async Task<FileStream> LockAsync(ResultsFolder folder, CancellationToken cancellationToken)
    {
        var start = clock.GetTimestamp();
        while (true)
        {
            try
            {
                return folder.Lock();
            }
            catch (IOException) when (clock.GetElapsedTime(start) < LongestWrite)
            {
                await Task.Delay(Glance / 5, clock, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}

/// <summary>A shared run is gone from where its processes meet. Remedy: start it anew.</summary>
public sealed class SharedRunRemovedException(string run) : Exception($"{run}: the run was removed while it went on; start it anew.");
