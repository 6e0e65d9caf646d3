using System.Text;
using FsCheck;
using FsCheck.Fluent;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Tests.Relevancy;

public sealed class HashedNgramEmbedderTests
{
    private static readonly HashedNgramEmbedder Embedder = new();

    [Theory]
    [InlineData("")]
    [InlineData("  \t\r\n")]
    [InlineData("... --- !? «» 。、")]
    [InlineData("\u200B\u200D\uFEFF\u202E")]
    public void Embed_NoContent_IsEmpty(string text) => Assert.True(Embedder.Embed(text).IsEmpty);

    [Theory]
    [InlineData("3 + 4")]
    [InlineData("42")]
    [InlineData("🧮")]
    [InlineData("\uD800 broken \uDC00")]
    [InlineData("什么是距离")]
    [InlineData("ما هو السعر؟")]
    [InlineData("ราคาเท่าไหร่")]
    public void Embed_AnyContent_HasLengthOne(string text)
    {
        var vector = Embedder.Embed(text);
        Assert.Equal(256, vector.Length);
        Assert.Equal(1, vector.Span.ToArray().Sum(x => (double)x * x), 1e-6);
    }

    [Theory]
    [InlineData("Café prices in Zürich", "CAFE\u0301   PRICES, in zu\u0308rich!")]
    [InlineData("한국어 가격", "\u1112\u1161\u11ab\u1100\u116e\u11a8\u110b\u1165 \u1100\u1161\u1100\u1167\u11a8")]
    [InlineData("Ｆｕｌｌ ｗｉｄｔｈ １２", "full width 34")]
    [InlineData("the ﬁrst oﬃce", "The first office")]
    [InlineData("ΟΔΟΣ", "οδος")]
    [InlineData("straße", "STRASSE")]
    [InlineData("don't", "don’t")]
    [InlineData("שלום 5", "\u200Fשלום\u200E 7")]
    public void Embed_SameTextOtherForm_IsEqual(string one, string other) =>
        Assert.Equal(Embedder.Embed(one).ToArray(), Embedder.Embed(other).ToArray());

    [Theory]
    [InlineData("What do 5 km and 12 kg cost?", "What do 7 km and 1,250.5 kg cost?")]
    [InlineData("She has twenty-five apples", "She has 3 apples")]
    [InlineData("three hundred and five boxes", "2 million boxes")]
    [InlineData("他有三百二十五个苹果", "他有12个苹果")]
    [InlineData("٣٤ كتاب", "5 كتاب")]
    public void Embed_OtherNumbers_IsEqual(string one, string other) =>
        Assert.Equal(Embedder.Embed(one).ToArray(), Embedder.Embed(other).ToArray());

    [Fact]
    public void Embed_NormalForms_AreEqualForAnyText() => Prop.ForAll<string?>(text =>
    {
        var formed = string.Concat((text ?? "").EnumerateRunes());
        return Embedder.Embed(formed.Normalize(NormalizationForm.FormC)).Span.SequenceEqual(Embedder.Embed(formed.Normalize(NormalizationForm.FormD)).Span);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void Embed_AnyText_HasLengthOneOrNone() => Prop.ForAll<string?>(text =>
    {
        var vector = Embedder.Embed(text ?? "").ToArray();
        return vector.Length == 0 || Math.Abs(vector.Sum(x => (double)x * x) - 1) < 1e-5;
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void Embed_Paraphrase_IsNearerThanAnotherQuestion()
    {
        const string asked = "Orpi North posts parcels. 4 km and 3 kg cost 22. What do 5 km and 5 kg cost?";
        var paraphrase = Similarity(asked, "At Orpi North, posting a parcel 4 km with 3 kg was 22. Tell me the price for 5 km and 5 kg.");
        var otherFirm = Similarity(asked, "Velda South posts parcels. 4 km and 3 kg cost 22. What do 5 km and 5 kg cost?");
        var unrelated = Similarity(asked, "Which river flows through the capital of Hungary?");
        Assert.True(paraphrase > otherFirm + 0.2, $"{paraphrase} {otherFirm}");
        Assert.True(otherFirm > unrelated + 0.1 && Math.Abs(unrelated) < 0.25, $"{otherFirm} {unrelated}");
    }

    [Fact]
    public void Embed_AmongManyFirms_FindsTheFirmInOtherWords()
    {
        // the same words for every firm, other words for the question: the name must decide
        string[] firms = [.. Enumerable.Range(0, 100).Select(i => $"{"bdgklmnprs"[i / 10]}{"aeiou"[i % 5]}{"klmnprstvz"[i % 10]}{"aeiou"[i / 20]}")];
        var remembered = firms.Select(f => Embedder.Embed($"{f} cleans flats. For 6 rooms and 3 hours one paid 22. What do 3 rooms and 1 hour cost?")).ToList();
        var found = firms.Where((f, i) =>
        {
            var asked = Embedder.Embed($"{f} cleans flats. 6 rooms and 3 hours cost 22. What is the price for 3 rooms and 1 hour?");
            return Enumerable.Range(0, 100).MaxBy(j => Cosine.Dot(asked.Span, remembered[j].Span)) == i;
        });
        Assert.InRange(found.Count(), 95, 100);
    }

    [Fact]
    public void Embed_KnownText_KeepsItsBits()
    {
        // stored vectors are compared with new ones: a change of these bits needs a new fingerprint
        var vector = Embedder.Embed("Orpi North posts parcels. What do 5 km and 5 kg cost?").Span;
        var hash = 14695981039346656037UL;
        foreach (var x in vector)
            hash = (hash ^ BitConverter.SingleToUInt32Bits(x)) * 1099511628211UL;
        Assert.Equal(("hashed-ngram-1/256", 14836940788903403936UL), (Embedder.Fingerprint, hash));
    }

    [Fact]
    public void Constructor_TooFewDimensions_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => new HashedNgramEmbedder(8));

    private static double Similarity(string one, string other) => Cosine.Dot(Embedder.Embed(one).Span, Embedder.Embed(other).Span);
}
