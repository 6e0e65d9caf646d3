using System.Globalization;

namespace SpeedupLlm.Benchmark.Reporting;

/// <summary>How figures are written in the report and in the terminal. Null is a dash.</summary>
public static class Format
{
    /// <summary>A share as whole percents, such as <c>76 %</c> or <c>−3 %</c>.</summary>
    public static string Percent(double? share) => share is { } s ? Signed(100 * s, "0") + " %" : "–";

    /// <summary>A share with its 95 % interval, such as <c>76 % [71, 80]</c>.</summary>
    public static string WithInterval(double? share, double[]? interval) =>
        Percent(share) + (interval is [var low, var high] ? $" [{Signed(100 * low, "0")}, {Signed(100 * high, "0")}]" : "");

    /// <summary>A difference of shares in points with its interval.</summary>
    public static string Points(double? change, double[]? interval) =>
        change is { } c ? (c > 0 ? "+" : "") + Signed(100 * c, "0.0") + (interval is [var low, var high] ? $" [{Signed(100 * low, "0.0")}, {Signed(100 * high, "0.0")}]" : "") : "–";

    /// <summary>A number with about three significant digits.</summary>
    public static string Number(double? value) => value is not { } v ? "–" : Signed(v, Math.Abs(v) switch
    {
        >= 100 => "0",
        >= 10 => "0.0",
        >= 0.1 or 0 => "0.00",
        _ => "0.000", // slopes and differences of shares are small
    });

    /// <summary>A p-value.</summary>
    public static string P(double? p) => p is not { } v ? "–" : v < 0.0001 ? "< 0.0001" : v.ToString("0.0000", CultureInfo.InvariantCulture);

    private static string Signed(double value, string format)
    {
        var text = Math.Abs(value).ToString(format, CultureInfo.InvariantCulture);
        return value < 0 && text.AsSpan().ContainsAnyInRange('1', '9') ? "−" + text : text;
    }
}
