using System.Text;
using FsCheck;
using FsCheck.Fluent;
using SpeedupLlm.Transformer.Tokenizer;

namespace SpeedupLlm.Transformer.Tests.Tokenizer;

public sealed class PieceTokenizerTests
{
    private static readonly PieceVocabulary s_vocabulary = new(
        ["<end>", "<question>", "<quest", "<guess>"],
        [" ", " Or", " O", "pi", "p", " 7", "7", " bill", " bills", "é", " 税", "\n", "\n\n", "<", "ques"]);

    private static readonly PieceTokenizer s_tokenizer = new(s_vocabulary);

    /// <summary>What UTF-8 makes of any UTF-16: lone surrogates become U+FFFD.</summary>
    private static string Utf8(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static readonly Gen<string> s_anyText = Gen.OneOf(
        ArbMap.Default.GeneratorFor<string>().Select(s => s ?? ""),
        Gen.Elements(" ", "\n", "<guess>", "<quest", "é", "税", "😀", "\ud83d", "\ude00", "\0", " Orpi", "77", "bills", "\uFEFF", "e\u0301")
            .ListOf().Select(parts => string.Concat(parts)),
        Gen.Choose(0, 0xFFFF).ListOf().Select(units => new string([.. units.Select(u => (char)u)])));

    [Fact]
    public void Decode_AfterEncode_GivesTheText() =>
        Prop.ForAll(s_anyText.ToArbitrary(), text =>
            s_tokenizer.Decode(s_tokenizer.Encode(text)) == Utf8(text)
            && s_tokenizer.Decode(s_tokenizer.Encode(text, allowSpecial: true)) == Utf8(text)).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void Encode_UserText_NeverGivesSpecials() =>
        Prop.ForAll(s_anyText.ToArbitrary(), text => !s_tokenizer.Encode(text).Any(s_tokenizer.IsSpecial)).QuickCheckThrowOnFailure();

    [Fact]
    public void Push_ATokenAtATime_GivesWholeCharactersThatAddUp() =>
        Prop.ForAll(s_anyText.ToArbitrary(), text =>
        {
            var decoder = new TokenDecoder(s_tokenizer);
            var all = new StringBuilder();
            foreach (var id in s_tokenizer.Encode(text))
            {
                var part = decoder.Push(id);
                if (part != Utf8(part))
                    return false;
                all.Append(part);
            }
            return all.Append(decoder.Flush()).ToString() == Utf8(text);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("Orpi 77 bills", " Or|pi| 7|7| bills")]
    [InlineData(" Orpi", " | Or|pi")]
    [InlineData("\nOrpi", "\n|O|r|pi")]
    [InlineData("\n\n7", "\n\n|7")]
    [InlineData("bill税", " bill|E7|A8|8E")]
    [InlineData("a 税", " |a| 税")]
    [InlineData("<guess>", " |<|g|u|e|s|s|>")]
    [InlineData("", "")]
    public void Encode_Text_TakesTheLongestPiece(string text, string expected) => Assert.Equal(expected, Show(s_tokenizer.Encode(text)));

    [Theory]
    [InlineData("<question>Orpi<guess>", "<question>| Or|pi|<guess>")]
    [InlineData("<question><quest7", "<question>|<quest| 7")]
    [InlineData("<questio", "<quest| |i|o")]
    public void Encode_AllowSpecial_MatchesTheLongestSpecial(string text, string expected) =>
        Assert.Equal(expected, Show(s_tokenizer.Encode(text, allowSpecial: true)));

    [Fact]
    public void Push_EmojiInBytes_ComesOutOnce()
    {
        var decoder = new TokenDecoder(s_tokenizer);
        var parts = s_tokenizer.Encode("a😀b").Select(decoder.Push);
        Assert.Equal(["", "a", "", "", "", "😀", "b"], parts);
    }

    [Fact]
    public void Flush_CharacterCutShort_IsReplaced()
    {
        var decoder = new TokenDecoder(s_tokenizer);
        Assert.Equal("", decoder.Push(s_tokenizer.FirstByte + 0xF0));
        Assert.Equal("", decoder.Push(s_tokenizer.FirstByte + 0x9F));
        Assert.Equal("\uFFFD", decoder.Flush());
        Assert.Equal("", decoder.Flush());
        Assert.Equal("7", decoder.Push(s_tokenizer.Encode("7")[0]));
    }

    [Fact]
    public void Decode_SpecialsHidden_StartANewStretch() =>
        Assert.Equal("77", s_tokenizer.Decode(s_tokenizer.Encode("7<guess>7", allowSpecial: true), showSpecial: false));

    [Fact]
    public void FromJson_OfToJson_IsEqual()
    {
        var json = s_vocabulary.ToJson();
        Assert.Equal(s_vocabulary, PieceVocabulary.FromJson(json));
        Assert.DoesNotContain('\n', json);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("""{"specials":["<a>"]}""")]
    [InlineData("""{"specials":["<a>","<a>"],"pieces":[]}""")]
    [InlineData("""{"specials":[],"pieces":[""]}""")]
    public void FromJson_Unreadable_Throws(string json) => Assert.Throws<InvalidDataException>(() => PieceVocabulary.FromJson(json));

    [Fact]
    public void Constructor_LoneSurrogate_Throws() => Assert.Throws<ArgumentException>(() => new PieceVocabulary([], ["a\ud83d"]));

    private static string Show(int[] ids) => string.Join('|', ids.Select(id =>
        s_tokenizer.Bytes(id) is [>= 0x80] b ? b[0].ToString("X2", null) : Encoding.UTF8.GetString(s_tokenizer.Bytes(id))));
}
