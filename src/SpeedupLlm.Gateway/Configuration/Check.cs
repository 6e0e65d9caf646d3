namespace SpeedupLlm.Gateway.Configuration;

/// <summary>Checks of the configuration; each failure names the place in the file.</summary>
internal static class Check
{
    public static void That(bool holds, string at, string otherwise)
    {
        if (!holds)
            throw new InvalidDataException($"{at} {otherwise}.");
    }

    public static void Name(string name, IReadOnlyList<string> valid, string at) =>
        That(valid.Contains(name, StringComparer.Ordinal), at, $"“{name}” is unknown; valid: {string.Join(", ", valid)}");

    public static void Unique(IEnumerable<string> values, string at, string what)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var value in values)
            That(seen.Add(value), at, what == "key" ? "holds the same key twice" : $"has the {what} “{value}” twice");
    }

    public static void KeyHash(string hash, string at) => That(
        hash.StartsWith(Tenants.ApiKey.Prefix, StringComparison.Ordinal) && hash.Length == Tenants.ApiKey.Prefix.Length + 64 && hash.AsSpan(Tenants.ApiKey.Prefix.Length).IndexOfAnyExcept("0123456789abcdef") < 0,
        at, "holds something that is no hash of a key: keys are never written down; “speedup serve new-key” makes one and its hash");
}
