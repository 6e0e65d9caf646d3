namespace SpeedupLlm.Guard;

/// <summary>Accuracy from many judged answers and a few that somebody who knows has audited: the judge's bias, measured where both are known, is taken off (prediction-powered inference, arXiv 2301.09633).</summary>
/// <param name="Estimate">The accuracy, in [0, 1] but for chance.</param>
/// <param name="Low">The lower end of the 95 % interval.</param>
/// <param name="High">The upper end.</param>
/// <param name="Audited">How many answers were audited.</param>
/// <param name="JudgedOnly">How many were judged only.</param>
public sealed record AuditedAccuracy(double Estimate, double Low, double High, int Audited, int JudgedOnly)
{
    /// <summary>Fewer audited answers than this promise nothing: the interval is asymptotic.</summary>
    public const int LeastAudited = 20;

    /// <summary>Estimates; null with fewer than <see cref="LeastAudited"/> audited answers. Answers must be audited by chance, whatever the judge says of them.</summary>
    /// <param name="audited">What the judge gave, in [0, 1], and whether the answer is right.</param>
    /// <param name="judged">What the judge gave to the others.</param>
    public static AuditedAccuracy? Of(IReadOnlyList<(double Judge, bool IsRight)> audited, IReadOnlyList<double> judged)
    {
        ArgumentNullException.ThrowIfNull(audited);
        ArgumentNullException.ThrowIfNull(judged);
        if (audited.Count < LeastAudited)
            return null;
        var labels = audited.Select(a => a.IsRight ? 1.0 : 0).ToList();
        var auditedJudge = audited.Select(a => a.Judge).ToList();
        var weight = Weight(labels, auditedJudge, judged.Count);
        var bias = labels.Zip(auditedJudge, (y, f) => y - weight * f).ToList();
        var estimate = weight * (judged.Count > 0 ? judged.Average() : 0) + bias.Average();
        var error = Math.Sqrt(Variance(bias) / bias.Count + (judged.Count > 1 ? weight * weight * Variance(judged) / judged.Count : 0));
        return new(estimate, estimate - 1.96 * error, estimate + 1.96 * error, audited.Count, judged.Count);
    }

    /// <summary>How far the judge is trusted: what makes the interval shortest (PPI++, arXiv 2311.01453). A judge that says nothing gets 0.</summary>
    private static double Weight(List<double> labels, List<double> judge, int others)
    {
        var variance = Variance(judge);
        if (others == 0 || variance == 0)
            return 0;
        double meanLabel = labels.Average(), meanJudge = judge.Average();
        var covariance = labels.Zip(judge, (y, f) => (y - meanLabel) * (f - meanJudge)).Sum() / (labels.Count - 1);
        return Math.Clamp(covariance / (variance * (1 + labels.Count / (double)others)), 0, 1);
    }

    private static double Variance(IReadOnlyList<double> values)
    {
        var mean = values.Average();
        return values.Sum(v => (v - mean) * (v - mean)) / Math.Max(1, values.Count - 1);
    }
}
