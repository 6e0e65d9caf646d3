namespace SpeedupLlm.Tests.Reasoning;

/// <summary>The sum of answers that adaptive Best-of-N draws over many questions: each min(geometric(p), N).</summary>
internal static class TruncatedGeometric
{
    /// <summary>The central interval that holds the sum with at least this probability, from its exact distribution (by convolution).</summary>
    public static (int Low, int High) Bound(double p, int n, int questions, double level)
    {
        var one = new double[n + 1];
        for (var k = 1; k <= n; k++)
            one[k] = k < n ? p * Math.Pow(1 - p, k - 1) : Math.Pow(1 - p, n - 1);
        var sum = new double[] { 1 };
        for (var q = 0; q < questions; q++)
        {
            var next = new double[sum.Length + n];
            for (var i = 0; i < sum.Length; i++)
            {
                if (sum[i] < 1e-300)
                    continue;
                for (var k = 1; k <= n; k++)
                    next[i + k] += sum[i] * one[k];
            }
            sum = next;
        }
        var tail = (1 - level) / 2;
        var below = 0.0;
        var low = 0;
        while ((below += sum[low]) < tail)
            low++;
        var above = 0.0;
        var high = sum.Length - 1;
        while ((above += sum[high]) < tail)
            high--;
        return (low, high);
    }
}
