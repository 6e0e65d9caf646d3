using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Experiments;

namespace SpeedupLlm.Benchmark.Sensitivity;

/// <summary>Sweeps over the settings, one factor at a time around the protocol: each value is a run of its own under <c>parts/</c>, and goes on where it was interrupted.</summary>
public sealed class SensitivityStudy
{
    private readonly ExperimentSettings _settings;
    private readonly IReadOnlyList<string> _sweeps;
    private readonly ExperimentModel _model;
    private readonly IExampleSource _data;
    private readonly SensitivityFolder _folder;
    private readonly TimeProvider _clock;
    private readonly IReadOnlyList<(SweepValue Value, int Trials)> _parts;

    /// <param name="settings">Model, groups, rounds, seed; what is swept over is the sweeps' own.</param>
    /// <param name="sweeps">The names of the sweeps.</param>
    /// <param name="model">The model.</param>
    /// <param name="data">The questions: groups with levels.</param>
    /// <param name="folder">Where everything goes.</param>
    /// <param name="clock">The clock.</param>
    /// <exception cref="ArgumentException">A parameter is out of range, or does not fit model or data.</exception>
    public SensitivityStudy(
        ExperimentSettings settings, IReadOnlyList<string> sweeps, ExperimentModel model, IExampleSource data, SensitivityFolder folder, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(sweeps);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(folder);
        _settings = settings with { Data = data.Name };
        _sweeps = sweeps;
        _model = model;
        _data = data;
        _folder = folder;
        _clock = clock;
        // all are planned before the first one runs: what does not fit is said at once
        _parts = [.. Sweeps.Of(_settings, sweeps).SelectMany(s => s.Values).DistinctBy(v => v.Part).Select(v => (v, new ExperimentPlan(v.Settings, model, data).Trials))];
    }

    /// <summary>Hears how far the study is; may be called from several threads.</summary>
    public Action<ExperimentProgress>? Progress { get; init; }

    /// <summary>Runs what is not finished yet, and writes <c>sensitivity.json</c> and <c>report.html</c>. Sweeps that the folder has already stay.</summary>
    /// <param name="cancellationToken">Stops the study: what is finished is summed up, then it throws.</param>
    /// <exception cref="ResumeRefusedException">The folder's study has other parameters.</exception>
    /// <exception cref="ModelUnusableException">The first call failed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the files say what is there.</exception>
    public async Task<SensitivityReport> RunAsync(CancellationToken cancellationToken)
    {
        _folder.Begin(_settings, _sweeps);
        var planned = _parts.Sum(p => p.Trials);
        var start = _clock.GetTimestamp();
        int done = 0, fresh = 0, failed = 0;
        try
        {
            foreach (var (value, trials) in _parts)
            {
                var (before, failedBefore, freshBefore) = (done, failed, fresh);
                var experiment = new Experiment(value.Settings, _model with { Run = value.Part + "/" }, _data, _folder.Part(value.Part), _clock)
                {
                    Progress = p =>
                    {
                        (failed, fresh) = (failedBefore + p.Failed, freshBefore + p.Done);
                        var elapsed = _clock.GetElapsedTime(start);
                        Progress?.Invoke(new(before + p.Done, planned, failed, elapsed, elapsed * ((double)(planned - before - p.Done) / Math.Max(1, fresh))));
                    },
                };
                if (!experiment.IsComplete())
                    await experiment.RunAsync(resume: true, cancellationToken).ConfigureAwait(false);
                done += trials;
            }
        }
        finally
        {
            _folder.Summarize();
        }

        return _folder.Read();
    }
}
