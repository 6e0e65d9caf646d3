using SpeedupLlm.Compute;
using SpeedupLlm.Gateway.History;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>What the overview shows of a tenant.</summary>
internal sealed record OverviewView : PageView
{
    /// <summary>The mode in force.</summary>
    public required ExperienceMode Mode { get; init; }

    /// <summary>Whether the mode sends some questions to one plain call by lot.</summary>
    public required bool Draws { get; init; }

    /// <summary>The time that is looked back on.</summary>
    public required LookBack Span { get; init; }

    /// <summary>The hours of it, oldest first; those without requests are missing.</summary>
    public required IReadOnlyList<UsageHour> Hours { get; init; }

    /// <summary>Now, UTC.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The bands of the guard.</summary>
    public IReadOnlyList<GuardedBand> Bands { get; init; } = [];

    /// <summary>The last requests, newest first.</summary>
    public IReadOnlyList<EndedRequest> Last { get; init; } = [];

    /// <summary>Why memory cannot keep or read what it should, or null.</summary>
    public string? Degraded { get; init; }

    /// <summary>All hours together.</summary>
    public UsageHour Sum => field ??= SumOf(Hours);

    /// <summary>What the sums say.</summary>
    public TenantSavings Savings => field ??= Sum.Ledger.Read(Tenant);

    /// <summary>The hours in the steps of the charts; a step's place is the share of the time that was over at its end.</summary>
    public IReadOnlyList<(double Place, UsageHour Sum)> Steps => field ??= [.. Hours
        .GroupBy(h => (int)Math.Floor((h.At - From) / Span.Step))
        .OrderBy(g => g.Key)
        .Select(g => ((g.Key + 0.5) * (Span.Step / Span.Length), SumOf(g)))];

    /// <summary>When the time begins.</summary>
    public DateTimeOffset From => UsageHour.HourOf(Now) + TimeSpan.FromHours(1) - Span.Length;

    private static UsageHour SumOf(IEnumerable<UsageHour> hours)
    {
        var sum = new UsageHour { At = default };
        foreach (var hour in hours)
            sum.Add(hour);
        return sum;
    }
}
