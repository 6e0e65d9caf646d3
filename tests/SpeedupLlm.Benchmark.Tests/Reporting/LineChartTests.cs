using System.Globalization;
using System.Xml.Linq;
using SpeedupLlm.Charts;

namespace SpeedupLlm.Benchmark.Tests.Reporting;

public sealed class LineChartTests
{
    private static readonly XNamespace Space = "http://www.w3.org/2000/svg";

    private static XElement Draw(ChartPanel panel, double width = LineChart.FullWidth) => XDocument.Parse(LineChart.Render([panel], "a label", 1, width)).Root!;

    private static IEnumerable<string> Texts(XElement svg, string style) => svg.Descendants(Space + "text").Where(t => (string?)t.Attribute("class") == style).Select(t => t.Value);

    [Fact]
    public void Render_ScaleBelowZero_HasTicksAndPointsInsideIt()
    {
        var svg = Draw(new("saved", [new("line", 1, [(0, -50), (0.5, 0), (1, 100)])], 100, "", "", Reference: 0) { Lowest = -60, Rightmost = 1 });
        Assert.Equal(["−50", "0", "50", "100"], Texts(svg, "tick").Where(t => t.Length > 0 && !t.Contains('.', StringComparison.Ordinal)).Take(4));
        var heights = svg.Descendants(Space + "circle").Where(c => c.Value.Length > 0).Select(c => double.Parse(c.Attribute("cy")!.Value, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(3, heights.Count);
        Assert.Equal(1.0 / 3, (heights[0] - heights[1]) / (heights[0] - heights[2]), 2);
        Assert.Single(svg.Descendants(Space + "line"), l => (string?)l.Attribute("class") == "grid full");
    }

    [Fact]
    public void Render_MarksAndWidth_AreTheCallers()
    {
        var svg = Draw(new("cost", [new("<line>", 2, [(0.2, 1), (0.4, 2)])], 3, "", "", null) { Rightmost = 1, Marks = [(0.25, "Mon"), (0.75, "Tue & Wed")] }, 330);
        Assert.StartsWith("0 0 330 ", svg.Attribute("viewBox")!.Value, StringComparison.Ordinal);
        Assert.Contains("Tue & Wed", Texts(svg, "tick"));
        Assert.Contains("<line>", Texts(svg, "axis"));
        // the last point lies where its place is, not at the right end
        var last = svg.Descendants(Space + "rect").Where(r => r.Value.Length > 0).Max(r => double.Parse(r.Attribute("x")!.Value, CultureInfo.InvariantCulture));
        Assert.InRange(last, 100, 200);
    }
}
