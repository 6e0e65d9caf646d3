using System.Globalization;

namespace SpeedupLlm.Gateway.History;

/// <summary>How long things took: counts in classes that are each a quarter of a doubling wide, so that sums of any size stay small and a quantile is off by 9 % at most. Not thread-safe.</summary>
internal static class Durations
{
    private const double ClassesADoubling = 4;

    // a millisecond, and about four hours
    private const int First = 0, Last = 96;

    /// <summary>The class of a duration.</summary>
    public static string ClassOf(TimeSpan took) =>
        Math.Clamp((int)Math.Ceiling(ClassesADoubling * Math.Log2(Math.Max(1, took.TotalMilliseconds))), First, Last).ToString(CultureInfo.InvariantCulture);

    /// <summary>The duration that a share of all is not longer than; null of none.</summary>
    /// <param name="classes">Counts by class.</param>
    /// <param name="share">In (0, 1].</param>
    public static TimeSpan? Quantile(IReadOnlyDictionary<string, long> classes, double share)
    {
        var left = classes.Values.Sum() * share;
        foreach (var (name, count) in classes.OrderBy(c => int.Parse(c.Key, CultureInfo.InvariantCulture)))
        {
            left -= count;
            // the geometric middle of the class
            if (left <= 0)
                return TimeSpan.FromMilliseconds(Math.Pow(2, (int.Parse(name, CultureInfo.InvariantCulture) - 0.5) / ClassesADoubling));
        }
        return null;
    }
}
