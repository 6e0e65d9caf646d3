using System.Globalization;

namespace SpeedupLlm.Benchmark.Streaming;

/// <summary>How questions stand to those before them: shares that sum to 1.</summary>
/// <param name="New">A topic that was never asked about.</param>
/// <param name="S1">The topic's base question again.</param>
/// <param name="S2">The same in other words.</param>
/// <param name="S3">The same with other numbers.</param>
/// <param name="S4">Another question about the topic.</param>
public sealed record WorkloadMix(double New, double S1, double S2, double S3, double S4)
{
    internal IReadOnlyList<(string Kind, double Share)> Shares => [("new", New), ("S1", S1), ("S2", S2), ("S3", S3), ("S4", S4)];

    /// <summary>Reads <c>new:20,S1:10,S2:20,S3:30,S4:20</c>: weights of any sum; what is left out is 0.</summary>
    /// <exception cref="FormatException">It is malformed.</exception>
    public static WorkloadMix Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var weights = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (part.Split(':') is not [var kind, var number] || kind is not ("new" or "S1" or "S2" or "S3" or "S4")
                || !double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var weight) || !(weight >= 0) || !weights.TryAdd(kind, weight))
                throw new FormatException($"A mix is like new:20,S1:10,S2:20,S3:30,S4:20, not '{text}'.");
        }

        var sum = weights.Values.Sum();
        if (!(weights.GetValueOrDefault("new") > 0) || double.IsInfinity(sum))
            throw new FormatException($"A mix has some new topics, unlike '{text}'.");
        double Share(string kind) => weights.GetValueOrDefault(kind) / sum;
        return new(Share("new"), Share("S1"), Share("S2"), Share("S3"), Share("S4"));
    }

    /// <summary>As it is read.</summary>
    public override string ToString() => string.Join(',', Shares.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Kind}:{100 * s.Share:0.##}")));
}

/// <summary>A workload in time order.</summary>
public sealed record WorkloadOptions
{
    /// <summary>How many questions, at least 20. Default 2,000.</summary>
    public int Questions { get; init; } = 2000;

    /// <summary>The exponent of Zipf's law over topics in the order of their first question: the first is asked most. From 0 (all alike); default 1.</summary>
    public double Zipf { get; init; } = 1;

    /// <summary>How questions stand to those before. Default 20 % new, 10 % S1, 20 % S2, 30 % S3, 20 % S4.</summary>
    public WorkloadMix Mix { get; init; } = new(0.2, 0.1, 0.2, 0.3, 0.2);

    /// <summary>After this share of the questions every second topic changes its rule, where the data's rules can change. In (0, 1]; 1 is never. Default 0.5.</summary>
    public double ChangeAfter { get; init; } = 0.5;

    internal void Validate()
    {
        if (Questions < 20)
            throw new ArgumentException("A stream has at least 20 questions.");
        if (!(Zipf is >= 0 and <= 10))
            throw new ArgumentException("Zipf's exponent is from 0 to 10.");
        if (!(ChangeAfter is > 0 and <= 1))
            throw new ArgumentException("Rules change after a share of the questions in (0, 1].");
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Questions} questions, zipf {Zipf}, mix {Mix}, change after {ChangeAfter}");
}
