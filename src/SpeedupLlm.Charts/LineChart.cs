using System.Globalization;

namespace SpeedupLlm.Charts;

/// <summary>A line: its points, and an interval around them if there is one.</summary>
/// <param name="Name">Its name in the legend; lines of one name are one line with gaps.</param>
/// <param name="Colour">The number of its colour and shape, from 1.</param>
/// <param name="Points">Its points, from left to right.</param>
public sealed record Series(string Name, int Colour, IReadOnlyList<(double X, double Y)> Points)
{
    /// <summary>How many colours there are; a higher number begins again.</summary>
    public const int Colours = 8;

    /// <summary>The interval; empty is none.</summary>
    public IReadOnlyList<(double X, double Low, double High)> Band { get; init; } = [];
}

/// <summary>One panel of a chart.</summary>
/// <param name="Title">What is drawn.</param>
/// <param name="Lines">The lines.</param>
/// <param name="Highest">The top of the scale, above its bottom.</param>
/// <param name="XLabel">What the horizontal axis counts.</param>
/// <param name="Unit">What follows a number of the vertical axis.</param>
/// <param name="Reference">A height that is marked, or null.</param>
/// <param name="Mark">A place on the horizontal axis that is marked, or null.</param>
public sealed record ChartPanel(
    string Title, IReadOnlyList<Series> Lines, double Highest, string XLabel, string Unit = " %", double? Reference = 100, double? Mark = null)
{
    /// <summary>The bottom of the scale, at most 0.</summary>
    public double Lowest { get; init; }

    /// <summary>What stands below the horizontal axis, by place; null: its numbers.</summary>
    public IReadOnlyList<(double X, string Text)>? Marks { get; init; }

    /// <summary>The right end of the horizontal axis; null: the last point.</summary>
    public double? Rightmost { get; init; }
}

/// <summary>Small panels side by side, and one legend.</summary>
public static class LineChart
{
    /// <summary>The width of a chart across a page.</summary>
    public const double FullWidth = 984;

    private const double Left = 44, Top = 30, Bottom = 34, Gap = 14, LegendWidth = 160, LegendHeight = 20;

    /// <summary>Draws it.</summary>
    /// <param name="panels">The panels.</param>
    /// <param name="label">What the picture shows, for readers who do not see it.</param>
    /// <param name="columns">How many panels stand side by side, at most.</param>
    /// <param name="total">How wide it is, in units of its text's size on the page.</param>
    public static string Render(IReadOnlyList<ChartPanel> panels, string label, int columns = 4, double total = FullWidth)
    {
        ArgumentNullException.ThrowIfNull(panels);
        columns = Math.Min(columns, Math.Max(1, panels.Count));
        var width = total / columns - Gap;
        var height = columns > 2 ? 190.0 : 250.0;
        var rows = (panels.Count + columns - 1) / columns;
        var names = panels.SelectMany(p => p.Lines).DistinctBy(l => l.Name).ToList();
        var across = (int)((total - Left) / LegendWidth);
        var legend = (names.Count + across - 1) / across * LegendHeight + 6;
        var svg = new Svg(total, rows * (height + Gap) + legend, label);
        for (var i = 0; i < names.Count; i++)
        {
            double x = Left + i % across * LegendWidth, y = 12 + i / across * LegendHeight;
            svg.Line(x, y, x + 24, y, Style("line", names[i].Colour));
            Marker(svg, x + 12, y, names[i].Colour, null);
            svg.Text(x + 30, y + 4, names[i].Name, "axis");
        }

        for (var i = 0; i < panels.Count; i++)
            Panel(svg, panels[i], i % columns * (width + Gap), legend + i / columns * (height + Gap), width, height);
        return svg.ToString();
    }

    private static void Panel(Svg svg, ChartPanel panel, double x, double y, double width, double height)
    {
        var most = panel.Rightmost ?? panel.Lines.SelectMany(l => l.Points).Select(p => p.X).DefaultIfEmpty(1).Max();
        double X(double value) => x + Left + value / Math.Max(1, most) * (width - Left - 10);
        double Y(double value) => y + Top + (1 - (Math.Clamp(value, panel.Lowest, panel.Highest) - panel.Lowest) / (panel.Highest - panel.Lowest)) * (height - Top - Bottom);

        svg.Text(x + Left, y + 18, panel.Title, "panel");
        var step = Step(panel.Highest - panel.Lowest, 5);
        // adding 0 takes the sign off a zero
        for (var tick = Math.Ceiling(panel.Lowest / step) * step + 0; tick <= panel.Highest; tick += step)
        {
            svg.Line(X(0), Y(tick), X(most), Y(tick), tick.Equals(panel.Reference) ? "grid full" : "grid");
            svg.Text(x + Left - 7, Y(tick) + 4, tick.ToString("0.##;−0.##", CultureInfo.InvariantCulture) + panel.Unit, "tick", "end");
        }

        foreach (var (place, text) in panel.Marks ?? Numbers(most))
            svg.Text(X(place), y + height - Bottom + 15, text, "tick", "middle");
        svg.Text(X(most / 2), y + height - 3, panel.XLabel, "tick", "middle");
        if (panel.Mark is { } mark)
            svg.Line(X(mark), Y(panel.Lowest), X(mark), Y(panel.Highest), "grid full");
        foreach (var line in panel.Lines.Where(l => l.Band.Count > 1))
            svg.Polygon([.. line.Band.Select(b => (X(b.X), Y(b.High))), .. line.Band.Reverse().Select(b => (X(b.X), Y(b.Low)))], Style("band", line.Colour));
        foreach (var line in panel.Lines)
        {
            svg.Polyline(line.Points.Select(p => (X(p.X), Y(p.Y))), Style("line", line.Colour));
            foreach (var (px, py) in line.Points)
                Marker(svg, X(px), Y(py), line.Colour, string.Create(CultureInfo.InvariantCulture, $"{line.Name}, {px:0.#} {panel.XLabel}: {py:0.0}{panel.Unit}"));
        }
    }

    private static IReadOnlyList<(double X, string Text)> Numbers(double most)
    {
        var marks = new List<(double, string)>();
        var along = most <= 12 ? 1 : Step(most, 6);
        for (var tick = 0.0; tick <= most; tick += along)
            marks.Add((tick, tick.ToString("0", CultureInfo.InvariantCulture)));
        return marks;
    }

    /// <summary>1, 2, 2.5 or 5 times a power of ten, so that there are about so many steps.</summary>
    private static double Step(double span, int steps)
    {
        var rough = span / steps;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return new[] { 1, 2, 2.5, 5, 10 }.Select(m => m * power).First(s => s >= rough * 0.999);
    }

    private static string Style(string kind, int colour) => FormattableString.Invariant($"{kind} c{(colour - 1) % Series.Colours + 1}");

    /// <summary>Shapes besides colours: lines stay told apart in grey.</summary>
    private static void Marker(Svg svg, double x, double y, int colour, string? title)
    {
        var style = Style("mark", colour);
        switch ((colour - 1) % Series.Colours + 1)
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
            case 7:
                svg.Rectangle(x - 1.8, y - 4.6, 3.6, 9.2, style, 0, title);
                break;
            case 8:
                svg.Rectangle(x - 4.6, y - 1.8, 9.2, 3.6, style, 0, title);
                break;
            default:
                svg.Dot(x, y, 3.4, style, title);
                break;
        }
    }
}
