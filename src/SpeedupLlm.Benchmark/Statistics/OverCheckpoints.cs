using MathNet.Numerics.Distributions;
using MathNet.Numerics.Statistics;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Results;

namespace SpeedupLlm.Benchmark.Statistics;

/// <summary>One figure in every run, and over them.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Values">A value a run; null where it was not measured.</param>
/// <param name="Mean">Their mean; null if one is missing.</param>
/// <param name="Ci">Its 95 % interval with t(K − 1) over the K runs; null with fewer than two.</param>
public sealed record ComparedFigure(string Name, IReadOnlyList<double?> Values, double? Mean, double[]? Ci)
{
    internal static ComparedFigure Of(string name, IEnumerable<double?> values)
    {
        double?[] all = [.. values];
        var known = all.OfType<double>().ToArray();
        if (known.Length < all.Length || known.Length < 2)
            return new(name, all, null, null);
        var width = StudentT.InvCDF(0, 1, known.Length - 1, 0.975) * known.StandardDeviation() / Math.Sqrt(known.Length);
        return new(name, all, known.Mean(), Interval.Around(known.Mean(), width).ToArray());
    }
}

/// <summary>A part of a finding in every run.</summary>
/// <param name="Id">The finding and the part, such as <c>3a</c>.</param>
/// <param name="Claim">What it says.</param>
/// <param name="Paper">What the paper says.</param>
/// <param name="Verdicts">A verdict a run.</param>
/// <param name="Figure">The figure that decides it.</param>
public sealed record ComparedFinding(string Id, string Claim, string Paper, IReadOnlyList<string> Verdicts, ComparedFigure Figure);

/// <summary>The same study with several checkpoints: what holds beyond one training.</summary>
/// <param name="FormatVersion">The version of this form.</param>
/// <param name="Runs">The runs, as model, checkpoint and groups.</param>
/// <param name="Figures">The headline.</param>
/// <param name="Findings">The findings, part by part.</param>
public sealed record OverCheckpoints(int FormatVersion, IReadOnlyList<string> Runs, IReadOnlyList<ComparedFigure> Figures, IReadOnlyList<ComparedFinding> Findings)
{
    /// <summary>Compares.</summary>
    /// <param name="folders">Folders of finished runs that differ in checkpoint and groups only, at least two.</param>
    /// <exception cref="ArgumentException">There are fewer than two, or they are not of one study; says what differs.</exception>
    /// <exception cref="IOException">A folder holds no run.</exception>
    /// <exception cref="InvalidDataException">A file is malformed.</exception>
    public static OverCheckpoints Of(IReadOnlyList<ResultsFolder> folders)
    {
        ArgumentNullException.ThrowIfNull(folders);
        if (folders.Count < 2)
            throw new ArgumentException("There are at least two runs to compare.");
        var manifests = folders.Select(f => f.ReadManifest()).ToList();
        foreach (var (folder, manifest) in folders.Zip(manifests).Skip(1))
        {
            static ExperimentSettings Common(Manifest m) => m.Parameters with { Checkpoint = 1, Groups = 1 };
            string[] differences =
            [
                .. Common(manifests[0]).DifferencesTo(Common(manifest)),
                .. manifests[0].ProtocolSha256 == manifest.ProtocolSha256 ? Array.Empty<string>() : ["another protocol"],
                .. manifests[0].PromptFingerprint == manifest.PromptFingerprint ? Array.Empty<string>() : ["other prompts"],
            ];
            if (differences.Length > 0)
                throw new ArgumentException($"{folder.Path} is not of one study with {folders[0].Path}: {string.Join("; ", differences)}.");
        }

        var summaries = folders.Select(f => f.ReadSummary()).ToList();
        ComparedFigure Figure(string name, Func<Summary, double?> of) => ComparedFigure.Of(name, summaries.Select(of));
        Func<Summary, double?> MeanOf(Func<CellSummary, double?> of, Func<CellSummary, bool> which) => s => s.Cells.Where(c => c.Memory != CellKey.NoMemory && which(c)).Select(of).Average();
        return new(
            1,
            [.. manifests.Select(m => FormattableString.Invariant($"{m.Parameters.Model} {m.Parameters.Checkpoint}, {m.Parameters.Groups} groups"))],
            [
                Figure("cells that cost fewer operations", s => s.Overall.Cheaper),
                Figure("operations saved, mean over cells", MeanOf(c => c.Operations.Reduction, static _ => true)),
                Figure("… at S1", MeanOf(c => c.Operations.Reduction, static c => c.Similarity == "S1")),
                Figure("… at S2 to S4", MeanOf(c => c.Operations.Reduction, static c => c.Similarity != "S1")),
                Figure("operations saved in the best cell", s => s.Overall.MaxReduction),
                Figure("full cost saved, mean over cells", MeanOf(c => c.FullCost.Reduction, static _ => true)),
                Figure("accuracy gained, mean over cells", MeanOf(c => c.Accuracy.Change, static _ => true)),
            ],
            [
                .. from id in Enumerable.Range(0, summaries[0].Findings.Count)
                   from part in Enumerable.Range(0, summaries.Min(s => s.Findings[id].Parts?.Count ?? 0))
                   let parts = summaries.Select(s => s.Findings[id].Parts![part]).ToList()
                   let name = FormattableString.Invariant($"{id + 1}{(char)('a' + part)}")
                   select new ComparedFinding(name, parts[0].Claim, parts[0].Paper, [.. parts.Select(p => p.Verdict)], ComparedFigure.Of(name, parts.Select(p => p.Value))),
            ]);
    }

    /// <summary>The file's text.</summary>
    public string ToJson() => System.Text.Json.JsonSerializer.Serialize(this, ResultsJson.Indented.OverCheckpoints) + "\n";

    /// <summary>The same as one self-contained page.</summary>
    public string ToHtml() => Reporting.CheckpointsReport.Render(this);
}
