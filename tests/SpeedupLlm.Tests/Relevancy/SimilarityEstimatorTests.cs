using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Tests.Relevancy;

public sealed class SimilarityEstimatorTests
{
    private const string Asked = "Orpi North posts parcels. 4 km and 3 kg cost 22. What do 5 km and 5 kg cost?";

    private static readonly HashedNgramEmbedder Embedder = new();

    [Theory]
    [InlineData(Asked, Asked, SimilarityLevel.S1)]
    [InlineData(Asked, "orpi north posts parcels; four km and three kg cost 22 … What do 5.0 km and 5 kg cost", SimilarityLevel.S1)]
    [InlineData(Asked, "At Orpi North, posting parcels of 4 km and 3 kg cost 22. What would 5 km and 5 kg cost?", SimilarityLevel.S2)]
    [InlineData(Asked, "Orpi North posts parcels. 2 km and 9 kg cost 31. What do 8 km and 1 kg cost?", SimilarityLevel.S3)]
    [InlineData(Asked, "Orpi South posts parcels. 6 km and 2 kg cost 25, 7 km and 7 kg cost 40. Which costs more, 1 km and 5 kg or 3 km and 2 kg?", SimilarityLevel.S4)]
    [InlineData("Half of the 48 guests of Ms. Rivera left after 3 hours. How many stayed?", "There were 48 guests at Rivera's. Three hours later 50 % had gone. What number remained?", SimilarityLevel.S2)]
    [InlineData(Asked, "Velda South posts parcels. 2 km and 9 kg cost 31. What do 8 km and 1 kg cost?", SimilarityLevel.Unrelated)]
    [InlineData(Asked, "Which river flows through the capital of Hungary?", SimilarityLevel.Unrelated)]
    [InlineData(Asked, "", SimilarityLevel.Unrelated)]
    public void Estimate_TariffQuestions_GivesTheLevel(string asked, string remembered, SimilarityLevel level)
    {
        var relevance = Estimate(asked, remembered);
        Assert.Equal(level, relevance.Level);
        Assert.InRange(relevance.Confidence, 0.4, 1);
    }

    [Theory]
    [InlineData("Is 4 km more than 3 kg?", "Is 3 km more than 4 kg?", SimilarityLevel.S3)]
    [InlineData("May members enter the club after 22?", "May members not enter the club after 22?", SimilarityLevel.S4)]
    [InlineData("How long do 6 trucks take to carry 40 km of cable?", "For carrying 40 miles of cable, what time do 6 trucks need?", SimilarityLevel.S4)]
    [InlineData("Ann gave Ben 7 of her 12 coins. How many has Ann?", "Ann gave Ben 7 of her 12 coins and lost 3. How many has Ann?", SimilarityLevel.S3)]
    [InlineData("Ann gave Ben 7 of her 12 coins. How many has Ann?", "Ann gave Ben some of her 12 coins. How many has Ann?", SimilarityLevel.S3)]
    [InlineData("Ann gave Ben 7 of her 12 coins. How many has Ann?", "Ben gave Ann 7 of her 12 coins. How many has Ann?", SimilarityLevel.S4)]
    public void Estimate_NearlyTheSame_IsNeverTheSameQuestion(string asked, string remembered, SimilarityLevel level) =>
        Assert.Equal(level, Estimate(asked, remembered).Level);

    [Theory]
    [InlineData("4 km, 1,000.50 kg and -3 or 6/4", "4 2001/2 -3 3/2")]
    [InlineData("twenty-five and one hundred and five, 3 million", "25 105 3000000")]
    [InlineData("三百二十五 and 一起 ٣", "325 3")]
    [InlineData("10-3, x2, (5), 1.2.3", "10 3 2 5 6/5 3")]
    [InlineData("two and three", "2 3")]
    [InlineData("hundreds of thousands", "")]
    public void NumberSignature_Text_HasItsNumbersInOrder(string text, string expected) => Assert.Equal(expected, NumberSignature.Of(text).ToString());

    [Fact]
    public void NumberSignature_OtherOrder_HasTheSameNumbersButIsNotEqual()
    {
        NumberSignature one = NumberSignature.Of("3 then 4"), other = NumberSignature.Of("4 then 3");
        Assert.True(one.HasSameNumbers(other));
        Assert.NotEqual(one, other);
        Assert.Equal(one, NumberSignature.Of("three, 4.0"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(double.NaN)]
    public void Options_BorderOutOfRange_IsRefused(double border) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SimilarityEstimator(new() { Reworded = border }));

    private static Relevance Estimate(string asked, string remembered)
    {
        var (one, other) = (Embedder.Embed(asked), Embedder.Embed(remembered));
        return new SimilarityEstimator().Estimate(asked, remembered, one.IsEmpty || other.IsEmpty ? double.NaN : Cosine.Dot(one.Span, other.Span));
    }
}
