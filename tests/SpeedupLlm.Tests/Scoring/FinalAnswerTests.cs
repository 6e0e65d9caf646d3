using SpeedupLlm.Scoring;

namespace SpeedupLlm.Tests.Scoring;

public sealed class FinalAnswerTests
{
    [Theory]
    [InlineData("So 3 + 4 = 7.\nAnswer: 7", "7")]
    [InlineData("Answer: 7\n", "7")]
    [InlineData("**Answer:** 7 apples.", "7 apples")]
    [InlineData("Answer: **7**", "7")]
    [InlineData("Final Answer: $7$", "7")]
    [InlineData("Answer:\n\n7", "7")]
    [InlineData("Answer: 5\nNo, wait. Answer: 7", "7")]
    [InlineData("Thus … #### 70,000", "70,000")]
    [InlineData("#### -$38,000\nThe answer is: -$38,000", "-$38,000")]
    [InlineData("The answer is 3.5. I am sure.", "3.5")]
    [InlineData("The answer is 7 because 3 + 4 = 7.", "7")]
    [InlineData("The answer to the question is 7.", "7")]
    [InlineData("We get \\boxed{42}.", "42")]
    [InlineData("We get \\boxed{\\frac{1}{2}} of 12.", "\\frac{1}{2}")]
    [InlineData("The final answer is $\\boxed{12}$.", "12")]
    [InlineData("Answer: \\(12\\)", "12")]
    [InlineData("\\boxed{12", "12")]
    [InlineData("Answer: (B) Paris", "(B) Paris")]
    [InlineData("答案是三百二十五。", "三百二十五")]
    [InlineData("最终答案：42 元。谢谢", "42 元")]
    [InlineData("<think>Answer: 5</think>\nAnswer: 7", "7")]
    [InlineData("She has 3 bags with 4 apples, 12 in all.", "12")]
    [InlineData("It costs $1,234.50!", "$1,234.50")]
    [InlineData("It is 1/2 of that.", "1/2")]
    [InlineData("It falls by −5.", "-5")]
    [InlineData("Paris.", "Paris")]
    [InlineData("Answer:", null)]
    [InlineData("", null)]
    [InlineData("   \n", null)]
    [InlineData(null, null)]
    [InlineData("I have thought about it for long\nand cannot say.", null)]
    public void Extract_Text_GivesFinalAnswer(string? text, string? expected) => Assert.Equal(expected, FinalAnswer.Extract(text));

    [Theory]
    [InlineData("3 + 4 = 7", null)]
    [InlineData("The answer is 7.", "7")]
    public void Marked_WithoutMarker_IsNull(string text, string? expected) => Assert.Equal(expected, FinalAnswer.Marked(text));
}
