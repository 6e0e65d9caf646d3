namespace SpeedupLlm.Benchmark.Statistics;

/// <summary>Which of many hypotheses to reject so that the expected share of false rejections stays below q (Benjamini and Hochberg 1995).</summary>
internal static class BenjaminiHochberg
{
    /// <summary>Rejections, in the order of <paramref name="pValues"/>. A null p-value is not tested and never rejected.</summary>
    public static bool[] Reject(IReadOnlyList<double?> pValues, double q)
    {
        var tested = Enumerable.Range(0, pValues.Count).Where(i => pValues[i] is not null).OrderBy(i => pValues[i]).ThenBy(i => i).ToArray();
        var last = -1;
        for (var rank = 0; rank < tested.Length; rank++)
        {
            if (pValues[tested[rank]] <= q * (rank + 1) / tested.Length)
                last = rank;
        }

        var rejected = new bool[pValues.Count];
        for (var rank = 0; rank <= last; rank++)
            rejected[tested[rank]] = true;
        return rejected;
    }
}
