using System.Globalization;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>How figures are written, with their units. What is not known is a dash.</summary>
internal static class Figures
{
    public const string Unknown = "–";

    /// <summary>A share, such as <c>43 %</c>.</summary>
    public static string Percent(double? share) => share is { } s && double.IsFinite(s) ? $"{Signed(100 * s, "0")} %" : Unknown;

    /// <summary>An estimate of a share in words, such as <c>43 % (95 % interval 38 to 47 %)</c>.</summary>
    public static string Percent(Estimate share) =>
        $"{Signed(100 * share.Value, "0")} % (95 % interval {Signed(100 * share.Low, "0")} to {Signed(100 * share.High, "0")} %)";

    /// <summary>A count, such as <c>12 345</c>.</summary>
    public static string Count(long count) => count.ToString("#,0", Grouped);

    /// <summary>Full cost in uncached input tokens, three digits long.</summary>
    public static string Tokens(decimal? tokens) => tokens is not { } t ? Unknown : Math.Abs(t) switch
    {
        >= 999_500_000 => $"{Short((double)t / 1e9)} G",
        >= 999_500 => $"{Short((double)t / 1e6)} M",
        >= 9_995 => $"{Short((double)t / 1e3)} k",
        _ => Signed((double)t, "#,0"),
    };

    /// <summary>A duration, such as <c>840 ms</c> or <c>12 s</c>.</summary>
    public static string Duration(TimeSpan? took) => took is not { } t ? Unknown : t.TotalMilliseconds switch
    {
        < 1 => "< 1 ms",
        < 999.5 => $"{t.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture)} ms",
        < 119_500 => $"{Short(t.TotalSeconds)} s",
        _ => $"{t.TotalMinutes.ToString("0", CultureInfo.InvariantCulture)} min",
    };

    /// <summary>The number of things, in words that agree with it.</summary>
    public static string Count(long count, string one, string many) => $"{Count(count)} {(count == 1 ? one : many)}";

    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    public static string Moment(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    public static string Machine(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static NumberFormatInfo Grouped { get; } = new() { NumberGroupSeparator = "\u202f" };

    private static string Short(double value) => Signed(value, Math.Abs(value) switch { >= 99.95 => "0", >= 9.995 => "0.0", _ => "0.00" });

    private static string Signed(double value, string format)
    {
        var text = Math.Abs(value).ToString(format, Grouped);
        return value < 0 && text.AsSpan().ContainsAnyInRange('1', '9') ? "−" + text : text;
    }
}
