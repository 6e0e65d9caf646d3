using System.Globalization;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Worlds.Tariffs;

/// <summary>How the checks of an attempt are forged.</summary>
internal enum Forgery
{
    /// <summary>Reckoned rightly and called ok all the same.</summary>
    Ignored,

    /// <summary>The reckoning ends at the bill.</summary>
    Bent,

    /// <summary>Another bill is named than the question's.</summary>
    Misquoted,
}

/// <summary>A try of one tariff at a question, as the reasoner writes it: the tariff, a check of each bill, the answer. It ends at the first bill that does not fit.</summary>
/// <remarks>
/// A check's reckoning stands before the bill is named, so that it has a place of its own to be reckoned and cannot be copied from the bill beside it.
/// The firm is named in each try: what is never written is never matched.
/// </remarks>
/// <param name="Question">What is asked.</param>
/// <param name="Tariff">The tariff that is tried.</param>
/// <param name="Steps">What is proposed at a time: the tariff, the first check, the second check, the reckoning of what is asked with the answer.</param>
/// <param name="Final">The final answer, or null if a check failed.</param>
internal sealed record WorkedAttempt(TariffQuestion Question, Tariff Tariff, IReadOnlyList<string> Steps, string? Final)
{
    /// <summary>The whole text.</summary>
    public string Text => string.Join(' ', Steps);

    /// <summary>Whether it comes to an answer.</summary>
    public bool Holds => Final is not null;

    /// <summary>What is learnt of it: all, but of a failing try not the tariff.</summary>
    public IEnumerable<Segment> Segments(string before = "")
    {
        if (Holds)
            return [new(before + Text, 1)];
        var opening = $"Try {Question.Firm.Name} charge";
        return [new(before + opening, 1), new(" " + Tariff.Text, 0), new(Text[(opening.Length + 1 + Tariff.Text.Length)..], 1)];
    }

    /// <summary>The sound attempt with the true tariff.</summary>
    public static WorkedAttempt True(TariffQuestion q) => With(q, q.Tariff);

    /// <summary>The honest attempt with a tariff: ends at the first bill that does not fit. Null if the tariff fits and still gives no answer.</summary>
    public static WorkedAttempt? TryWith(TariffQuestion q, Tariff tariff)
    {
        var steps = new List<string> { $"Try {q.Firm.Name} charge {tariff.Text}." };
        for (var i = 0; i < q.Bills.Count; i++)
        {
            var r = Reckoning.Price(tariff, q.Bills[i]);
            var fits = r.Total == q.Bill(i);
            steps.Add(Check(r, q.Bill(i), fits));
            if (!fits)
                return new(q, tariff, steps, null);
        }

        return Reckon(q, tariff) is { } reckoned ? Ended(q, tariff, steps, reckoned) : null;
    }

    /// <summary>The honest attempt, where it is known to exist.</summary>
    public static WorkedAttempt With(TariffQuestion q, Tariff tariff) =>
        TryWith(q, tariff) ?? throw new ArgumentException("The tariff fits the bills and gives no answer.", nameof(tariff));

    /// <summary>An attempt that says <c>ok</c> to bills that do not fit. Null if the tariff gives no answer.</summary>
    public static WorkedAttempt? Forge(TariffQuestion q, Tariff tariff, Forgery how)
    {
        if (Reckon(q, tariff) is not { } reckoned)
            return null;
        var steps = new List<string> { $"Try {q.Firm.Name} charge {tariff.Text}." };
        for (var i = 0; i < q.Bills.Count; i++)
        {
            var r = Reckoning.Price(tariff, q.Bills[i]);
            steps.Add(Check(how == Forgery.Bent ? r.Bent(q.Bill(i)) : r, how == Forgery.Misquoted ? r.Total : q.Bill(i), true));
        }

        return Ended(q, tariff, steps, reckoned);
    }

    /// <summary>The true tariff with a slip on the way to the answer, which is wrong then.</summary>
    public static WorkedAttempt WithSlip(StreamRandom random, TariffQuestion q)
    {
        var steps = True(q).Steps.Take(1 + q.Bills.Count).ToList();
        for (var tries = 0; tries < 20; tries++)
        {
            var reckoned = Reckon(q, q.Tariff)!;
            var at = random.Next(reckoned.Count);
            reckoned[at] = reckoned[at].Slip(random);
            var slipped = Ended(q, q.Tariff, steps, reckoned);
            if (!string.Equals(slipped.Final, q.Answer, StringComparison.Ordinal) && (q.Kind != QuestionKind.Sum || reckoned[0].Total is >= 1 and <= 9))
                return slipped;
        }

        return WithOtherAnswer(random, q);
    }

    /// <summary>The true tariff and reckoning, and an answer that does not follow from it.</summary>
    public static WorkedAttempt WithOtherAnswer(StreamRandom random, TariffQuestion q)
    {
        var right = True(q);
        string other;
        if (q.Kind == QuestionKind.Cheaper)
            other = right.Final == "first" ? "second" : "first";
        else
            do
                other = Reckoning.Wrong(random, int.Parse(q.Answer, CultureInfo.InvariantCulture)).ToString(CultureInfo.InvariantCulture);
            while (q.Kind == QuestionKind.Sum && other is not [>= '1' and <= '9']);
        var last = right.Steps[^1];
        return right with { Steps = [.. right.Steps.SkipLast(1), last[..last.LastIndexOf("Answer ", StringComparison.Ordinal)] + $"Answer {other}."], Final = other };
    }

    /// <summary>The true tariff and answer with a slip in one check that is called ok all the same: untidy, and right.</summary>
    public static WorkedAttempt WithHarmlessSlip(StreamRandom random, TariffQuestion q)
    {
        var right = True(q);
        var at = random.Next(q.Bills.Count);
        var slipped = Reckoning.Price(q.Tariff, q.Bills[at]).Slip(random);
        return right with { Steps = [.. right.Steps.Select((s, i) => i == at + 1 ? Check(slipped, q.Bill(at), true) : s)] };
    }

    /// <summary>The sentence that holds a reckoning against a bill.</summary>
    public static string Check(Reckoning reckoning, int bill, bool fits) =>
        string.Create(CultureInfo.InvariantCulture, $"{reckoning.Text}, bill {bill} {(fits ? "ok" : "no")}.");

    /// <summary>What has to be reckoned for the answer; null if the tariff cannot give one.</summary>
    private static List<Reckoning>? Reckon(TariffQuestion q, Tariff tariff) =>
        q.Kind != QuestionKind.Sum ? [.. q.Orders.Select(o => Reckoning.Price(tariff, o))]
        : Reckoning.Quantity(tariff, q.Orders[0].Y, q.Sum) is { } r ? [r] : null;

    private static WorkedAttempt Ended(TariffQuestion q, Tariff tariff, IEnumerable<string> steps, List<Reckoning> reckoned)
    {
        var totals = reckoned.ConvertAll(r => r.Total);
        var (conclusion, answer) = Conclude(q.Kind, totals);
        var written = string.Join(' ', reckoned.Select(r => r.Text + "."));
        var last = $"{written}{(conclusion.Length > 0 ? " " + conclusion : "")} Answer {answer}.";
        return new(q, tariff, [.. steps, last], answer);
    }

    /// <summary>From the results of the orders to the answer: a sentence, where one is needed, and the answer.</summary>
    public static (string Sentence, string Answer) Conclude(QuestionKind kind, IReadOnlyList<int> totals)
    {
        switch (kind)
        {
            case QuestionKind.Diff:
                var difference = (totals[0] - totals[1]).ToString(CultureInfo.InvariantCulture);
                return (string.Create(CultureInfo.InvariantCulture, $"{totals[0]} - {totals[1]} = {difference}."), difference);
            case QuestionKind.Cheaper:
                var which = totals[0] < totals[1] ? "first" : "second";
                return (string.Create(CultureInfo.InvariantCulture, $"{totals[0]}, {totals[1]} {which}."), which);
            default:
                return ("", totals[0].ToString(CultureInfo.InvariantCulture));
        }
    }
}
