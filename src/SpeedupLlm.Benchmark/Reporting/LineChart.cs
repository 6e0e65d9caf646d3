using System.Globalization;

namespace SpeedupLlm.Benchmark.Reporting;

/// <summary>A line: its name, the number of its colour (1 to 6), its points.</summary>
internal sealed record Series(string Name, int Colour, IReadOnlyList<(double X, double Y)> Points);

/// <summary>Small panels side by side with one scale, and one legend.</summary>
internal static class LineChart
{
    private const double Width = 232, Height = 190, Left = 44, Top = 30, Bottom = 34, Gap = 14;

    /// <param name="panels">A title and the lines of each panel.</param>
    /// <param name="highest">The top of the scale, in percent.</param>
    /// <param name="xLabel">What the horizontal axis counts.</param>
    /// <param name="label">What the picture shows, for readers who do not see it.</param>
    public static string Render(IReadOnlyList<(string Title, IReadOnlyList<Series> Lines)> panels, double highest, string xLabel, string label)
    {
        var columns = Math.Min(4, Math.Max(1, panels.Count));
        var rows = (panels.Count + columns - 1) / columns;
        var svg = new Svg(columns * (Width + Gap), rows * (Height + Gap) + 30, label);
        var names = panels.SelectMany(p => p.Lines).DistinctBy(l => l.Name).ToList();
        for (var i = 0; i < names.Count; i++)
        {
            svg.Line(Left + i * 136, 12, Left + i * 136 + 24, 12, Style("line", names[i].Colour));
            Marker(svg, Left + i * 136 + 12, 12, names[i].Colour, null);
            svg.Text(Left + i * 136 + 30, 16, names[i].Name, "axis");
        }

        for (var i = 0; i < panels.Count; i++)
            Panel(svg, panels[i].Title, panels[i].Lines, highest, xLabel, i % columns * (Width + Gap), 26 + i / columns * (Height + Gap));
        return svg.ToString();
    }

    private static void Panel(Svg svg, string title, IReadOnlyList<Series> lines, double highest, string xLabel, double x, double y)
    {
        var most = lines.SelectMany(l => l.Points).Select(p => p.X).DefaultIfEmpty(1).Max();
        double X(double value) => x + Left + value / Math.Max(1, most) * (Width - Left - 10);
        double Y(double value) => y + Top + (1 - Math.Clamp(value, 0, highest) / highest) * (Height - Top - Bottom);

        svg.Text(x + Left, y + 18, title, "panel");
        var step = highest > 250 ? 100 : highest > 125 ? 50 : 25;
        for (var tick = 0; tick <= highest; tick += step)
        {
            svg.Line(X(0), Y(tick), X(most), Y(tick), tick == 100 ? "grid full" : "grid");
            svg.Text(x + Left - 7, Y(tick) + 4, tick.ToString(CultureInfo.InvariantCulture) + " %", "tick", "end");
        }

        for (var level = 0; level <= most; level += most > 12 ? 4 : 1)
            svg.Text(X(level), y + Height - Bottom + 15, level.ToString(CultureInfo.InvariantCulture), "tick", "middle");
        svg.Text(X(most / 2), y + Height - 3, xLabel, "tick", "middle");
        foreach (var line in lines)
        {
            svg.Polyline(line.Points.Select(p => (X(p.X), Y(p.Y))), Style("line", line.Colour));
            foreach (var (px, py) in line.Points)
                Marker(svg, X(px), Y(py), line.Colour, string.Create(CultureInfo.InvariantCulture, $"{line.Name}, {px:0} before: {py:0.0} %"));
        }
    }

    private static string Style(string kind, int colour) => FormattableString.Invariant($"{kind} c{colour}");

    /// <summary>Shapes besides colours: lines stay told apart in grey.</summary>
    private static void Marker(Svg svg, double x, double y, int colour, string? title)
    {
        var style = Style("mark", colour);
        switch (colour)
        {
            case 2:
                svg.Rectangle(x - 3.2, y - 3.2, 6.4, 6.4, style, 0, title);
                break;
            case 3:
                svg.Polygon([(x, y - 4.4), (x + 4.2, y + 3.2), (x - 4.2, y + 3.2)], style);
                break;
            case 4:
                svg.Polygon([(x, y - 4.6), (x + 4.6, y), (x, y + 4.6), (x - 4.6, y)], style);
                break;
            case 5:
                svg.Polygon([(x, y + 4.4), (x + 4.2, y - 3.2), (x - 4.2, y - 3.2)], style);
                break;
            default:
                svg.Dot(x, y, 3.4, style, title);
                break;
        }
    }
}
