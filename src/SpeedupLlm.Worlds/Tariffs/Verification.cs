using System.Globalization;

namespace SpeedupLlm.Worlds.Tariffs;

/// <summary>What the judge writes: the work restated without results, worked out blind, and compared (factored verification, arXiv 2309.11495).</summary>
/// <param name="Restated">The attempt's tariff, the amounts of the bills and orders, the kind of question. A <see cref="QuestionKind.Sum"/> order carries the x that the attempt answers with, and is verified forwards.</param>
/// <param name="Verified">The reckonings of all that, and the conclusion.</param>
/// <param name="Compared">
/// Each result beside what the question or the attempt says, up to the first that differs, and the verdict. Written like the checks of an attempt,
/// whole reckonings copied and with the attempt's own words for bill and answer, so that it is a skill that attempts train too; of results alone a
/// small model reads out what it expects to be equal.
/// </param>
/// <param name="Good">The verdict.</param>
internal sealed record Verification(string Restated, string Verified, string Compared, bool Good)
{
    /// <summary>Verifies an attempt; null if it answers a <see cref="QuestionKind.Sum"/> question with nothing to reckon with.</summary>
    public static Verification? Of(WorkedAttempt attempt)
    {
        var q = attempt.Question;
        var orders = q.Orders;
        if (q.Kind == QuestionKind.Sum)
        {
            if (!int.TryParse(attempt.Final, NumberStyles.None, CultureInfo.InvariantCulture, out var x))
                return null;
            orders = [new(x, q.Orders[0].Y)];
        }

        var reckoned = orders.Select(o => Reckoning.Price(attempt.Tariff, o)).ToList();
        var compared = new List<string>();
        var good = true;
        void Compare(string reckoning, string label, string ours, string theirs)
        {
            if (!good)
                return;
            good = string.Equals(ours, theirs, StringComparison.Ordinal);
            compared.Add($"{reckoning}, {label} {theirs} {(good ? "ok" : "no")}.");
        }

        for (var i = 0; i < q.Bills.Count; i++)
        {
            var check = Reckoning.Price(attempt.Tariff, q.Bills[i]);
            Compare(check.Text, "bill", Number(check.Total), Number(q.Bill(i)));
        }

        var (sentence, answer) = WorkedAttempt.Conclude(q.Kind, reckoned.ConvertAll(r => r.Total));
        var conclusion = sentence.Length > 0 ? sentence.TrimEnd('.') : reckoned[0].Text;
        if (q.Kind == QuestionKind.Sum)
            Compare(conclusion, "total", Number(reckoned[0].Total), Number(q.Sum));
        else if (attempt.Final is { } final)
            Compare(conclusion, "Answer", answer, final);
        else
            good = false;
        compared.Add(good ? "good" : "bad");
        return new(Restate(attempt.Tariff, q.Bills, q.Kind, orders), Verify(attempt.Tariff, q.Bills, q.Kind, orders), string.Join(' ', compared), good);
    }

    /// <summary>What has to be worked out.</summary>
    public static string Restate(Tariff tariff, IReadOnlyList<Order> bills, QuestionKind kind, IReadOnlyList<Order> orders) =>
        $"{tariff.Text}. {Amounts(bills)} {kind.ToString().ToLowerInvariant()} {Amounts(orders)}";

    /// <summary>Worked out.</summary>
    public static string Verify(Tariff tariff, IReadOnlyList<Order> bills, QuestionKind kind, IReadOnlyList<Order> orders)
    {
        var sentences = bills.Concat(orders).Select(o => Reckoning.Price(tariff, o).Text + ".").ToList();
        if (WorkedAttempt.Conclude(kind, [.. orders.Select(o => Reckoning.Price(tariff, o).Total)]).Sentence is { Length: > 0 } conclusion)
            sentences.Add(conclusion);
        return string.Join(' ', sentences);
    }

    private static string Amounts(IEnumerable<Order> orders) =>
        string.Join(' ', orders.Select(o => string.Create(CultureInfo.InvariantCulture, $"{o.X}, {o.Y}.")));

    private static string Number(int n) => n.ToString(CultureInfo.InvariantCulture);
}
