using System.Globalization;

namespace SpeedupLlm.Reasoning;

/// <summary>When <see cref="SelfConsistency"/> has seen enough answers.</summary>
public abstract record ConsistencyStop
{
    private const string Valid = "adaptive-consistency[:P] with 0.5 ≤ P < 1, esc[:W] with W ≥ 2, none";

    private protected ConsistencyStop()
    {
    }

    /// <summary>Reads <c>adaptive-consistency[:P]</c>, <c>esc[:W]</c> or <c>none</c>.</summary>
    /// <exception cref="FormatException">It is none of these; the message says what is valid.</exception>
    public static ConsistencyStop Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split(':', 2);
        try
        {
            return (parts[0], parts.Length == 2 ? parts[1] : null) switch
            {
                ("adaptive-consistency", null) => new AdaptiveConsistency(),
                ("adaptive-consistency", { } p) => new AdaptiveConsistency(double.Parse(p, NumberStyles.Float, CultureInfo.InvariantCulture)),
                ("esc", null) => new EarlyStoppingConsistency(),
                ("esc", { } w) => new EarlyStoppingConsistency(int.Parse(w, NumberStyles.None, CultureInfo.InvariantCulture)),
                ("none", null) => new NeverStop(),
                _ => throw new FormatException(),
            };
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentOutOfRangeException)
        {
            throw new FormatException($"Unknown stopping rule '{text}'. Valid: {Valid}.", e);
        }
    }

    /// <summary>Whether the votes so far are enough.</summary>
    internal abstract bool IsEnough(Votes votes);
}

/// <summary>All N samples: plain Self-Consistency.</summary>
public sealed record NeverStop : ConsistencyStop
{
    internal override bool IsEnough(Votes votes) => false;
}

/// <summary>Adaptive-Consistency (arXiv 2305.11860), Beta rule: stops once the leading answer stays ahead of the second with more than this probability.</summary>
/// <remarks>With v₁ and v₂ votes, the chance that an answer drawn from these two is the first is Beta(v₁+1, v₂+1); the rule looks at the part of it above ½.</remarks>
public sealed record AdaptiveConsistency : ConsistencyStop
{
    /// <summary>Takes the confidence, in [0.5, 1); default 0.95.</summary>
    public AdaptiveConsistency(double confidence = 0.95)
    {
        if (!(confidence is >= 0.5 and < 1))
            throw new ArgumentOutOfRangeException(nameof(confidence), confidence, "A probability in [0.5, 1).");
        Confidence = confidence;
    }

    /// <summary>How sure is sure enough.</summary>
    public double Confidence { get; }

    internal override bool IsEnough(Votes votes) => votes.Leading > 0 && StaysAhead(votes.Leading, votes.Second) > Confidence;

    /// <summary>P(X &gt; ½) for X ~ Beta(v₁+1, v₂+1), which is P(Binomial(v₁+v₂+1, ½) ≤ v₁).</summary>
    internal static double StaysAhead(int leading, int second)
    {
        var n = leading + second + 1;
        var term = Math.Pow(0.5, n);
        var sum = term;
        for (var k = 1; k <= leading; k++)
        {
            term *= (n - k + 1) / (double)k;
            sum += term;
        }
        return sum;
    }
}

/// <summary>Early-stopping Self-Consistency (ESC, arXiv 2401.10480): samples in windows, consecutive blocks of this many, and stops after a window whose answers all agree.</summary>
public sealed record EarlyStoppingConsistency : ConsistencyStop
{
    /// <summary>Takes the window, ≥ 2; default 4.</summary>
    public EarlyStoppingConsistency(int window = 4)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 2);
        Window = window;
    }

    /// <summary>Samples a window.</summary>
    public int Window { get; }

    internal override bool IsEnough(Votes votes)
    {
        for (var from = 0; from + Window <= votes.ClassOf.Count; from += Window)
        {
            var block = votes.ClassOf.Skip(from).Take(Window).ToList();
            if (block[0] is not null && block.TrueForAll(c => c == block[0]))
                return true;
        }
        return false;
    }
}
