namespace SpeedupLlm;

/// <summary>Nothing of that kind has that name. Remedy: one of <see cref="Valid"/>.</summary>
public sealed class UnknownNameException(string kind, string name, IReadOnlyList<string> valid)
    : Exception($"Unknown {kind} '{name}'. Valid: {string.Join(", ", valid)}.")
{
    /// <summary>The name that was asked for.</summary>
    public string Name { get; } = name;

    /// <summary>What there is.</summary>
    public IReadOnlyList<string> Valid { get; } = valid;
}
