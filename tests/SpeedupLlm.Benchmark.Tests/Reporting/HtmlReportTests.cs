using System.Net;
using System.Text.RegularExpressions;
using SpeedupLlm.Benchmark.Reporting;
using SpeedupLlm.Benchmark.Tests.Experiments;

namespace SpeedupLlm.Benchmark.Tests.Reporting;

public sealed partial class HtmlReportTests : IDisposable
{
    private readonly Runs _runs = new();

    public void Dispose() => _runs.Dispose();

    [Fact]
    public async Task Render_PaperGrid_IsSelfContainedAndShowsEveryCell()
    {
        var folder = _runs.Folder("report");
        var summary = await Runs.Make(Runs.Quick with { Groups = 2 }, folder).RunAsync(false, CancellationToken.None);
        var page = await File.ReadAllTextAsync(folder.ReportPath);
        Assert.DoesNotMatch(Requests(), page);
        // one script, inside the page: it sorts tables
        Assert.Equal(2, page.Split("<script>").Length);
        Assert.DoesNotContain("<script ", page, StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme: dark", page, StringComparison.Ordinal);
        Assert.Contains("indicative", page, StringComparison.Ordinal);
        // a rectangle with a text of its own for each of the 96 cells
        Assert.Equal(96, Cells().Count(page));
        Assert.Equal(4 * 5, Lines().Count(page));
        foreach (var finding in summary.Findings)
            Assert.All(finding.Parts!.Select(p => p.Claim).Prepend(finding.Claim), claim => Assert.Contains(WebUtility.HtmlEncode(claim), page, StringComparison.Ordinal));
        Assert.Contains("Telling questions apart", page, StringComparison.Ordinal);
        foreach (var svg in Svgs().Matches(page).Select(m => m.Value))
            System.Xml.Linq.XDocument.Parse(svg);
    }

    [Fact]
    public async Task Render_AutoAlone_HasItsHeadlineGridAndCurves()
    {
        var folder = _runs.Folder("auto");
        await Runs.Make(Runs.Quick with { Groups = 2, Memory = ["none", "auto"] }, folder).RunAsync(false, CancellationToken.None);
        var page = await File.ReadAllTextAsync(folder.ReportPath);
        Assert.Contains("operations that auto saves at S2–S4", page, StringComparison.Ordinal);
        Assert.Equal(32, Cells().Count(page));
        Assert.Equal(4, Lines().Count(page));
        Assert.DoesNotContain("eight findings", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.7, 4)]
    [InlineData(0.35, 3)]
    [InlineData(0.019, 0)]
    [InlineData(-0.02, -1)]
    [InlineData(-0.61, -4)]
    public void Shade_IsSymmetricAroundZero(double value, int shade)
    {
        Assert.Equal(shade, Heatmap.Shade(value));
        Assert.Equal(-shade, Heatmap.Shade(-value));
    }

    [Theory]
    [InlineData(0.764, "76 %")]
    [InlineData(-0.031, "−3 %")]
    [InlineData(-0.001, "0 %")]
    [InlineData(null, "–")]
    public void Percent_WritesWholePercents(double? share, string text) => Assert.Equal(text, Format.Percent(share));

    /// <summary>Whatever would make a browser fetch something; the namespace of SVG is a name, no request.</summary>
    [GeneratedRegex("""(src|href)=|url\(|@import|https?://(?!www\.w3\.org/2000/svg")""")]
    private static partial Regex Requests();

    [GeneratedRegex("""<rect [^>]*class="h[^"]*"[^>]*><title>S[1-4], """)]
    private static partial Regex Cells();

    [GeneratedRegex("<polyline ")]
    private static partial Regex Lines();

    [GeneratedRegex("<svg .*?</svg>", RegexOptions.Singleline)]
    private static partial Regex Svgs();
}
