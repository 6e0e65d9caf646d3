using FsCheck;
using FsCheck.Fluent;
using SpeedupLlm.Transformer.Adapter;

namespace SpeedupLlm.Transformer.Tests.Adapter;

public sealed class LogicalPrefixesTests
{
    private static readonly Gen<int[]> s_tokens = Gen.Choose(0, 2).ListOf().Select(l => l.ToArray());

    [Fact]
    public void Count_AfterAnyCalls_IsTheLongestSharedPrefix() =>
        Prop.ForAll(s_tokens.ListOf().ToArbitrary(), s_tokens.ToArbitrary(), (calls, prompt) =>
        {
            var prefixes = new LogicalPrefixes();
            var known = new List<int[]>();
            foreach (var call in calls)
            {
                if (prefixes.Count("s", call) != Longest(known, call))
                    return false;
                prefixes.Add("s", call);
                prefixes.Add("another", [0, 1, 2, 0, 1, 2]);
                known.Add(call);
            }
            return prefixes.Count("s", prompt) == Longest(known, prompt) && prefixes.Count("third", prompt) == 0;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void Add_ManyScopes_KeepsThoseInUse()
    {
        var prefixes = new LogicalPrefixes();
        for (var i = 0; i < 3000; i++)
        {
            prefixes.Add("mine", [1, 2, i]);
            prefixes.Add(FormattableString.Invariant($"other {i}"), [1, 2, 3]);
        }
        Assert.Equal(2, prefixes.Count("mine", [1, 2, -1]));
        Assert.Equal(0, prefixes.Count("other 0", [1, 2, 3]));
    }

    private static int Longest(List<int[]> known, int[] tokens) => known.Select(k => k.AsSpan().CommonPrefixLength(tokens)).DefaultIfEmpty(0).Max();

    [Fact]
    public void Count_EnclosedScope_SeesWhatItsEnclosingScopesHold()
    {
        var prefixes = new LogicalPrefixes();
        prefixes.Add("12/best-of-n", [1, 2, 3]);
        prefixes.Add("12/best-of-n/S1/none", [1, 2, 9, 9]);
        Assert.Equal(3, prefixes.Count("12/best-of-n/S1/none", [1, 2, 3, 4]));
        Assert.Equal(4, prefixes.Count("12/best-of-n/S1/none", [1, 2, 9, 9]));
        // neither the sibling, nor the other way about, nor a name that merely begins alike
        Assert.Equal(2, prefixes.Count("12/best-of-n/S1/sft", [1, 2, 9, 9]));
        Assert.Equal(2, prefixes.Count("12/best-of-n", [1, 2, 9, 9]));
        Assert.Equal(0, prefixes.Count("12/best-of-n-2", [1, 2, 3]));
    }
}
