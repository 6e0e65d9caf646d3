using System.Text.Json.Serialization;

namespace SpeedupLlm.Gateway.Tenants;

/// <summary>What a tenant has used of its limits, over all replicas. Immutable.</summary>
internal sealed record TenantAccount
{
    /// <summary>The format that this program writes and reads.</summary>
    public const int CurrentFormat = 1;

    // a clock that was far ahead must not shut everybody out until its time comes
    private static readonly TimeSpan MostMinutesAhead = TimeSpan.FromHours(1);
    private const int MostDaysAhead = 7;

    /// <summary>The version of the stored form.</summary>
    public int FormatVersion { get; init; } = CurrentFormat;

    /// <summary>The minute that <see cref="Requests"/> is about, UTC.</summary>
    public DateTimeOffset Minute { get; init; }

    /// <summary>Requests of that minute, those that replicas took and have not let in yet with them.</summary>
    public long Requests { get; init; }

    /// <summary>The day that <see cref="Spent"/> is about, UTC.</summary>
    public DateOnly Day { get; init; }

    /// <summary>Full cost of that day.</summary>
    public decimal Spent { get; init; }

    /// <summary>The account at a moment: a new minute or day begins at nothing. A clock that goes backward gives no second budget (case 27).</summary>
    public TenantAccount At(DateTimeOffset now)
    {
        var minute = new DateTimeOffset(now.UtcTicks - now.UtcTicks % TimeSpan.TicksPerMinute, TimeSpan.Zero);
        var day = DateOnly.FromDateTime(now.UtcDateTime);
        var account = this;
        if (minute > Minute || Minute - minute > MostMinutesAhead)
            account = account with { Minute = minute, Requests = 0 };
        if (day > Day || Day.DayNumber - day.DayNumber > MostDaysAhead)
            account = account with { Day = day, Spent = 0 };
        return account;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TenantAccount))]
internal sealed partial class TenantJson : JsonSerializerContext
{
}
