namespace SpeedupLlm.Compute;

/// <summary>The tokens of one model call, or of one training run.</summary>
/// <param name="Purpose">What it was for.</param>
/// <param name="Input">Prompt tokens, cached ones among them.</param>
/// <param name="CachedInput">Prompt tokens that the model had computed before, ≤ <paramref name="Input"/>.</param>
/// <param name="Output">Generated tokens, reasoning tokens among them.</param>
/// <param name="Reasoning">Generated tokens that the caller does not see, ≤ <paramref name="Output"/>.</param>
/// <param name="Trained">Tokens passed forward and backward in training, each counted once an epoch.</param>
/// <param name="Estimated">Whether the model did not say and tokens were estimated from the text.</param>
/// <param name="Elapsed">Wall-clock time.</param>
public sealed record Charge(
    CallPurpose Purpose,
    long Input,
    long CachedInput,
    long Output,
    long Reasoning,
    long Trained,
    bool Estimated,
    TimeSpan Elapsed);

/// <summary>Everything that one question cost.</summary>
/// <param name="Charges">A charge a call, in the order in which the calls ended.</param>
/// <param name="Operations">The paper's cost (arXiv 2505.20643): answers sampled, nodes expanded, answers written or tokens thought.</param>
public sealed record Bill(IReadOnlyList<Charge> Charges, decimal Operations)
{
    /// <summary>Nothing spent.</summary>
    public static Bill Empty { get; } = new([], 0);

    /// <summary>All charges of one purpose as one, with the number of calls.</summary>
    public IEnumerable<(CallPurpose Purpose, int Calls, Charge Sum)> ByPurpose() =>
        Charges.GroupBy(c => c.Purpose).OrderBy(g => g.Key).Select(g => (g.Key, g.Count(), Sum(g.Key, g)));

    /// <summary>Prompt tokens of all calls.</summary>
    public long Input => Charges.Sum(c => c.Input);

    /// <summary>Cached prompt tokens of all calls.</summary>
    public long CachedInput => Charges.Sum(c => c.CachedInput);

    /// <summary>Generated tokens of all calls.</summary>
    public long Output => Charges.Sum(c => c.Output);

    /// <summary>This bill and another as one; operations add up.</summary>
    public Bill Plus(Bill other) => new([.. Charges, .. other.Charges], Operations + other.Operations);

    private static Charge Sum(CallPurpose purpose, IEnumerable<Charge> charges) => charges.Aggregate(
        new Charge(purpose, 0, 0, 0, 0, 0, false, TimeSpan.Zero),
        (a, c) => new Charge(purpose, a.Input + c.Input, a.CachedInput + c.CachedInput, a.Output + c.Output, a.Reasoning + c.Reasoning,
            a.Trained + c.Trained, a.Estimated || c.Estimated, a.Elapsed + c.Elapsed));
}

/// <summary>Relative prices of tokens. Full cost = uncached input × Input + cached input × CachedInput + output × Output + trained × Trained.</summary>
/// <remarks>
/// The defaults are in units of one uncached input token. Output: a decoded token is memory-bound and sold at about four prompt tokens.
/// Trained: forward and backward pass cost three forward passes (6·N against 2·N floating-point operations a token, arXiv 2001.08361).
/// </remarks>
public sealed record PriceSheet(string Name, decimal Input, decimal CachedInput, decimal Output, decimal Trained)
{
    /// <summary>The relative prices of the protocol.</summary>
    public static PriceSheet Relative { get; } = new("relative", 1m, 0.1m, 4m, 3m);

    /// <summary>The full cost of a charge, in this sheet's unit.</summary>
    public decimal Cost(Charge c) =>
        (c.Input - c.CachedInput) * Input + c.CachedInput * CachedInput + c.Output * Output + c.Trained * Trained;

    /// <summary>The full cost of a bill, in this sheet's unit.</summary>
    public decimal Cost(Bill bill) => bill.Charges.Sum(Cost);
}
