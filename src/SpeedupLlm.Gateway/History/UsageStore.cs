using System.Globalization;
using System.Text.Json;
using SpeedupLlm.Experience;

namespace SpeedupLlm.Gateway.History;

/// <summary>Keeps days in the store, a document a day, in a ring: what is older is written over. Replicas add to the same documents. Thread-safe.</summary>
internal sealed class UsageStore(IExperienceStore store, TimeProvider clock)
{
    /// <summary>How many days are kept.</summary>
    public const int Days = 92;

    private const string Kind = "usage";
    private const int MostRounds = 8;

    /// <summary>A day, or null if there is none.</summary>
    public async ValueTask<UsageDay?> ReadAsync(string tenant, DateOnly day, CancellationToken cancellationToken) =>
        Read(await store.GetAsync(ScopeOf(tenant), Kind, KeyOf(day), cancellationToken)) is { } kept && kept.Day == day ? kept : null;

    /// <summary>Adds hours to a day; returns it as it is stored then, or null if others were faster again and again, or the slot is a later day's.</summary>
    /// <exception cref="StoreDegradedException">It cannot be kept.</exception>
    public async ValueTask<UsageDay?> AddAsync(string tenant, DateOnly day, IReadOnlyList<UsageHour> hours, CancellationToken cancellationToken)
    {
        for (var round = 0; round < MostRounds; round++)
        {
            var held = await store.GetAsync(ScopeOf(tenant), Kind, KeyOf(day), cancellationToken);
            var kept = Read(held);
            // a clock that went back does not write over what is newer
            if (kept?.Day > day)
                return null;
            var sum = (kept?.Day == day ? kept : new(UsageDay.CurrentFormat, day, [])).With(hours);
            var document = new MemoryDocument
            {
                Kind = Kind,
                Key = KeyOf(day),
                Scope = ScopeOf(tenant),
                Content = JsonSerializer.SerializeToUtf8Bytes(sum, UsageJson.Default.UsageDay),
                Version = held?.Version ?? 0,
                At = clock.GetUtcNow(),
            };
            if (await store.PutAsync(document, cancellationToken) is not null)
                return sum;
        }
        return null;
    }

    /// <summary>No model's: nothing that looks for episodes finds it.</summary>
    private static Scope ScopeOf(string tenant) => new(tenant, null, null, "gateway", "");

    private static string KeyOf(DateOnly day) => (day.DayNumber % Days).ToString("00", CultureInfo.InvariantCulture);

    /// <summary>What cannot be read, or is of another version, is begun anew: it is an account, and nothing is answered with it.</summary>
    private static UsageDay? Read(MemoryDocument? document)
    {
        try
        {
            return document is null ? null : JsonSerializer.Deserialize(document.Content.Span, UsageJson.Default.UsageDay) is { FormatVersion: UsageDay.CurrentFormat } day ? day : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
