using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Worlds.Riddles;

namespace SpeedupLlm.Worlds.Tests.Riddles;

public sealed class RiddleAttemptTests
{
    private static readonly CompactPrompts Prompts = new();

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void True_AnyRiddle_EndsInTheAnswer(string name) => Laws.Hold(500, random =>
    {
        var riddle = Riddle.Draw(random, Books.Of(name), Share.All);
        var attempt = RiddleAttempt.True(riddle);
        Assert.Equal(riddle.Answer, Prompts.Final(attempt.Text));
        Assert.Equal(attempt.Text, Prompts.Worked(attempt.Text));
        Assert.Equal(riddle.Pose.Clues.Count + 2, attempt.Steps.Count);
        Assert.StartsWith("Try " + RiddleContext.Lesson(riddle), attempt.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(" no.", attempt.Text, StringComparison.Ordinal);
        var read = ReadAttempt.Of(Prompts, attempt.Text, riddle);
        Assert.True(read.Holds && read.Sound(riddle) && read.Right(riddle));
    });

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void TryWith_AWrongRule_EndsAtTheFirstClueThatDoesNotFit(string name) => Laws.Hold(500, random =>
    {
        var riddle = Riddle.Draw(random, Books.Of(name));
        var wrong = riddle.NearMiss(random, []);
        var attempt = RiddleAttempt.TryWith(riddle, wrong)!;
        Assert.Null(attempt.Final);
        Assert.Null(Prompts.Final(attempt.Text));
        Assert.EndsWith(" no.", attempt.Text, StringComparison.Ordinal);
        Assert.Equal(attempt.Steps.Count - 2, attempt.Text.Split(" ok.").Length - 1);
        var segments = attempt.Segments().ToList();
        Assert.Equal((" " + wrong, 0f), (segments[1].Text, segments[1].Weight));
        Assert.Equal(attempt.Text, string.Concat(segments.Select(s => s.Text)));
        Assert.False(ReadAttempt.Of(Prompts, attempt.Text, riddle).Holds);
    });

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Verification_SoundAndHarmless_AreGood(string name) => Laws.Hold(500, random =>
    {
        var riddle = Riddle.Draw(random, Books.Of(name));
        Good(true, RiddleAttempt.True(riddle));
        Good(true, RiddleAttempt.WithHarmlessSlip(random, riddle));
    });

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Verification_SlipsForgedAndFailed_AreBad(string name) => Laws.Hold(500, random =>
    {
        var riddle = Riddle.Draw(random, Books.Of(name));
        Good(false, RiddleAttempt.WithSlip(random, riddle));
        Good(false, RiddleAttempt.WithOtherAnswer(random, riddle));
        var wrong = RiddleAttempt.Tempting(random, riddle);
        Good(false, RiddleAttempt.TryWith(riddle, wrong)!);
        foreach (var how in Enum.GetValues<Forgery>())
            if (RiddleAttempt.Forge(riddle, wrong, how) is { } forged)
            {
                Assert.DoesNotContain(" no.", forged.Text, StringComparison.Ordinal);
                Good(false, forged);
            }
    });

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Restated_AnyAttempt_CarriesTheRuleAndNoResult(string name) => Laws.Hold(300, random =>
    {
        var riddle = Riddle.Draw(random, Books.Of(name));
        var restated = RiddleVerification.Of(RiddleAttempt.True(riddle)).Restated;
        Assert.StartsWith(riddle.Rule + ". ", restated, StringComparison.Ordinal);
        Assert.Equal(1 + riddle.Pose.Clues.Count + riddle.Pose.Asked.Count, restated.Count(c => c == '.'));
        Assert.DoesNotContain("Answer", restated, StringComparison.Ordinal);
    });

    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Remark_OnAnyAttempt_NamesTheFirstFault(string name) => Laws.Hold(300, random =>
    {
        var riddle = Riddle.Draw(random, Books.Of(name));
        Assert.EndsWith($", Answer {riddle.Answer} ok.", RiddleVerification.Of(RiddleAttempt.True(riddle)).Remark, StringComparison.Ordinal);
        var slipped = RiddleAttempt.WithSlip(random, riddle);
        Assert.EndsWith($", Answer {slipped.Final} no.", RiddleVerification.Of(slipped).Remark, StringComparison.Ordinal);
        var wrong = RiddleAttempt.Tempting(random, riddle);
        var first = Enumerable.Range(0, riddle.Pose.Clues.Count).First(i => riddle.Check(wrong, i).Result != riddle.Given(i));
        foreach (var how in Enum.GetValues<Forgery>())
            if (RiddleAttempt.Forge(riddle, wrong, how) is { } forged)
                Assert.EndsWith(RiddleAttempt.Check(riddle.Check(wrong, first), riddle.Given(first), false), RiddleVerification.Of(forged).Remark, StringComparison.Ordinal);
    });

    private static void Good(bool expected, RiddleAttempt attempt)
    {
        var verification = RiddleVerification.Of(attempt);
        Assert.True(expected == verification.Good, attempt.Text + " | " + verification.Compared);
        Assert.Equal(expected ? 1 : 0, Prompts.ReadVerdict(verification.Compared).Value);
    }
}
