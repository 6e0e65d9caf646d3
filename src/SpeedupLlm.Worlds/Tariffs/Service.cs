namespace SpeedupLlm.Worlds.Tariffs;

/// <summary>What x or y counts.</summary>
internal sealed record Unit(string One, string Many)
{
    /// <summary>Such as <c>5 boxes</c>.</summary>
    public string Count(int n) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{n} {(n == 1 ? One : Many)}");
}

/// <summary>What a firm does, and what it charges by.</summary>
internal sealed record Service(string Does, Unit X, Unit Y)
{
    private static readonly Unit Km = new("km", "km"), Kg = new("kg", "kg"), Hour = new("hour", "hours"), Metre = new("metre", "metres");

    /// <summary>All services.</summary>
    public static IReadOnlyList<Service> All { get; } =
    [
        new("posts parcels", Km, Kg), new("drives taxis", Km, new("minute", "minutes")), new("prints books", new("page", "pages"), new("copy", "copies")),
        new("rents boats", Hour, new("seat", "seats")), new("cleans flats", new("room", "rooms"), Hour), new("sells cables", Metre, new("plug", "plugs")),
        new("cuts trees", new("tree", "trees"), Metre), new("stores boxes", new("box", "boxes"), new("day", "days")),
    ];
}
