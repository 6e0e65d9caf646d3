namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>A time that is looked back on.</summary>
/// <param name="Name">Its name in addresses.</param>
/// <param name="Text">Its name for people.</param>
/// <param name="Length">How long it is.</param>
/// <param name="Step">How far apart the points of its charts are.</param>
internal sealed record LookBack(string Name, string Text, TimeSpan Length, TimeSpan Step)
{
    public static IReadOnlyList<LookBack> All { get; } =
    [
        new("day", "24 hours", TimeSpan.FromDays(1), TimeSpan.FromHours(1)),
        new("week", "7 days", TimeSpan.FromDays(7), TimeSpan.FromHours(6)),
        new("month", "30 days", TimeSpan.FromDays(30), TimeSpan.FromDays(1)),
        new("quarter", "90 days", TimeSpan.FromDays(90), TimeSpan.FromDays(3)),
    ];

    /// <summary>The one of a name; a week if there is none.</summary>
    public static LookBack Of(string? name) => All.FirstOrDefault(s => s.Name == name) ?? All[1];
}
