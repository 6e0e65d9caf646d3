using System.Text.Json;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Reporting;
using SpeedupLlm.Benchmark.Results;

namespace SpeedupLlm.Benchmark.Sensitivity;

/// <summary>The files of a sensitivity study. Not thread-safe.</summary>
/// <param name="path">The folder; need not exist yet.</param>
public sealed class SensitivityFolder(string path)
{
    /// <summary>The folder.</summary>
    public string Path => path;

    /// <summary>The picture of the results.</summary>
    public string ReportPath => In("report.html");

    /// <summary>Whether a study was started here.</summary>
    public bool HasStudy => File.Exists(SummaryPath);

    private string SummaryPath => In("sensitivity.json");

    /// <summary>The study as it was summed up last.</summary>
    /// <exception cref="InvalidDataException">It is malformed.</exception>
    public SensitivityReport Read()
    {
        try
        {
            var report = JsonSerializer.Deserialize(File.ReadAllText(SummaryPath), ResultsJson.Indented.SensitivityReport) ?? throw new JsonException("null");
            return report.FormatVersion == SensitivityReport.CurrentFormat
                ? report
                : throw new InvalidDataException(FormattableString.Invariant($"{SummaryPath}: format {report.FormatVersion} is not {SensitivityReport.CurrentFormat}."));
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{SummaryPath}: {error.Message}", error);
        }
    }

    /// <summary>Makes <c>sensitivity.json</c> and <c>report.html</c> anew from the trials of the runs.</summary>
    /// <exception cref="InvalidDataException">A file is malformed; names file and line.</exception>
    public SensitivityReport Summarize()
    {
        var held = Read();
        var sweeps = Sweeps.Of(held.Parameters, held.Asked).Select(Summarize).ToList();
        var report = held with
        {
            Status = sweeps.Zip(Sweeps.Of(held.Parameters, held.Asked)).All(s => s.First.Points.Count == s.Second.Values.Count) ? "complete" : "interrupted",
            Sweeps = [.. sweeps.Where(s => s.Points.Count > 0)],
        };
        Write(report);
        if (report.Sweeps.Count > 0)
            ResultsFolder.WriteAtomically(ReportPath, SensitivityPage.Render(report, Part(report.Sweeps[0].Points[0].Part).ReadManifest()));
        return report;
    }

    /// <summary>The run that shows a value.</summary>
    internal ResultsFolder Part(string name) => new(System.IO.Path.Combine(path, "parts", name));

    /// <summary>Begins a study, or adds sweeps to the one that is there.</summary>
    /// <exception cref="ResumeRefusedException">It has other parameters.</exception>
    internal void Begin(ExperimentSettings settings, IReadOnlyList<string> sweeps)
    {
        IReadOnlyList<string> asked = [];
        if (HasStudy)
        {
            var there = Read();
            var differences = there.Parameters.DifferencesTo(settings).ToList();
            if (differences.Count > 0)
                throw new ResumeRefusedException(path, differences);
            asked = there.Asked;
        }

        Directory.CreateDirectory(path);
        Write(new(SensitivityReport.CurrentFormat, "interrupted", settings, [.. Sweeps.Names.Where(n => asked.Contains(n) || sweeps.Contains(n))], []));
    }

    private SweepResult Summarize(Sweep sweep)
    {
        var runs = sweep.Values.Select(v => v.Part).Distinct().Where(part => Part(part).HasRun && Part(part).ReadManifest().Status == "complete")
            .ToDictionary(part => part, part => (Manifest: Part(part).ReadManifest(), Trials: TrialFile.Read(Part(part).TrialsPath)), StringComparer.Ordinal);
        var result = new SweepResult(sweep.Name, sweep.What, sweep.Axis, sweep.Protocol,
        [
            .. sweep.Values.Where(v => runs.ContainsKey(v.Part))
                .Select(v => new SweepPoint(v.Label, v.X, v.Part, runs[v.Part].Manifest.Caveats, SweepAnalysis.Of(runs[v.Part].Trials, v.From, v.To))),
        ]);
        return sweep.Name == "experience" && result.Points.Count > 0
            ? result with { Finding = Part(sweep.Values[0].Part).ReadSummary().Findings.Single(f => f.Id == 7) }
            : result;
    }

    private void Write(SensitivityReport report) =>
        ResultsFolder.WriteAtomically(SummaryPath, JsonSerializer.Serialize(report, ResultsJson.Indented.SensitivityReport) + "\n");

    private string In(string name) => System.IO.Path.Combine(path, name);
}
