using System.Globalization;

namespace SpeedupLlm.Worlds.Tariffs;

/// <summary>What feedback says of an attempt (Self-Refine, arXiv 2303.17651): its checks made anew with its tariff, up to the first that does not hold.</summary>
/// <remarks>Reckoning comes first: a model that has to name the fault before it has reckoned finds none.</remarks>
internal static class Remarks
{
    /// <summary>Such as <c>8 + 9 = 17 + 5 = 22, bill 22 ok. 4 + 21 = 25 + 5 = 30, bill 31 no.</c> If all holds, the last says <c>ok</c> of the answer.</summary>
    public static string On(WorkedAttempt attempt)
    {
        var q = attempt.Question;
        var said = new List<string>();
        for (var i = 0; i < q.Bills.Count; i++)
        {
            var check = Reckoning.Price(attempt.Tariff, q.Bills[i]);
            var fits = check.Total == q.Bill(i);
            said.Add(WorkedAttempt.Check(check, q.Bill(i), fits));
            if (!fits)
                return string.Join(' ', said);
        }

        if (q.Kind == QuestionKind.Sum)
        {
            // the amount that it answers with is put to the test forwards
            var x = int.Parse(attempt.Final!, CultureInfo.InvariantCulture);
            var price = Reckoning.Price(attempt.Tariff, q.Orders[0] with { X = x });
            said.Add(string.Create(CultureInfo.InvariantCulture, $"{price.Text}, total {q.Sum} {(price.Total == q.Sum ? "ok" : "no")}."));
            return string.Join(' ', said);
        }

        var reckoned = q.Orders.Select(o => Reckoning.Price(attempt.Tariff, o)).ToList();
        var (sentence, answer) = WorkedAttempt.Conclude(q.Kind, reckoned.ConvertAll(r => r.Total));
        if (sentence.Length > 0)
            said.AddRange(reckoned.Select(r => r.Text + "."));
        var conclusion = sentence.Length > 0 ? sentence.TrimEnd('.') : reckoned[0].Text;
        said.Add($"{conclusion}, Answer {attempt.Final} {(string.Equals(answer, attempt.Final, StringComparison.Ordinal) ? "ok" : "no")}.");
        return string.Join(' ', said);
    }
}
