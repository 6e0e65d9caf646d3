using System.Text.Json.Serialization;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Gateway.History;

/// <summary>What a tenant's requests of an hour came to, in sums that add up; holds nothing of any one question. Not thread-safe.</summary>
internal sealed class UsageHour
{
    /// <summary>When it begins, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>What questions cost with experience and without.</summary>
    public Ledger Ledger { get; set; } = Ledger.Empty;

    /// <summary>Requests that ended well, by way.</summary>
    public Dictionary<string, long> Requests { get; init; } = new(StringComparer.Ordinal);

    /// <summary>How long these took, by way and then by the class of <see cref="Durations"/>.</summary>
    public Dictionary<string, Dictionary<string, long>> Took { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Requests that failed or were refused.</summary>
    public long Failed { get; set; }

    /// <summary>Full cost of answering with experience, by purpose.</summary>
    public Dictionary<string, decimal> Cost { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Questions answered with experience, by memory, level and what memory gave: <c>auto/S1/answer</c>.</summary>
    public Dictionary<string, long> Recalled { get; init; } = new(StringComparer.Ordinal);

    /// <summary>When the hour of a moment begins.</summary>
    public static DateTimeOffset HourOf(DateTimeOffset at) => new(at.UtcDateTime.Date.AddHours(at.UtcDateTime.Hour), TimeSpan.Zero);

    /// <summary>Counts a request.</summary>
    public void Add(EndedRequest request)
    {
        if (request.Status is < 200 or >= 400)
        {
            Failed++;
            return;
        }
        if (!EndedRequest.Ways.Contains(request.Way))
            return;
        Count(Requests, request.Way);
        if (!Took.TryGetValue(request.Way, out var classes))
            Took.Add(request.Way, classes = new(StringComparer.Ordinal));
        Count(classes, Durations.ClassOf(request.Took));
        if (request.Spent is not { IsExperienced: true } spent)
            return;
        foreach (var (purpose, cost) in spent.Cost)
            Cost[purpose] = Cost.GetValueOrDefault(purpose) + cost;
        Count(Recalled, $"{spent.Memory}/{spent.Level}/{spent.Recalled}");
    }

    /// <summary>Adds what came after.</summary>
    public void Add(UsageHour later)
    {
        Ledger = Ledger.Then(later.Ledger);
        Failed += later.Failed;
        Sum(Requests, later.Requests);
        Sum(Recalled, later.Recalled);
        foreach (var (purpose, cost) in later.Cost)
            Cost[purpose] = Cost.GetValueOrDefault(purpose) + cost;
        foreach (var (way, classes) in later.Took)
        {
            if (!Took.TryGetValue(way, out var ours))
                Took.Add(way, ours = new(StringComparer.Ordinal));
            Sum(ours, classes);
        }
    }

    private static void Count(Dictionary<string, long> counts, string name) => counts[name] = counts.GetValueOrDefault(name) + 1;

    private static void Sum(Dictionary<string, long> counts, Dictionary<string, long> later)
    {
        foreach (var (name, count) in later)
            counts[name] = counts.GetValueOrDefault(name) + count;
    }
}

/// <summary>The hours of a day as they are stored.</summary>
/// <param name="FormatVersion">The version of the persisted form.</param>
/// <param name="Day">The day, UTC.</param>
/// <param name="Hours">Its hours, oldest first; one without requests may be missing.</param>
internal sealed record UsageDay(int FormatVersion, DateOnly Day, IReadOnlyList<UsageHour> Hours)
{
    /// <summary>The version that this code writes.</summary>
    public const int CurrentFormat = 1;

    /// <summary>This day with an hour's sums added.</summary>
    public UsageDay With(IEnumerable<UsageHour> more)
    {
        var sums = Hours.ToDictionary(h => h.At, Copy);
        foreach (var hour in more)
        {
            if (sums.TryGetValue(hour.At, out var sum))
                sum.Add(hour);
            else
                sums.Add(hour.At, Copy(hour));
        }
        return this with { Hours = [.. sums.Values.OrderBy(h => h.At)] };
    }

    private static UsageHour Copy(UsageHour hour)
    {
        var copy = new UsageHour { At = hour.At };
        copy.Add(hour);
        return copy;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, IgnoreReadOnlyProperties = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(UsageDay))]
internal sealed partial class UsageJson : JsonSerializerContext
{
}
