using System.Globalization;
using SpeedupLlm.Charts;

namespace SpeedupLlm.Benchmark.Reporting;

/// <summary>A rectangle of a heatmap.</summary>
/// <param name="Value">A share, positive is good; null is not measured.</param>
/// <param name="Title">What a pointer over it says.</param>
/// <param name="Firm">Whether the value is significant: shown bold.</param>
/// <param name="Alarm">Whether harm is shown: outlined.</param>
internal sealed record HeatCell(double? Value, string Title, bool Firm, bool Alarm);

/// <summary>A block of rows that share a name.</summary>
internal sealed record HeatBlock(string Name, IReadOnlyList<(string Name, IReadOnlyList<HeatCell> Cells)> Rows);

/// <summary>A table of coloured shares around zero: blue is a saving, orange a loss, told apart by colour-blind eyes too.</summary>
internal static class Heatmap
{
    private const double CellWidth = 92, CellHeight = 26, BlockGap = 10, Left = 190, Top = 34;

    // a page shows every picture as wide as itself: few columns would become huge, and the legend would not fit
    private const int LeastColumns = 6;

    /// <summary>The limits between the five shades of either side.</summary>
    private static readonly double[] Limits = [0.02, 0.15, 0.35, 0.6];

    public static string Render(IReadOnlyList<string> columns, IReadOnlyList<HeatBlock> blocks, string label)
    {
        var rows = blocks.Sum(b => b.Rows.Count);
        var width = Left + Math.Max(LeastColumns, columns.Count) * CellWidth + 8;
        var height = Top + rows * CellHeight + blocks.Count * BlockGap + 40;
        var svg = new Svg(width, height, label);
        for (var c = 0; c < columns.Count; c++)
            svg.Text(Left + (c + 0.5) * CellWidth, Top - 12, columns[c], "axis", "middle");
        var y = Top;
        foreach (var block in blocks)
        {
            svg.Text(4, y + block.Rows.Count * CellHeight / 2 + 6, block.Name, "block");
            foreach (var (name, cells) in block.Rows)
            {
                svg.Text(Left - 12, y + CellHeight / 2 + 4.5, name, "axis", "end");
                for (var c = 0; c < cells.Count; c++)
                    Draw(svg, cells[c], Left + c * CellWidth, y);
                y += CellHeight;
            }

            y += BlockGap;
        }

        Legend(svg, y + 8);
        return svg.ToString();
    }

    /// <summary>−4 (much dearer) to 4 (much cheaper).</summary>
    internal static int Shade(double value) => Math.Sign(value) * Limits.Count(limit => Math.Abs(value) >= limit);

    private static void Draw(Svg svg, HeatCell cell, double x, double y)
    {
        var shade = cell.Value is { } v ? $"h{Name(Shade(v))}" : "hx";
        svg.Rectangle(x + 1, y + 1, CellWidth - 2, CellHeight - 2, cell.Alarm ? shade + " alarm" : shade, 4, cell.Title);
        var text = cell.Value is { } share ? Format.Percent(share) : "·";
        svg.Text(x + CellWidth / 2, y + CellHeight / 2 + 4.5, text, $"t{shade}{(cell.Firm ? " firm" : "")}", "middle");
    }

    private static void Legend(Svg svg, double y)
    {
        svg.Text(Left - 12, y + 12, "operations saved", "axis", "end");
        for (var shade = -4; shade <= 4; shade++)
        {
            var x = Left + (shade + 4) * 56;
            svg.Rectangle(x + 1, y, 54, 16, $"h{Name(shade)}", 4);
            var limit = shade == 0 ? "±2 %" : (shade < 0 ? "< −" : "> ") + (100 * Limits[Math.Abs(shade) - 1]).ToString("0", CultureInfo.InvariantCulture) + " %";
            svg.Text(x + 28, y + 12, limit, $"th{Name(shade)} small", "middle");
        }
    }

    private static string Name(int shade) => shade < 0 ? "m" + (-shade).ToString(CultureInfo.InvariantCulture) : shade.ToString(CultureInfo.InvariantCulture);
}
