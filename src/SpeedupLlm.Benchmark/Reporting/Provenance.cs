using System.Globalization;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Compute;
using static System.FormattableString;

namespace SpeedupLlm.Benchmark.Reporting;

/// <summary>What every report says of its run: what must be known before the figures are read, and what they were made with.</summary>
internal static class Provenance
{
    /// <summary>What must be said above the figures.</summary>
    public static IEnumerable<string> Notices(Manifest manifest, int failed)
    {
        if (manifest.Status != "complete")
            yield return Invariant($"This run is not complete: {manifest.FinishedTrials} of {manifest.PlannedTrials} trials.");
        if (manifest.Indicative)
            yield return "A quick run: its figures are indicative. The intervals say how little they pin down.";
        foreach (var caveat in manifest.Caveats)
            yield return caveat;
        if (failed > 0)
            yield return $"{Count(failed, "trial")} failed. They count as wrong, with what they had cost.";
    }

    public static void Write(HtmlPage page, Manifest manifest)
    {
        var p = manifest.Parameters;
        page.Heading("How it was made")
            .Paragraph(string.Create(CultureInfo.InvariantCulture, $"SpeedupLLM {manifest.Version}; scaling {string.Join(", ", p.Scaling)}; scorer {p.Scorer}, τ = {Format.Number(p.Tau)}, {Caps(p)}. Prices of uncached input, cached input, output and trained tokens: "
                + $"{(manifest.Prices == PriceSheet.Relative ? "" : manifest.Prices.Name + ", ")}{manifest.Prices.Input} : {manifest.Prices.CachedInput} : {manifest.Prices.Output} : {manifest.Prices.Trained}."))
            .Codes(("model", manifest.ModelFingerprint), ("prompts", manifest.PromptFingerprint), ("data", manifest.DataFingerprint),
                ("protocol", manifest.ProtocolSha256[..Math.Min(12, manifest.ProtocolSha256.Length)]));
        if (p.Model is "embedded" or "novice")
            page.Paragraph("The embedded reasoner is a small model trained for this world: it shows that the mechanism works and is counted honestly, and says nothing about how large models behave.", "soft");
    }

    /// <summary>The caps of the scaling methods that were asked.</summary>
    private static string Caps(ExperimentSettings settings) => string.Join(", ", settings.Scaling.Select(name => name switch
    {
        "tree-of-thoughts" => Invariant($"trees of {settings.Nodes} nodes, {settings.Width} proposals a node, depth {settings.Depth}"),
        "self-refine" => Invariant($"{settings.Refinements} refined answers"),
        "long-cot" => settings.Thinking is { } tokens ? Invariant($"{tokens} tokens of thought") : "thoughts of the prompts' own length",
        _ => Invariant($"N = {settings.Samples}"),
    }).Distinct());

    public static string Count(int n, string what) => Invariant($"{n} {what}{(n == 1 ? "" : "s")}");
}
