using FsCheck;
using FsCheck.Fluent;
using SpeedupLlm.Scoring;

namespace SpeedupLlm.Tests.Scoring;

public sealed class EquationsScorerTests
{
    [Theory]
    [InlineData("8 + 9 = 17 + 5 = 22, bill 22 ok.", 2, 2)]
    [InlineData("8 + 9 = 16 + 5 = 21.", 1, 2)]
    [InlineData("8 + 9 = 17 + 5 = 23", 1, 2)]
    [InlineData("Try Orpi North charge 2 x + 3 y + 5. 8 + 9 = 17 + 5 = 22, bill 22 ok. Answer 30.", 2, 2)]
    [InlineData("3 * 4 = 12; 3 × 4 = 12; 3 · 4 = 12; 12 / 4 = 3; 12 ÷ 4 = 3", 5, 5)]
    [InlineData("7 − 10 = -3", 1, 1)]
    [InlineData("-3 + 5 = 2", 1, 1)]
    [InlineData("2 + 3 * 4 = 14", 1, 1)]
    [InlineData("2 + 3 * 4 = 20", 0, 1)]
    [InlineData("(2 + 3) * 4 = 20", 1, 1)]
    [InlineData("2 * (3 + (4 - 1)) = 12", 1, 1)]
    [InlineData("1,234 + 1 = 1,235", 1, 1)]
    [InlineData("0.1 + 0.2 = 0.3", 1, 1)]
    [InlineData("10 / 3 = 3.33", 1, 1)]
    [InlineData("10 / 3 = 3.34", 0, 1)]
    [InlineData("7 / 2 = 3", 0, 1)]
    [InlineData("20% * 50 = 10", 1, 1)]
    [InlineData("3 / 12 * 100 = 25%", 1, 1)]
    [InlineData("1 / 4 = 25%", 1, 1)]
    [InlineData("48/2 = <<48/2=24>>24 clips in May", 1, 1)]
    [InlineData("3 apples + 4 apples = 7 apples", 1, 1)]
    [InlineData("$5 * 3 = $15", 1, 1)]
    [InlineData("5 = 2 + 3", 1, 1)]
    [InlineData("5 = 5 + 3", 0, 1)]
    [InlineData("1 + 1 = 2 and 2 + 2 = 5", 1, 2)]
    [InlineData("4 / 0 = 0", 0, 1)]
    [InlineData("- 5 + 3 = 8\n* 2 + 2 = 4", 2, 2)]
    [InlineData("**8 + 9 = 17**", 1, 1)]
    [InlineData("3 \\times 4 + 1 = 13", 1, 1)]
    [InlineData("", 0, 0)]
    [InlineData("x = 8", 0, 0)]
    [InlineData("2 x + 8 = 10", 0, 0)]
    [InlineData("8 + 4 = 3x", 0, 0)]
    [InlineData("2^3 + 1 = 9", 0, 0)]
    [InlineData("3(4 + 5) = 27", 0, 0)]
    [InlineData("The answer = 5 apples", 0, 0)]
    [InlineData("4 = 7", 0, 0)]
    [InlineData("= + = -", 0, 0)]
    public void Check_Text_CountsEqualities(string text, int right, int all) => Assert.Equal((right, all), Equations.Check(text));

    [Fact]
    public void Check_AnyTrueSum_Holds() => Prop.ForAll<int, int, int>((a, b, c) =>
        Equations.Check(FormattableString.Invariant($"{a} + {Math.Abs((long)b)} - {Math.Abs((long)c)} = {(long)a + Math.Abs((long)b) - Math.Abs((long)c)}")) == (1, 1))
        .QuickCheckThrowOnFailure();

    [Fact]
    public void Check_AnyWrongProduct_DoesNotHold() => Prop.ForAll<int, int, NonZeroInt>((a, b, off) =>
        Equations.Check(FormattableString.Invariant($"{a} * {b} = {(long)a * b + off.Get}")) == (0, 1))
        .QuickCheckThrowOnFailure();

    [Fact]
    public void Check_AnyText_NeverThrows() => Prop.ForAll<string>(text =>
    {
        var (right, all) = Equations.Check(text ?? "");
        return right <= all;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Check_ManyBrackets_AreNoExpression() =>
        Assert.Equal((0, 0), Equations.Check(new string('(', 100_000) + "1 + 1" + new string(')', 100_000) + " = 2"));
}
