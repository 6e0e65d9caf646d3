using System.Text;
using FsCheck;
using FsCheck.Fluent;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Tests.Relevancy;

public sealed class TwinTests
{
    // few letters, so that beginnings agree; zero, the last of ASCII, two and three bytes, and a pair whose bytes are ordered otherwise than its chars
    private static readonly Gen<string> Names = Gen.Elements("a", "b", "\0", "\x7f", "é", "\uE000", "\U0001F600").ListOf().Select(string.Concat);

    [Fact]
    public void OrderOf_TwoIds_NeverContradictsTheirOrder() => Prop.ForAll(
        Names.Two().ToArbitrary(),
        pair => string.CompareOrdinal(pair.Item1, pair.Item2) > 0 || Twin.OrderOf(pair.Item1) <= Twin.OrderOf(pair.Item2)).QuickCheckThrowOnFailure();

    [Fact]
    public void OrderOf_TextAndItsBytes_AreTheSame() => Prop.ForAll(
        Names.ToArbitrary(), name => Twin.OrderOf(name) == Twin.OrderOf(Encoding.UTF8.GetBytes(name))).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("a1", "a2")]
    [InlineData("00000001ff", "00000002aa")]
    [InlineData("a", "aa")]
    public void OrderOf_DifferentBeginnings_TellsThemApart(string first, string second) => Assert.True(Twin.OrderOf(first) < Twin.OrderOf(second));

    [Fact]
    public void Trim_AnyRows_LeavesTheFirstOfEachVector() => Prop.ForAll(
        Gen.Choose(0, 4).Two().ListOf().ToArbitrary(), Gen.Choose(1, 5).ToArbitrary(), (rows, count) =>
        {
            var twins = rows.Select(r => new Twin((ulong)r.Item1, (ulong)r.Item2)).ToList();
            var kept = Twin.Trim(twins, count, t => t);
            return kept.All(t => twins.Count(o => o.Vector == t.Vector && o.Id < t.Id) < count) && (twins.Count <= count
                ? kept.Count == twins.Count
                : kept.Count == twins.Count(t => twins.Count(o => o.Vector == t.Vector && o.Id < t.Id) < count));
        }).QuickCheckThrowOnFailure();
}
