using System.Globalization;
using SpeedupLlm.Charts;
using SpeedupLlm.Compute;
using SpeedupLlm.Gateway.History;

namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>Savings over time as panels of a chart, and the same figures as rows.</summary>
internal static class SavingsPanels
{
    private const int SavedColour = 1, PlainColour = 6, ExperiencedColour = 3;

    /// <summary>What is saved so far, with its interval, and what a question costs in each step.</summary>
    public static IReadOnlyList<ChartPanel> Of(OverviewView view)
    {
        var rows = Rows(view);
        var places = rows.Zip(view.Steps, (r, s) => (s.Place, r.Saved, r.Sum)).ToList();
        return [Saved([.. places.Where(p => p.Saved is not null).Select(p => (p.Place, p.Saved!))], view), Cost(places, view)];
    }

    /// <summary>A row a step: when it begins, what was saved from the beginning of the time to its end, its sums.</summary>
    public static IReadOnlyList<(DateTimeOffset At, Estimate? Saved, UsageHour Sum)> Rows(OverviewView view)
    {
        var rows = new List<(DateTimeOffset, Estimate?, UsageHour)>();
        var soFar = Ledger.Empty;
        foreach (var (place, sum) in view.Steps)
        {
            soFar = soFar.Then(sum.Ledger);
            var read = soFar.Read(view.Tenant);
            rows.Add((view.From + place * view.Span.Length - view.Span.Step / 2, read.SavedShare ?? read.WouldSaveShare, sum));
        }
        return rows;
    }

    /// <summary>Questions with experience: those answered with it, else those tried beside.</summary>
    public static Spending WithExperience(Ledger ledger) => ledger.Experienced.Questions > 0 ? ledger.Experienced : ledger.Shadowed;

    public static decimal? Mean(Spending spending) => spending.Questions == 0 ? null : spending.Cost / spending.Questions;

    public static string StepText(LookBack span) => span.Step < TimeSpan.FromDays(1)
        ? Figures.Count((long)span.Step.TotalHours, "hour", "hours")
        : Figures.Count((long)span.Step.TotalDays, "day", "days");

    private static ChartPanel Saved(IReadOnlyList<(double Place, Estimate Share)> known, OverviewView view)
    {
        // beyond −100 % nobody wants to know how much more it is
        var lowest = known.Count == 0 ? 0 : Math.Clamp(Math.Floor(known.Min(k => k.Share.Low) * 10) * 10, -100, 0);
        var title = known.Count > 0 ? "Saved so far (% of a plain call)" : "Saved so far: not known yet";
        var line = new Series("saved so far", SavedColour, [.. known.Select(k => (k.Place, 100 * k.Share.Value))])
        {
            Band = [.. known.Select(k => (k.Place, 100 * k.Share.Low, 100 * k.Share.High))],
        };
        return new(title, known.Count > 0 ? [line] : [], 100, "", Unit: "", Reference: 0) { Lowest = lowest, Rightmost = 1, Marks = Marks(view) };
    }

    private static ChartPanel Cost(IReadOnlyList<(double Place, Estimate? Saved, UsageHour Sum)> places, OverviewView view)
    {
        var plain = Line("one plain call", PlainColour, places.Select(p => (p.Place, Mean(p.Sum.Ledger.Plain))));
        var experienced = Line("with experience", ExperiencedColour, places.Select(p => (p.Place, Mean(WithExperience(p.Sum.Ledger)))));
        var highest = plain.Points.Concat(experienced.Points).Select(p => p.Y).DefaultIfEmpty(1).Max();
        return new("Cost of a question (tokens)", [plain, experienced], Math.Max(1, highest * 1.1), "", Unit: "", Reference: null) { Rightmost = 1, Marks = Marks(view) };
    }

    private static Series Line(string name, int colour, IEnumerable<(double Place, decimal? Mean)> points) =>
        new(name, colour, [.. points.Where(p => p.Mean is not null).Select(p => (p.Place, (double)p.Mean!.Value))]);

    private static IReadOnlyList<(double X, string Text)> Marks(OverviewView view)
    {
        var format = view.Span.Length <= TimeSpan.FromDays(1) ? "HH:mm" : "d MMM";
        return [.. Enumerable.Range(0, 4).Select(i => (X: (i + 0.5) / 4, Text: (view.From + view.Span.Length * ((i + 0.5) / 4)).UtcDateTime.ToString(format, CultureInfo.InvariantCulture)))];
    }
}
