using SpeedupLlm.Compute;
using SpeedupLlm.Guard;

namespace SpeedupLlm.Tests.Guard;

public sealed class ReuseEvidenceTests
{
    private static readonly ReuseEvidence None = ReuseEvidence.None(0.02, 0.05);

    [Fact]
    public void Serves_WithoutEvidence_Nothing()
    {
        Assert.False(None.Serves(1));
        Assert.Equal("0 checks, 0 wrong; answers no rewordings yet", None.ToString());
    }

    [Theory]
    [InlineData(0.03)]
    [InlineData(0.2)]
    public void Serves_MoreWrongThanPromised_SeldomEver(double wrong)
    {
        var served = Enumerable.Range(0, 500).AsParallel().Count(run =>
        {
            var random = new StreamRandom(StreamKey.Root(3).Child(run));
            var evidence = None;
            for (var i = 0; i < 1000; i++)
            {
                evidence = evidence.After(1, random.NextDouble() < wrong);
                if (evidence.Serves(1))
                    return true;
            }
            return false;
        });
        Assert.InRange(served, 0, Bounds.MostOf(500, 0.05));
    }

    [Fact]
    public void Serves_SureMatchesRightOthersNot_OpensTheSureLevelOnly()
    {
        var evidence = None;
        for (var i = 0; i < 400; i++)
            evidence = evidence.After(0.995, wrong: false).After(0.9, wrong: i % 5 == 0);
        Assert.True(evidence.Serves(0.99));
        Assert.False(evidence.Serves(0.9));
        Assert.Equal((800, 80), (evidence.Checked, evidence.Wrong));
    }

    [Fact]
    public void Serves_AnswersGoWrong_StopsSoonAndNeedsMoreProofThen()
    {
        var evidence = Proven(None, out var first);
        Assert.InRange(first, 183, 350); // (1 − δ)^n ≤ α / 2 needs 183 at least
        var wrong = 0;
        for (; evidence.Serves(1) && wrong < 100; wrong++)
            evidence = evidence.After(1, wrong: true);
        Assert.InRange(wrong, 1, 12);
        Proven(evidence, out var second);
        Assert.InRange(second, first + 1, 2 * first);

        static ReuseEvidence Proven(ReuseEvidence evidence, out int checks)
        {
            for (checks = 0; !evidence.Serves(1) && checks < 2000; checks++)
                evidence = evidence.After(1, wrong: false);
            return evidence;
        }
    }

    [Fact]
    public void From_ItsOwnState_GoesOn()
    {
        var one = None.After(1, wrong: false).After(0.6, wrong: true);
        Assert.Equal(one.After(1, wrong: false).ToString(), None.From(one.State).After(1, wrong: false).ToString());
        Assert.Throws<ArgumentException>(() => None.From([]));
    }

    [Theory]
    [InlineData(0, 0.05)]
    [InlineData(0.02, 1)]
    [InlineData(double.NaN, 0.05)]
    public void None_PromiseOutOfRange_IsRefused(double delta, double alpha) => Assert.Throws<ArgumentOutOfRangeException>(() => ReuseEvidence.None(delta, alpha));
}
