using System.Text;
using FsCheck;
using FsCheck.Fluent;
using SpeedupLlm.Transformer.Adapter;

namespace SpeedupLlm.Transformer.Tests.Adapter;

public sealed class StopTextTests
{
    private static readonly Gen<string> s_text = Gen.Elements('a', 'b', 'c').ListOf().Select(l => new string([.. l]));

    [Fact]
    public void Push_AnyPieces_GivesTheTextUpToTheFirstStop() =>
        Prop.ForAll(s_text.ListOf().ToArbitrary(), s_text.ListOf().ToArbitrary(), (pieces, stops) =>
        {
            var whole = string.Concat(pieces);
            var cut = stops.Where(s => s.Length > 0).Select(s => (At: whole.IndexOf(s, StringComparison.Ordinal), s.Length))
                .Where(s => s.At >= 0).OrderBy(s => s.At + s.Length).ThenBy(s => s.At).Select(s => s.At).DefaultIfEmpty(whole.Length).First();
            var stop = new StopText(stops);
            var shown = new StringBuilder();
            foreach (var piece in pieces)
                shown.Append(stop.Push(piece));
            shown.Append(stop.Flush());
            return shown.ToString() == whole[..cut] && stop.Text.ToString() == whole[..cut] && stop.Stopped == cut < whole.Length;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));

    [Fact]
    public void Push_WhatCannotBeAStop_IsShownAtOnce()
    {
        var stop = new StopText(["STOP"]);
        Assert.Equal(["a", "", "bST"[..1], "c", ""], ["a", .. new[] { "", "b", "c", "S" }.Select(stop.Push)]);
        Assert.Equal("Sx", stop.Push("x"));
    }
}
