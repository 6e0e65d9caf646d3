using SpeedupLlm.Prompts;
using SpeedupLlm.Worlds.Tariffs;

namespace SpeedupLlm.Worlds.Tests.Tariffs;

public sealed class WorkedAttemptTests
{
    private static readonly CompactPrompts Prompts = new();

    [Fact]
    public void True_AnyQuestion_EndsInTheAnswer() => Laws.Hold(1000, random =>
    {
        var q = TariffQuestion.Draw(random, Share.All);
        var attempt = WorkedAttempt.True(q);
        Assert.Equal(q.Answer, Prompts.Final(attempt.Text));
        Assert.Equal(attempt.Text, Prompts.Worked(attempt.Text));
        Assert.Equal(4, attempt.Steps.Count);
        Assert.StartsWith($"Try {q.Firm.Name} charge {q.Tariff.Text}. ", attempt.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(" no.", attempt.Text, StringComparison.Ordinal);
        Assert.Equal("Answer", attempt.Steps[^1].Split(' ')[^2]);
    });

    [Fact]
    public void TryWith_AWrongTariff_EndsAtTheFirstBillThatDoesNotFit() => Laws.Hold(1000, random =>
    {
        var q = TariffQuestion.Draw(random);
        if (NearMiss.Draw(random, q) is not { } wrong)
            return;
        var attempt = WorkedAttempt.TryWith(q, wrong)!;
        Assert.Null(Prompts.Final(attempt.Text));
        Assert.EndsWith(" no.", attempt.Text, StringComparison.Ordinal);
        Assert.Equal(ReckoningTests.PlainPrice(wrong.Text, q.Bills[0].X, q.Bills[0].Y) == q.Bill(0) ? 3 : 2, attempt.Steps.Count);
        var segments = attempt.Segments().ToList();
        Assert.Equal([1f, 0f, 1f], segments.Select(s => s.Weight));
        Assert.Equal(" " + wrong.Text, segments[1].Text);
        Assert.Equal(attempt.Text, string.Concat(segments.Select(s => s.Text)));
    });

    [Fact]
    public void Verification_SoundAndHarmless_AreGood() => Laws.Hold(1000, random =>
    {
        var q = TariffQuestion.Draw(random);
        Good(true, WorkedAttempt.True(q));
        Good(true, WorkedAttempt.WithHarmlessSlip(random, q));
    });

    [Fact]
    public void Verification_SlipsAndForgedChecks_AreBad() => Laws.Hold(1000, random =>
    {
        var q = TariffQuestion.Draw(random);
        Good(false, WorkedAttempt.WithSlip(random, q));
        Good(false, WorkedAttempt.WithOtherAnswer(random, q));
        if (NearMiss.Draw(random, q) is { } wrong)
            foreach (var how in Enum.GetValues<Forgery>())
                if (WorkedAttempt.Forge(q, wrong, how) is { } forged)
                {
                    Assert.DoesNotContain(" no.", forged.Text, StringComparison.Ordinal);
                    Good(false, forged);
                }
    });

    [Fact]
    public void Restated_AnyAttempt_CarriesNoResult() => Laws.Hold(500, random =>
    {
        var q = TariffQuestion.Draw(random);
        var attempt = WorkedAttempt.True(q);
        var restated = Verification.Of(attempt)!.Restated;
        var amounts = q.Bills.Concat(q.Orders).Select(o => FormattableString.Invariant($"{o.X}, {o.Y}.")).ToList();
        var kind = q.Kind.ToString().ToLowerInvariant();
        Assert.Equal($"{q.Tariff.Text}. {amounts[0]} {amounts[1]} {kind} {string.Join(' ', amounts.Skip(2))}", restated);
    });

    [Fact]
    public void Remark_OnAnyAttempt_NamesTheFirstFault() => Laws.Hold(1000, random =>
    {
        var q = TariffQuestion.Draw(random);
        Assert.Matches("^[^.]+ ok[.] [^.]+ ok[.].* (Answer|total) (\\d+|first|second) ok[.]$", Remarks.On(WorkedAttempt.True(q)));
        Assert.Matches("^[^.]+ ok[.] [^.]+ ok[.].* (Answer|total) (-?\\d+|first|second) no[.]$", Remarks.On(WorkedAttempt.WithSlip(random, q)));
        if (NearMiss.Draw(random, q) is not { } wrong)
            return;
        var first = q.Bills.ToList().FindIndex(b => ReckoningTests.PlainPrice(wrong.Text, b.X, b.Y) != ReckoningTests.PlainPrice(q.Tariff.Text, b.X, b.Y));
        foreach (var how in Enum.GetValues<Forgery>())
            if (WorkedAttempt.Forge(q, wrong, how) is { } forged)
            {
                var remark = Remarks.On(forged);
                Assert.Equal(first, remark.Split(" ok.").Length - 1);
                Assert.EndsWith(FormattableString.Invariant($", bill {q.Bill(first)} no."), remark, StringComparison.Ordinal);
                Assert.Equal(Remarks.On(WorkedAttempt.TryWith(q, wrong)!), remark);
            }
    });

    [Fact]
    public void Example_OfTheBrief_ReadsLikeThis()
    {
        var q = new TariffQuestion(new("Orpi", "North"), Service.All[0], Tariff.Parse("2 x + 3 y + 5")!, QuestionKind.Price, [new(4, 3), new(2, 7)], [new(5, 5)], 0, 0);
        Assert.Equal("Orpi North posts parcels. 4 km and 3 kg cost 22. 2 km and 7 kg cost 30. What do 5 km and 5 kg cost?", q.Text);
        var attempt = WorkedAttempt.True(q);
        Assert.Equal(
            "Try Orpi North charge 2 x + 3 y + 5. 8 + 9 = 17 + 5 = 22, bill 22 ok. 4 + 21 = 25 + 5 = 30, bill 30 ok. 10 + 15 = 25 + 5 = 30. Answer 30.", attempt.Text);
        var verification = Verification.Of(attempt)!;
        Assert.Equal("2 x + 3 y + 5. 4, 3. 2, 7. price 5, 5.", verification.Restated);
        Assert.Equal("8 + 9 = 17 + 5 = 22. 4 + 21 = 25 + 5 = 30. 10 + 15 = 25 + 5 = 30.", verification.Verified);
        Assert.Equal("8 + 9 = 17 + 5 = 22, bill 22 ok. 4 + 21 = 25 + 5 = 30, bill 30 ok. 10 + 15 = 25 + 5 = 30, Answer 30 ok. good", verification.Compared);
        Assert.Equal("Orpi North charge 2 x + 3 y + 5.", Context.Lesson(q.Firm, q.Tariff));
    }

    private static void Good(bool expected, WorkedAttempt attempt)
    {
        var verification = Verification.Of(attempt)!;
        Assert.True(expected == verification.Good, attempt.Text + " | " + verification.Compared);
        Assert.Equal(expected ? 1 : 0, Prompts.ReadVerdict(verification.Compared).Value);
    }
}
