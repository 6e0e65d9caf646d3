using SpeedupLlm.Compute;

namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>What was saved beside one plain call, in a sentence; "unknown" wherever that is so.</summary>
internal static class SavedSentence
{
    /// <param name="savings">What is known.</param>
    /// <param name="mode">The mode in force.</param>
    /// <param name="draws">Whether the mode sends some questions to one plain call by lot, so that there is anything to compare with.</param>
    /// <param name="span">The time that it is about, such as <c>the last 7 days</c>.</param>
    public static string Of(TenantSavings savings, ExperienceMode mode, bool draws, string span)
    {
        if (savings.SavedShare is { } saved)
        {
            return saved switch
            {
                { Low: > 0 } => $"Experience saved {Figures.Percent(saved)} of the cost of one plain call in {span}.",
                { High: < 0 } => $"Experience cost {Figures.Percent(Turned(saved))} more than one plain call in {span}.",
                _ => $"Whether experience saved anything in {span} is not certain: {Figures.Percent(saved)} of the cost of one plain call.",
            };
        }
        if (savings.WouldSaveShare is { } would)
        {
            var differ = savings.DifferedShare is { } share ? $" {Figures.Percent(share)} of the answers would differ." : "";
            return would switch
            {
                { Low: > 0 } => $"Experience would save {Figures.Percent(would)} of the cost of one plain call.",
                { High: < 0 } => $"Experience would cost {Figures.Percent(Turned(would))} more than one plain call.",
                _ => $"Whether experience would save anything is not certain: {Figures.Percent(would)} of the cost of one plain call.",
            } + differ;
        }
        return mode switch
        {
            ExperienceMode.Off => "What experience would save is unknown: it is switched off, and nothing is measured.",
            ExperienceMode.Observe => $"What experience would save is unknown yet: it takes {More(savings.Shadowed.Questions, "observed")}.",
            _ when !draws => "What is saved is unknown: no question goes to one plain call, so there is nothing to compare with.",
            _ => $"What is saved is unknown yet: it takes {Missing(savings)}.",
        };
    }

    private static string Missing(TenantSavings savings)
    {
        var parts = new List<string>();
        if (savings.DrawnPlain < Savings.LeastCompared)
            parts.Add(More(savings.DrawnPlain, "control"));
        if (savings.DrawnExperienced < Savings.LeastCompared)
            parts.Add(More(savings.DrawnExperienced, "experienced"));
        return parts.Count > 0 ? string.Join(" and ", parts) : "plain calls that cost something";
    }

    private static string More(long have, string kind) => Figures.Count(Math.Max(1, Savings.LeastCompared - have), $"more {kind} question", $"more {kind} questions");

    private static Estimate Turned(Estimate share) => new(-share.Value, -share.High, -share.Low);
}
