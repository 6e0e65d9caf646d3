using System.Globalization;
using System.Net;
using System.Text;

namespace SpeedupLlm.Benchmark.Reporting;

/// <summary>A column of a table.</summary>
/// <param name="Name">Its head.</param>
/// <param name="IsNumber">Whether it is set to the right.</param>
internal sealed record Column(string Name, bool IsNumber = false)
{
    public static implicit operator Column(string name) => new(name);
}

/// <summary>A field of a table.</summary>
/// <param name="Text">What it says.</param>
/// <param name="Sort">What it is sorted by, or null for its text.</param>
/// <param name="Style">Its class, or null.</param>
internal sealed record Field(string Text, double? Sort = null, string? Style = null)
{
    public static implicit operator Field(string text) => new(text);
}

/// <summary>One self-contained page: style, script and pictures inside, nothing asked of the network.</summary>
internal sealed class HtmlPage
{
    /// <summary>What lies between these depends on the clock.</summary>
    public const string TimeBegins = "<!-- time -->\n", TimeEnds = "<!-- /time -->\n";

    private readonly StringBuilder _text = new();

    public HtmlPage(string title)
    {
        _text.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
            .Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>").Append(Encode(title)).Append(" – SpeedupLLM</title>\n<style>\n")
            .Append(Resources.Read("report.css")).Append("</style>\n</head>\n<body>\n<main>\n<h1>").Append(Encode(title)).Append("</h1>\n");
    }

    public HtmlPage Heading(string text) => Add("<h2>", Encode(text), "</h2>\n");

    public HtmlPage Paragraph(string text, string? style = null) => Add(style is null ? "<p>" : $"<p class=\"{style}\">", Encode(text), "</p>\n");

    public HtmlPage Tiles(params (string Figure, string Meaning)[] tiles)
    {
        _text.Append("<div class=\"tiles\">\n");
        foreach (var (figure, meaning) in tiles)
            Add("<div class=\"tile\"><b>", Encode(figure), "</b><span>", Encode(meaning), "</span></div>\n");
        return Add("</div>\n");
    }

    public HtmlPage Figure(string svg) => Add("<figure>\n", svg, "</figure>\n");

    /// <summary>A table whose heads sort it.</summary>
    /// <param name="columns">The columns.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="folded">What stands instead of it until it is opened; null shows it at once.</param>
    public HtmlPage Table(IReadOnlyList<Column> columns, IEnumerable<IReadOnlyList<Field>> rows, string? folded = null)
    {
        if (folded is not null)
            Add("<details><summary>", Encode(folded), "</summary>\n");
        _text.Append("<div class=\"scroll\"><table>\n<thead><tr>");
        foreach (var column in columns)
            Add(column.IsNumber ? "<th class=\"n\">" : "<th>", Encode(column.Name), "</th>");
        _text.Append("</tr></thead>\n<tbody>\n");
        foreach (var row in rows)
        {
            _text.Append("<tr>");
            foreach (var (column, field) in columns.Zip(row))
            {
                var style = string.Join(' ', new[] { column.IsNumber ? "n" : null, field.Style }.OfType<string>());
                Add("<td", style.Length > 0 ? $" class=\"{style}\"" : "", field.Sort is { } sort ? string.Create(CultureInfo.InvariantCulture, $" data-sort=\"{sort:R}\"") : "", ">", Encode(field.Text), "</td>");
            }

            _text.Append("</tr>\n");
        }

        return Add("</tbody></table></div>", folded is null ? "\n" : "</details>\n");
    }

    /// <summary>A part that depends on the clock, marked as such.</summary>
    public HtmlPage Timed(Action<HtmlPage> part)
    {
        _text.Append(TimeBegins);
        part(this);
        return Add(TimeEnds);
    }

    /// <summary>Fingerprints and the like, in the type of code.</summary>
    public HtmlPage Codes(params (string Name, string Code)[] codes) =>
        Add("<p class=\"soft\">", string.Join(", ", codes.Select(c => $"{Encode(c.Name)} <code>{Encode(c.Code)}</code>")), "</p>\n");

    public override string ToString() => $"{_text}<script>\n{Resources.Read("report.js")}</script>\n</main>\n</body>\n</html>\n";

    private HtmlPage Add(params ReadOnlySpan<string> parts)
    {
        foreach (var part in parts)
            _text.Append(part);
        return this;
    }

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
