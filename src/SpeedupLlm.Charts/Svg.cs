using System.Globalization;
using System.Net;
using System.Text;

namespace SpeedupLlm.Charts;

/// <summary>Writes inline SVG. Colours come from the page's style sheet by class, so that one picture serves light and dark. Texts are encoded; classes are the caller's own. Not thread-safe.</summary>
public sealed class Svg
{
    private readonly StringBuilder _text = new();

    /// <param name="width">In units of the picture.</param>
    /// <param name="height">In units of the picture.</param>
    /// <param name="label">What it shows, for readers who do not see it.</param>
    public Svg(double width, double height, string label)
    {
        _text.Append(CultureInfo.InvariantCulture,
            $"<svg viewBox=\"0 0 {width:0.#} {height:0.#}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(label)}\" xmlns=\"http://www.w3.org/2000/svg\">\n");
    }

    /// <summary>A rectangle; <paramref name="title"/> is what a pointer over it says.</summary>
    public Svg Rectangle(double x, double y, double width, double height, string style, double radius = 0, string? title = null)
    {
        _text.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x:0.#}\" y=\"{y:0.#}\" width=\"{width:0.#}\" height=\"{height:0.#}\" rx=\"{radius:0.#}\" class=\"{style}\"");
        return End("rect", title);
    }

    /// <summary>A line of text; <paramref name="y"/> is its base line.</summary>
    public Svg Text(double x, double y, string content, string style, string anchor = "start")
    {
        _text.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.#}\" y=\"{y:0.#}\" text-anchor=\"{anchor}\" class=\"{style}\">{WebUtility.HtmlEncode(content)}</text>\n");
        return this;
    }

    /// <summary>A line.</summary>
    public Svg Line(double x1, double y1, double x2, double y2, string style)
    {
        _text.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x1:0.#}\" y1=\"{y1:0.#}\" x2=\"{x2:0.#}\" y2=\"{y2:0.#}\" class=\"{style}\"/>\n");
        return this;
    }

    /// <summary>A line through points.</summary>
    public Svg Polyline(IEnumerable<(double X, double Y)> points, string style)
    {
        _text.Append("<polyline fill=\"none\" points=\"")
            .AppendJoin(' ', points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.X:0.#},{p.Y:0.#}")))
            .Append(CultureInfo.InvariantCulture, $"\" class=\"{style}\"/>\n");
        return this;
    }

    /// <summary>A filled shape.</summary>
    public Svg Polygon(IEnumerable<(double X, double Y)> points, string style)
    {
        _text.Append("<polygon points=\"")
            .AppendJoin(' ', points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.X:0.#},{p.Y:0.#}")))
            .Append(CultureInfo.InvariantCulture, $"\" class=\"{style}\"/>\n");
        return this;
    }

    /// <summary>A circle; <paramref name="title"/> is what a pointer over it says.</summary>
    public Svg Dot(double x, double y, double radius, string style, string? title = null)
    {
        _text.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{x:0.#}\" cy=\"{y:0.#}\" r=\"{radius:0.#}\" class=\"{style}\"");
        return End("circle", title);
    }

    /// <summary>The picture as HTML.</summary>
    public override string ToString() => _text + "</svg>\n";

    private Svg End(string element, string? title)
    {
        if (title is null)
            _text.Append("/>\n");
        else
            _text.Append("><title>").Append(WebUtility.HtmlEncode(title)).Append("</title></").Append(element).Append(">\n");
        return this;
    }
}
