using System.Text;
using System.Text.Json;
using SpeedupLlm.Benchmark.Calibration;
using SpeedupLlm.Benchmark.Reporting;
using SpeedupLlm.Benchmark.Statistics;
using SpeedupLlm.Benchmark.Streaming;
using SpeedupLlm.Benchmark.Theory;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Benchmark.Results;

/// <summary>The files of a run. Not thread-safe.</summary>
public sealed class ResultsFolder
{
    /// <param name="path">The folder; need not exist yet.</param>
    public ResultsFolder(string path)
    {
        Path = path;
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    internal string ManifestPath => In("manifest.json");

    internal string TrialsPath => In("trials.jsonl");

    /// <summary>The plain calls: lines like trials, of no cell.</summary>
    internal string PlainCallsPath => In("plain-calls.jsonl");

    internal string StreamPath => In("stream.jsonl");

    internal string StreamSummaryPath => In("stream.json");

    internal string RelevancyPath => In("relevancy.json");

    internal string CellsPath => In("cells.csv");

    internal string SummaryPath => In("summary.json");

    /// <summary>The picture of the results.</summary>
    public string ReportPath => In("report.html");

    /// <summary>Whether a run was started here.</summary>
    public bool HasRun => File.Exists(ManifestPath) || File.Exists(TrialsPath) || File.Exists(StreamPath);

    /// <summary>Makes <c>cells.csv</c>, <c>summary.json</c> and <c>report.html</c> anew from the manifest and the trials.</summary>
    /// <param name="prices">Other prices than the run's, or null.</param>
    /// <exception cref="FileNotFoundException">There is no run here.</exception>
    /// <exception cref="InvalidDataException">A file is malformed; names file and line.</exception>
    public Summary Summarize(PriceSheet? prices = null)
    {
        var manifest = ReadManifest();
        IReadOnlyList<Trial> Priced(IReadOnlyList<Trial> trials) => prices is null ? trials : [.. trials.Select(t => t with { FullCost = t.Bill.Sum(b => b.Cost(prices)) })];
        manifest = manifest with { Prices = prices ?? manifest.Prices };
        var analysis = Analysis.Of(manifest, Priced(TrialFile.Read(TrialsPath)), Priced(TrialFile.Read(PlainCallsPath)));
        WriteAtomically(SummaryPath, JsonSerializer.Serialize(analysis.Summary, ResultsJson.Indented.Summary) + "\n");
        WriteAtomically(CellsPath, CellsFile.Format(analysis));
        WriteAtomically(ReportPath, HtmlReport.Render(manifest, analysis, ReadRelevancy()));
        return analysis.Summary;
    }

    /// <summary>Makes <c>stream.json</c> and <c>report.html</c> of a stream anew from the manifest and the trials.</summary>
    /// <param name="prices">Other prices than the run's, or null.</param>
    /// <exception cref="FileNotFoundException">There is no run here.</exception>
    /// <exception cref="InvalidDataException">A file is malformed; names file and line.</exception>
    public StreamSummary SummarizeStream(PriceSheet? prices = null)
    {
        var manifest = ReadManifest();
        manifest = manifest with { Prices = prices ?? manifest.Prices };
        var summary = StreamAnalysis.Of(manifest, StreamFile.Read(StreamPath));
        WriteAtomically(StreamSummaryPath, JsonSerializer.Serialize(summary, ResultsJson.Indented.StreamSummary) + "\n");
        WriteAtomically(ReportPath, StreamReport.Render(manifest, summary));
        return summary;
    }

    /// <summary>The run's manifest.</summary>
    /// <exception cref="FileNotFoundException">There is no run here.</exception>
    /// <exception cref="InvalidDataException">The manifest is malformed, or of another format.</exception>
    public Manifest ReadManifest()
    {
        if (!File.Exists(ManifestPath))
            throw new FileNotFoundException($"{Path} holds no results: there is no manifest.json.");
        try
        {
            var manifest = JsonSerializer.Deserialize(File.ReadAllText(ManifestPath), ResultsJson.Indented.Manifest) ?? throw new JsonException("null");
            return manifest.FormatVersion == Manifest.CurrentFormat
                ? manifest with { Parameters = manifest.Parameters.WithCaps() }
                : throw new InvalidDataException(FormattableString.Invariant($"{ManifestPath}: format {manifest.FormatVersion} is not {Manifest.CurrentFormat}."));
        }
        catch (JsonException error)
        {
            throw new InvalidDataException(FormattableString.Invariant($"{ManifestPath}: {error.Message}"), error);
        }
    }

    /// <summary>The summary as it was written last.</summary>
    /// <exception cref="InvalidDataException">It is malformed.</exception>
    public Summary ReadSummary()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(SummaryPath), ResultsJson.Indented.Summary) ?? throw new JsonException("null");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{SummaryPath}: {error.Message}", error);
        }
    }

    /// <summary>The summary of a stream as it was written last.</summary>
    /// <exception cref="InvalidDataException">It is malformed.</exception>
    public StreamSummary ReadStreamSummary()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(StreamSummaryPath), ResultsJson.Indented.StreamSummary) ?? throw new JsonException("null");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{StreamSummaryPath}: {error.Message}", error);
        }
    }

    /// <summary>How well the run's questions are told apart, or null in a run of data without levels, or of an earlier version.</summary>
    /// <exception cref="InvalidDataException">It is malformed.</exception>
    private RelevancyReport? ReadRelevancy()
    {
        try
        {
            return File.Exists(RelevancyPath) ? JsonSerializer.Deserialize(File.ReadAllText(RelevancyPath), ResultsJson.Indented.RelevancyReport) : null;
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{RelevancyPath}: {error.Message}", error);
        }
    }

    /// <summary>The premises of the paper's theorems on the trials of a grid.</summary>
    /// <exception cref="FileNotFoundException">There is no run here.</exception>
    /// <exception cref="InvalidDataException">A file is malformed; names file and line.</exception>
    public IReadOnlyList<PremiseCheck> Premises() => Theory.Premises.Of(ReadManifest().Parameters, TrialFile.Read(TrialsPath));

    /// <summary>What must be said beside the figures of a stream.</summary>
    public IEnumerable<string> Notices() => Provenance.Notices(ReadManifest(), ReadStreamSummary().Arms.Sum(a => a.Failed));

    /// <summary>Keeps a second run out of the folder until it is disposed; the system lets go of it when the process is killed.</summary>
    /// <exception cref="IOException">Another run is going on here.</exception>
    internal FileStream Lock()
    {
        try
        {
            return new(In("run.lock"), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException error) when (Directory.Exists(Path) && File.Exists(In("run.lock")))
        {
            throw new IOException($"{Path}: another run is writing here.", error);
        }
    }

    internal void Write(Manifest manifest) =>
        WriteAtomically(ManifestPath, JsonSerializer.Serialize(manifest, ResultsJson.Indented.Manifest) + "\n");

    internal void Write(RelevancyReport? relevancy)
    {
        if (relevancy is not null)
            WriteAtomically(RelevancyPath, JsonSerializer.Serialize(relevancy, ResultsJson.Indented.RelevancyReport) + "\n");
    }

    /// <summary>A reader sees the old file or the new one, never half.</summary>
    internal static void WriteAtomically(string path, string text)
    {
        var fresh = path + ".new";
        File.WriteAllText(fresh, text, new UTF8Encoding(false));
        File.Move(fresh, path, overwrite: true);
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
