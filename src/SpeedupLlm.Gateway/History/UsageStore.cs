using System.Globalization;
using SpeedupLlm.Experience;
using SpeedupLlm.Gateway.Replicas;

namespace SpeedupLlm.Gateway.History;

/// <summary>Keeps days in the store, a document a day, in a ring: what is older is written over. Replicas add to the same documents. Thread-safe.</summary>
internal sealed class UsageStore(IExperienceStore store, TimeProvider clock)
{
    /// <summary>How many days are kept.</summary>
    public const int Days = 92;

    /// <summary>A day, or null if there is none.</summary>
    public async ValueTask<UsageDay?> ReadAsync(string tenant, DateOnly day, CancellationToken cancellationToken) =>
        Known(await DocumentOf(tenant, day).ReadAsync(cancellationToken)) is { } kept && kept.Day == day ? kept : null;

    /// <summary>Adds hours to a day; returns it as it is stored then, or null if others were faster again and again, or the slot is a later day's.</summary>
    /// <exception cref="StoreDegradedException">It cannot be kept.</exception>
    public ValueTask<UsageDay?> AddAsync(string tenant, DateOnly day, IReadOnlyList<UsageHour> hours, CancellationToken cancellationToken) => DocumentOf(tenant, day).ChangeAsync(
        held =>
        {
            var kept = Known(held);
            // a clock that went back does not write over what is newer
            return kept?.Day > day ? null : (kept?.Day == day ? kept : new(UsageDay.CurrentFormat, day, [])).With(hours);
        }, cancellationToken);

    private SharedDocument<UsageDay> DocumentOf(string tenant, DateOnly day) =>
        new(store, clock, UsageJson.Default.UsageDay, tenant, "usage", (day.DayNumber % Days).ToString("00", CultureInfo.InvariantCulture));

    /// <summary>What is of another version is begun anew.</summary>
    private static UsageDay? Known(UsageDay? day) => day is { FormatVersion: UsageDay.CurrentFormat } ? day : null;
}
