namespace SpeedupLlm.Compute;

/// <summary>Hard caps of one question. Null is no cap. A call that could pass a cap is not made, or is cut to what is left; the best attempt so far comes back with the stop reason <c>budget</c>.</summary>
/// <remarks>Everything counts: solving, scoring, recalling. Learning comes after the answer and has a budget of its own.</remarks>
public sealed record Budget
{
    /// <summary>No caps.</summary>
    public static Budget Unlimited { get; } = new();

    /// <summary>Model calls.</summary>
    public int? Calls { get; init; }

    /// <summary>Input and output tokens together, cached ones counted fully.</summary>
    public long? Tokens { get; init; }

    /// <summary>Full cost in the units of the solver's price sheet.</summary>
    public decimal? Money { get; init; }

    /// <summary>Wall-clock time. Not for benchmarks: it makes results depend on the machine.</summary>
    public TimeSpan? Time { get; init; }

    /// <summary>Checks ranges: a cap of 0 is allowed and means that no call is made.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A cap is negative.</exception>
    internal void Validate()
    {
        if (Calls < 0 || Tokens < 0 || Money < 0 || Time < TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(nameof(Budget), this, "A cap is not negative.");
    }
}

/// <summary>A hard cap was reached before the call. Remedy: a larger <see cref="Budget"/>.</summary>
public sealed class BudgetExceededException(string cap, Budget budget) : Exception($"The budget's cap on {cap} is reached.")
{
    /// <summary>Which cap: <c>calls</c>, <c>tokens</c>, <c>money</c> or <c>time</c>.</summary>
    public string Cap { get; } = cap;

    /// <summary>The budget.</summary>
    public Budget Budget { get; } = budget;
}
